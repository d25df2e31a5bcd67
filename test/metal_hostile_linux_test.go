package test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"cairn/libos"
	"cairn/net/stack"
)

// A wire is the cable of a machine whose other end a test holds: QEMU's socket
// network, each frame behind its length in four bytes.
type wire struct {
	conn net.Conn
	in   *bufio.Reader

	mu sync.Mutex // of writing
}

// wireAddress is the Ethernet address of the test's end.
var wireAddress = net.HardwareAddr{0x52, 0x54, 0, 0x12, 0, 1}

func (w *wire) MAC() net.HardwareAddr { return wireAddress }
func (w *wire) MTU() int              { return 1500 }
func (w *wire) Offload() bool         { return false }
func (w *wire) Close() error          { return w.conn.Close() }

func (w *wire) Receive(buf []byte) (n int, h libos.FrameHeader, err error) {
	var size [4]byte
	if _, err := io.ReadFull(w.in, size[:]); err != nil {
		return 0, h, net.ErrClosed
	}
	n = int(binary.BigEndian.Uint32(size[:]))
	if n > len(buf) {
		return 0, h, net.ErrClosed
	}
	if _, err := io.ReadFull(w.in, buf[:n]); err != nil {
		return 0, h, net.ErrClosed
	}
	return n, h, nil
}

func (w *wire) Send(_ libos.FrameHeader, parts ...[]byte) error {
	frame := make([]byte, 4)
	for _, part := range parts {
		frame = append(frame, part...)
	}
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.conn.Write(frame); err != nil {
		return net.ErrClosed
	}
	return nil
}

// TestMetalHostileNetwork gives a machine frames that are not what they say, and more
// connections than it can have. It serves all the while, and afterwards.
func TestMetalHostileNetwork(t *testing.T) {
	campaign(t)
	h := newHome(t)
	h.publish(t, "one")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const guest = "10.0.2.15"
	m := boot(t, "unipi", setting{
		files: h.files, memory: 64,
		devices: []string{"-netdev", "socket,id=n0,connect=" + l.Addr().String(), "-device", "virtio-net-device,netdev=n0,mac=52:54:00:12:00:02"},
	}, append(h.args, "--ipv4", guest+"/24", "--log=")...)
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(metalPatience)); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatalf("wait for QEMU: %v; the console:\n%s", err, m.Console())
	}
	w := &wire{conn: conn, in: bufio.NewReader(conn)}
	s, err := stack.New(w, stack.Options{IPv4: netip.MustParsePrefix("10.0.2.2/24")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lead(t, s, h.Addr)
	fetch := func() (string, error) {
		client := &http.Client{Timeout: metalPatience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: s.Dial}}
		res, err := client.Get("http://" + guest + "/")
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		return string(body), err
	}
	serves := func(when string) {
		t.Helper()
		err := wait(when, func() error {
			if m.Ended() {
				return errEnded
			}
			got, err := fetch()
			if err == nil && got != "one" {
				err = fmt.Errorf("got %q", got)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	serves("at first")

	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		if err := w.Send(libos.FrameHeader{}, hostileFrame(random)); err != nil {
			t.Fatal(err)
		}
	}
	serves("after 20,000 frames")

	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(m.ctx, time.Minute)
	defer cancel()
	for range 3000 {
		dialing, cancel := context.WithTimeout(ctx, 5*time.Second)
		c, err := s.Dial(dialing, "tcp", guest+":80")
		cancel()
		if err != nil {
			break // it has as many as it takes
		}
		held = append(held, c)
		if _, err := c.Write([]byte("GET / HTTP/1.1\r\n")); err != nil {
			break
		}
	}
	t.Logf("%d connections that ask for nothing", len(held))
	for _, c := range held {
		c.Close()
	}
	held = nil
	serves("after them")
}

// lead leads connections to the git host, which the machine knows as 10.0.2.2, into this machine's
// loopback.
func lead(t *testing.T, s *stack.Stack, address string) {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Listen(t.Context(), "tcp", "10.0.2.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				there, err := net.Dial("tcp", address)
				if err != nil {
					return
				}
				defer there.Close()
				go func() { _, _ = io.Copy(there, c); there.Close() }()
				_, _ = io.Copy(c, there) // whoever ends, ends both
			}()
		}
	}()
}

// hostileFrame is one for the machine of a kind that it takes: ARP, IPv4 with ICMP, TCP or
// UDP, IPv6. What is in it is noise, or nearly right.
func hostileFrame(random *rand.Rand) []byte {
	frame := make([]byte, 14+random.IntN(1500))
	for i := range frame {
		frame[i] = byte(random.Uint32())
	}
	copy(frame, []byte{0x52, 0x54, 0, 0x12, 0, 2})
	copy(frame[6:], wireAddress)
	kinds := []uint16{0x0800, 0x0800, 0x0800, 0x0806, 0x86dd, 0x8100}
	binary.BigEndian.PutUint16(frame[12:], kinds[random.IntN(len(kinds))])
	if len(frame) < 14+40 || random.IntN(4) == 0 {
		return frame
	}
	ip := frame[14:]
	ip[0] = []byte{0x45, 0x45, 0x46, 0x4f, 0x41}[random.IntN(5)]
	if random.IntN(2) == 0 {
		binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	}
	ip[6], ip[7] = byte(random.IntN(2))<<5, byte(random.IntN(8)) // fragments too
	ip[9] = []byte{1, 6, 17, 2}[random.IntN(4)]
	copy(ip[12:], []byte{10, 0, 2, 2, 10, 0, 2, 15})
	ip[10], ip[11] = 0, 0
	binary.BigEndian.PutUint16(ip[10:], internetChecksum(ip[:min(len(ip), int(ip[0]&15)*4)]))
	binary.BigEndian.PutUint16(ip[22:], 80) // a port, if that is where ports are
	return frame
}

// internetChecksum is that of RFC 1071.
func internetChecksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
