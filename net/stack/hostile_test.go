package stack

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	protocol "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"cairn/libos"
	"cairn/libos/libostest"
	"cairn/net/cable"
	"cairn/net/dhcp"
)

// inject has a stack receive a frame, and returns when it has been dealt with.
func inject(s *Stack, frame []byte) {
	if s.card.accepts(frame, libos.FrameHeader{}) {
		deliver(s.card.dispatcher(), buffer.MakeWithData(frame))
	}
}

// A counted link counts the frames that are sent.
type counted struct {
	libos.Link
	sent atomic.Int64
}

func (l *counted) Send(h libos.FrameHeader, parts ...[]byte) error {
	l.sent.Add(1)
	return l.Link.Send(h, parts...)
}

// countedPair is pair; what a sends is counted.
func countedPair(t *testing.T, o cable.Options) (a, b *Stack, link *counted) {
	t.Helper()
	x, y := cable.New(o)
	libostest.KeepPcap(t, x)
	link = &counted{Link: x}
	a = open(t, link, Options{IPv4: a4, IPv6: []netip.Prefix{a6}, Random: random(1)})
	b = open(t, y, Options{IPv4: b4, IPv6: []netip.Prefix{b6}, Random: random(2)})
	return a, b, link
}

// packet4 returns a frame to the link's stack with an IPv4 packet.
func packet4(to net.HardwareAddr, src, dst netip.Addr, protocol uint8, payload []byte) []byte {
	ip := make(header.IPv4, header.IPv4MinimumSize)
	ip.Encode(&header.IPv4Fields{TotalLength: uint16(len(ip) + len(payload)), TTL: 64, Protocol: protocol, SrcAddr: toAddress(src), DstAddr: toAddress(dst)})
	ip.SetChecksum(^ip.CalculateChecksum())
	return frameTo(to, uint16(header.IPv4ProtocolNumber), append(ip, payload...))
}

// packet6 is packet4 of IPv6.
func packet6(to net.HardwareAddr, src, dst netip.Addr, protocol uint8, payload []byte) []byte {
	ip := make(header.IPv6, header.IPv6MinimumSize)
	ip.Encode(&header.IPv6Fields{PayloadLength: uint16(len(payload)), TransportProtocol: header.ICMPv6ProtocolNumber, HopLimit: 255, SrcAddr: toAddress(src), DstAddr: toAddress(dst)})
	ip[6] = protocol
	return frameTo(to, uint16(header.IPv6ProtocolNumber), append(ip, payload...))
}

func frameTo(to net.HardwareAddr, protocol uint16, payload []byte) []byte {
	b := append(append([]byte(nil), to...), 2, 0, 0, 0, 0, 9, byte(protocol>>8), byte(protocol))
	return append(b, payload...)
}

// tooBig returns a router's complaint about a segment from one address to
// another: links further on carry no more than so many bytes (RFC 1191 §4, RFC 4443 §3.2).
func tooBig(mac net.HardwareAddr, from, to netip.AddrPort, mtu uint16) []byte {
	segment := make([]byte, header.TCPMinimumSize)
	binary.BigEndian.PutUint16(segment, from.Port())
	binary.BigEndian.PutUint16(segment[2:], to.Port())
	if from.Addr().Is4() {
		about := packet4(mac, from.Addr(), to.Addr(), 6, segment)[header.EthernetMinimumSize:]
		icmp := header.ICMPv4(append([]byte{3, 4, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)}, about...))
		icmp.SetChecksum(^checksum.Checksum(icmp, 0))
		return packet4(mac, to.Addr(), from.Addr(), 1, icmp)
	}
	about := packet6(mac, from.Addr(), to.Addr(), 6, segment)[header.EthernetMinimumSize:]
	icmp := header.ICMPv6(append([]byte{2, 0, 0, 0, 0, 0, byte(mtu >> 8), byte(mtu)}, about...))
	icmp.SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: icmp, Src: toAddress(to.Addr()), Dst: toAddress(from.Addr())}))
	return packet6(mac, to.Addr(), from.Addr(), 58, icmp)
}

