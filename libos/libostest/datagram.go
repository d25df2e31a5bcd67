package libostest

import (
	"errors"
	"net"
	"testing"
	"time"
)

// listenPacket receives datagrams at one end of a pair.
func (s *side) listenPacket(t *testing.T) net.PacketConn {
	t.Helper()
	p, err := s.B.ListenPacket(s.ctx, "udp", at(s.b, "0"))
	if err != nil {
		t.Fatalf("listen for datagrams: %v", err)
	}
	t.Cleanup(func() { p.Close() })
	p.SetDeadline(time.Now().Add(patience))
	return p
}

// testDatagrams sends some, of sizes below and above that of a frame, and answers
// to where they came from. A datagram may be lost: it is sent until it arrives.
func testDatagrams(t *testing.T, s *side) {
	b := s.listenPacket(t)
	a, err := s.A.ListenPacket(s.ctx, "udp", at(s.a, "0"))
	if err != nil {
		t.Fatalf("listen for datagrams: %v", err)
	}
	defer a.Close()
	for _, size := range []int{0, 1, 512, 1400, 4000} {
		from := deliver(t, pattern(size), b, func(p []byte) (int, error) { return a.WriteTo(p, b.LocalAddr()) })
		if from.String() != a.LocalAddr().String() {
			t.Errorf("datagram came from %v, want %v", from, a.LocalAddr())
		}
		if _, ok := from.(*net.UDPAddr); !ok {
			t.Errorf("datagram came from a %T, want *net.UDPAddr", from)
		}
		deliver(t, pattern(size+1), a, func(p []byte) (int, error) { return b.WriteTo(p, from) })
	}
}

// deliver sends a datagram until it arrives and returns where it came from. What
// arrives of earlier ones is left aside.
func deliver(t *testing.T, payload []byte, to net.PacketConn, send func([]byte) (int, error)) net.Addr {
	t.Helper()
	buf := make([]byte, 64<<10)
	defer to.SetReadDeadline(time.Now().Add(patience))
	for start := time.Now(); time.Since(start) < patience; {
		if n, err := send(payload); err != nil || n != len(payload) {
			t.Fatalf("send %d bytes: %d, %v", len(payload), n, err)
		}
		for {
			to.SetReadDeadline(time.Now().Add(time.Second))
			n, from, err := to.ReadFrom(buf)
			if err != nil {
				timedOut(t, "ReadFrom", err)
				break
			}
			if string(buf[:n]) == string(payload) {
				return from
			}
		}
	}
	t.Fatalf("a datagram of %d bytes did not arrive", len(payload))
	return nil
}

func testDatagramDial(t *testing.T, s *side) {
	b := s.listenPacket(t)
	a, err := s.A.Dial(s.ctx, "udp", b.LocalAddr().String())
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	keep(t, a)
	from := deliver(t, []byte("question"), b, a.Write)
	if from.String() != a.LocalAddr().String() || a.RemoteAddr().String() != b.LocalAddr().String() {
		t.Errorf("datagram from %v, of %v to %v, want %v", from, a.LocalAddr(), a.RemoteAddr(), b.LocalAddr())
	}
	deliver(t, []byte("answer"), connected{a}, func(p []byte) (int, error) { return b.WriteTo(p, from) })
}

// connected is a dialled connection as a PacketConn that only reads.
type connected struct{ net.Conn }

func (c connected) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := c.Read(p)
	return n, c.RemoteAddr(), err
}
func (c connected) WriteTo(p []byte, _ net.Addr) (int, error) { return c.Write(p) }

func testDatagramDeadline(t *testing.T, s *side) {
	b := s.listenPacket(t)
	b.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, _, err := b.ReadFrom(make([]byte, 10))
	timedOut(t, "ReadFrom", err)

	b.SetReadDeadline(time.Now().Add(patience))
	done := make(chan error)
	go func() {
		_, _, err := b.ReadFrom(make([]byte, 10))
		done <- err
	}()
	b.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("ReadFrom of a closed socket: %v, want net.ErrClosed", err)
	}
}