// TestTooBig has a router say that the path carries little: it is believed as far as
// networks go, and no further, for what is sent in single bytes is nobody's path but a
// stranger's wish.
func TestTooBig(t *testing.T) {
	const size = 64 << 10
	for _, c := range []struct {
		name     string
		listen   netip.Addr
		mtu      uint16
		min, max int64 // frames for size bytes
	}{
		{"v4", b4.Addr(), 600, size / 600, 4 * size / 600},
		{"v4 tiny", b4.Addr(), 68, 0, size / 500},
		{"v4 nothing", b4.Addr(), 0, 0, size / 500},
		{"v6", b6.Addr(), 1280, size / 1280, 4 * size / 1280},
		{"v6 tiny", b6.Addr(), 100, 0, size / 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b, link := countedPair(t, cable.Options{})
			l := listen(t, b, netip.AddrPortFrom(c.listen, 7).String())
			client, server := accept(t, l, a)
			defer server.Close()
			from, to := client.LocalAddr().(*net.TCPAddr).AddrPort(), client.RemoteAddr().(*net.TCPAddr).AddrPort()
			inject(a, tooBig(link.MAC(), from, to, c.mtu))
			before := link.sent.Load()
			pass(t, client, server, size)
			if got := link.sent.Load() - before; got < c.min || got > c.max {
				t.Errorf("%d bytes took %d frames, want %d to %d", size, got, c.min, c.max)
			}
		})
	}
}

// TestSmallLease has a DHCP server name an MTU that IPv6 cannot live with.
func TestSmallLease(t *testing.T) {
	a, b := pair(t, cable.Options{})
	mtu := func() uint32 { return a.net.NICInfo()[cardID].MTU }
	a.config.apply(dhcp.Lease{MTU: 576})
	l := listen(t, b, netip.AddrPortFrom(b6.Addr(), 7).String())
	client, server := accept(t, l, a)
	pass(t, client, server, 64<<10)
	a.config.apply(dhcp.Lease{MTU: 1400})
	if got := mtu(); got != 1400 {
		t.Errorf("MTU %d, want 1400", got)
	}
	for _, l := range []dhcp.Lease{{MTU: 9000}, {}} {
		a.config.apply(l)
		if got := mtu(); got != 1500 {
			t.Errorf("MTU %d after a lease with %d, want the link's 1500", got, l.MTU)
		}
	}
}

// syn returns a frame that begins a connection.
func syn(mac net.HardwareAddr, from, to netip.AddrPort) []byte {
	segment := make(header.TCP, header.TCPMinimumSize)
	segment.Encode(&header.TCPFields{SrcPort: from.Port(), DstPort: to.Port(), SeqNum: 1, DataOffset: header.TCPMinimumSize, Flags: header.TCPFlagSyn, WindowSize: 65535})
	sum := header.PseudoHeaderChecksum(header.TCPProtocolNumber, toAddress(from.Addr()), toAddress(to.Addr()), uint16(len(segment)))
	segment.SetChecksum(^segment.CalculateChecksum(sum))
	if from.Addr().Is6() {
		return packet6(mac, from.Addr(), to.Addr(), 6, segment)
	}
	return packet4(mac, from.Addr(), to.Addr(), 6, segment)
}

// TestFlood has strangers begin connections that they never complete.
func TestFlood(t *testing.T) {
	const limit = 32 << 20 // bytes of memory for what waits
	x, y := cable.New(cable.Options{})
	a := open(t, x, Options{IPv4: a4, Gateways: []netip.Addr{b4.Addr()}})
	b := open(t, y, Options{IPv4: b4})
	at := netip.AddrPortFrom(a4.Addr(), 7)
	listen(t, a, ":7")
	before := heap()
	for i := range 20_000 {
		from := netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
		inject(a, syn(x.MAC(), netip.AddrPortFrom(from, uint16(1024+i)), at))
		if i == 0 { // the gateway's address is known before the next ones
			c, err := b.Dial(t.Context(), "tcp", at.String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
		}
	}
	if used := heap() - before; used > limit && !raceDetector {
		t.Errorf("20,000 half-open connections cost %d bytes, want at most %d", used, limit)
	}
	c, err := b.Dial(t.Context(), "tcp", at.String())
	if err != nil {
		t.Fatalf("dial in a flood: %v", err)
	}
	c.Close()
}

// TestTimeWait closes connections here first: few of them are remembered.
func TestTimeWait(t *testing.T) {
	const conns, most = 50, 10
	a, b := pair(t, cable.Options{})
	l := listen(t, b, b4.Addr().String()+":7")
	for range conns {
		client, server := accept(t, l, a)
		client.Close()
		io.Copy(io.Discard, server)
		server.Close()
	}
	await(t, "connections in TIME-WAIT", conns, func() int { return timeWait(a) })
	newSweeper(a).sweep(time.Now(), most, maxOrphans)
	if got := timeWait(a); got != most {
		t.Errorf("%d connections in TIME-WAIT, want %d", got, most)
	}
	client, server := accept(t, l, a)
	pass(t, client, server, 1<<10)
}

func timeWait(s *Stack) (n int) {
	for _, e := range s.net.RegisteredEndpoints() {
		if ep, ok := e.(*protocol.Endpoint); ok && ep.EndpointState() == protocol.StateTimeWait {
			n++
		}
	}
	return n
}

// await waits until there are as many as are wanted.
func await(t *testing.T, what string, want int, count func() int) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for count() != want {
		if time.Now().After(deadline) {
			t.Fatalf("%d %s, want %d", count(), what, want)
		}
		runtime.Gosched()
	}
}

// TestUnread has a peer that reads nothing: little of what is written waits for it.
func TestUnread(t *testing.T) {
	const most = 1 << 20
	a, b := pair(t, cable.Options{})
	l := listen(t, b, b4.Addr().String()+":7")
	client, server := accept(t, l, a)
	defer client.Close()
	server.SetWriteDeadline(time.Now().Add(time.Second))
	n, err := io.Copy(server, endless{})
	if !errors.Is(err, os.ErrDeadlineExceeded) || n > most {
		t.Errorf("wrote %d bytes that nobody read, %v, want at most %d", n, err, most)
	}
}

// TestOrphans closes connections whose peers take nothing any more: what is left for them is
// dropped in the end, and that of too many earlier.
func TestOrphans(t *testing.T) {
	const conns, most = 20, 5
	x, y := cable.New(cable.Options{})
	a, b := open(t, x, Options{IPv4: a4}), open(t, y, Options{IPv4: b4})
	l := listen(t, b, b4.Addr().String()+":7")
	var servers []net.Conn
	for range conns {
		_, server := accept(t, l, a)
		servers = append(servers, server)
	}
	x.Cut()
	for _, server := range servers {
		server.Close()
	}
	w, now := newSweeper(b), time.Now()
	for _, c := range []struct {
		age  time.Duration
		left int
	}{{0, conns}, {sweepEvery - 1, conns}, {sweepEvery, most}, {orphanTime - 1, most}, {orphanTime, 0}} {
		w.sweep(now.Add(c.age), maxTimeWait, most)
		if got := len(w.sending); got != c.left {
			t.Errorf("%d connections have something left after %v, want %d", got, c.age, c.left)
		}
	}
	if b.sending() {
		t.Error("something is left still")
	}
}

// endless is a stream of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestBombs has strangers fill whatever netstack keeps for them: fragments that never
// become packets, neighbours, routers' prefixes.
func TestBombs(t *testing.T) {
	const limit = 32 << 20 // bytes of memory
	l := &hostile{closed: make(chan struct{})}
	s, err := New(l, Options{IPv4: a4, IPv6: []netip.Prefix{a6}, SLAAC: true, NoProbes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mac := l.MAC()
	for _, c := range []struct {
		name  string
		count int
		frame func(i int) []byte
	}{
		{"fragments of IPv4", 30_000, func(i int) []byte { return fragment4(mac, uint32(i), 1400) }},
		{"small fragments of IPv4", 10_000, func(i int) []byte { return fragment4(mac, uint32(i), 8) }},
		{"fragments of IPv6", 30_000, func(i int) []byte { return fragment6(mac, uint32(i), 1400) }},
		{"neighbours of IPv4", 2_000, func(i int) []byte { return arpRequest(uint32(i)) }},
		{"neighbours of IPv6", 2_000, func(i int) []byte { return neighbourSolicitation(mac, uint32(i)) }},
		{"prefixes", 200, func(i int) []byte {
			p := netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, byte(i >> 8), byte(i)}), 64)
			return ethernet(0x86dd, advertisement(netip.MustParseAddr("fe80::9"), 1800, prefixInformation(p, 7200)))
		}},
		{"routers", 200, func(i int) []byte {
			return ethernet(0x86dd, advertisement(netip.AddrFrom16([16]byte{0xfe, 0x80, 14: byte(i >> 8), 15: byte(i)}), 1800))
		}},
	} {
		before := heap()
		for i := range c.count {
			inject(s, c.frame(i))
		}
		if used := heap() - before; used > limit && !raceDetector {
			t.Errorf("%s: %d bytes, want at most %d", c.name, used, limit)
		}
	}
	for _, protocol := range []tcpip.NetworkProtocolNumber{header.IPv4ProtocolNumber, header.IPv6ProtocolNumber} {
		if list, err := s.net.Neighbors(cardID, protocol); err != nil || len(list) == 0 || len(list) > 1000 {
			t.Errorf("%d neighbours, %v, want some of those that came", len(list), err)
		}
	}
	if got := len(s.Addrs()); got <= 2 || got > 16 {
		t.Errorf("%d addresses, want some of those announced", got)
	}
	if got := len(s.config.routes()); got > 32 {
		t.Errorf("%d routes, want at most 32", got)
	}
}

// fragment4 returns the first of several fragments.
func fragment4(mac net.HardwareAddr, id uint32, size int) []byte {
	f := packet4(mac, netip.AddrFrom4([4]byte{203, 0, byte(id >> 16), 1}), a4.Addr(), 17, make([]byte, size))
	ip := header.IPv4(f[header.EthernetMinimumSize:])
	binary.BigEndian.PutUint16(ip[4:], uint16(id))
	ip.SetFlagsFragmentOffset(header.IPv4FlagMoreFragments, 0)
	ip.SetChecksum(0)
	ip.SetChecksum(^ip.CalculateChecksum())
	return f
}

// fragment6 is fragment4 of IPv6.
func fragment6(mac net.HardwareAddr, id uint32, size int) []byte {
	b := binary.BigEndian.AppendUint32([]byte{17, 0, 0, 1}, id)
	return packet6(mac, b6.Addr(), a6.Addr(), 44, append(b, make([]byte, size)...))
}

// arpRequest returns a question for a4 by a station of its own.
func arpRequest(n uint32) []byte {
	b := []byte{0, 1, 8, 0, 6, 4, 0, 1, 2, 9}
	b = binary.BigEndian.AppendUint32(b, n)
	b = append(b, 192, 0, 2+byte(n>>8), byte(n), 0, 0, 0, 0, 0, 0)
	return ethernet(0x0806, append(b, a4.Addr().AsSlice()...))
}

// neighbourSolicitation is arpRequest of IPv6 (RFC 4861 §4.3).
func neighbourSolicitation(mac net.HardwareAddr, n uint32) []byte {
	from := netip.AddrFrom16([16]byte{0x20, 1, 0x0d, 0xb8, 12: byte(n >> 24), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)})
	icmp := append([]byte{135, 0, 0, 0, 0, 0, 0, 0}, a6.Addr().AsSlice()...)
	icmp = binary.BigEndian.AppendUint32(append(icmp, 1, 1, 2, 9), n)
	header.ICMPv6(icmp).SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: icmp, Src: toAddress(from), Dst: toAddress(a6.Addr())}))
	return packet6(mac, from, a6.Addr(), 58, icmp)
}

// TestMartians has packets come from the wire that say they are of, or for, the machine
// itself (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
func TestMartians(t *testing.T) {
	x, _ := cable.New(cable.Options{})
	s := open(t, x, Options{IPv4: a4, IPv6: []netip.Prefix{a6}})
	listen(t, s, ":7")
	heard := s.net.Stats().TCP.ValidSegmentsReceived
	for _, c := range []struct {
		from, to string
		want     uint64
	}{
		{"203.0.113.1", a4.Addr().String(), 1},
		{"203.0.113.1", "127.0.0.1", 0},
		{"127.0.0.1", a4.Addr().String(), 0},
		{"127.0.0.1", "127.0.0.1", 0},
		{"2001:db8:7::1", a6.Addr().String(), 1},
		{"2001:db8:7::1", "::1", 0},
		{"::1", a6.Addr().String(), 0},
		{"::1", "::1", 0},
	} {
		before := heard.Value()
		inject(s, syn(x.MAC(), netip.AddrPortFrom(netip.MustParseAddr(c.from), 1024), netip.AddrPortFrom(netip.MustParseAddr(c.to), 7)))
		if got := heard.Value() - before; got != c.want {
			t.Errorf("from %s to %s: %d segments heard, want %d", c.from, c.to, got, c.want)
		}
	}
}

// TestCloseEndsDial closes a stack while it dials: every Dial returns.
func TestCloseEndsDial(t *testing.T) {
	for i := range 50 {
		x, _ := cable.New(cable.Options{})
		s, err := New(x, Options{IPv4: a4, NoProbes: true})
		if err != nil {
			t.Fatal(err)
		}
		var dials sync.WaitGroup
		for range 4 {
			dials.Go(func() {
				for {
					c, err := s.Dial(context.Background(), "tcp", netip.AddrPortFrom(b4.Addr(), 7).String())
					if err == nil {
						c.Close()
						t.Error("somebody answered")
					}
					if errors.Is(err, net.ErrClosed) {
						return
					}
				}
			})
		}
		for range i {
			runtime.Gosched()
		}
		s.Close()
		dials.Wait()
	}
}
