package stack

import (
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"cairn/libos"
)

// A hostile link gives the frames that a test makes up.
type hostile struct {
	frames chan []byte
	head   libos.FrameHeader
	taken  chan struct{}
	closed chan struct{}
}

func (l *hostile) MAC() net.HardwareAddr                           { return net.HardwareAddr{2, 0, 0, 0, 0, 1} }
func (l *hostile) MTU() int                                        { return 1500 }
func (l *hostile) Offload() bool                                   { return true }
func (l *hostile) Send(h libos.FrameHeader, parts ...[]byte) error { return nil }
func (l *hostile) Close() error                                    { close(l.closed); return nil }

func (l *hostile) Receive(buf []byte) (int, libos.FrameHeader, error) {
	select {
	case f := <-l.frames:
		return copy(buf, f), l.head, nil
	case l.taken <- struct{}{}: // what came before has been handled
		return 0, libos.FrameHeader{}, nil
	case <-l.closed:
		return 0, libos.FrameHeader{}, net.ErrClosed
	}
}

// FuzzFrames has a hostile peer send frames with made-up headers of the card: to a stack that
// leases, listens and hears routers.
func FuzzFrames(f *testing.F) {
	l := &hostile{frames: make(chan []byte), taken: make(chan struct{}), closed: make(chan struct{})}
	s, err := New(l, Options{DHCP: true, SLAAC: true, IPv6: []netip.Prefix{a6}, NoProbes: true, Random: random(1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	if _, err := s.Listen(f.Context(), "tcp", ":80"); err != nil {
		f.Fatal(err)
	}
	for _, frame := range hostileSeeds() {
		f.Add(frame, uint8(0), uint8(0), uint16(0), uint16(0), uint16(0), uint16(0))
		f.Add(frame, uint8(libos.NeedsChecksum), uint8(libos.SegmentTCP6), uint16(65535), uint16(1), uint16(65535), uint16(65535))
	}
	f.Fuzz(func(t *testing.T, frame []byte, flags, segment uint8, headerLen, segmentLen, start, offset uint16) {
		if len(frame) > libos.MaxFrame {
			return
		}
		l.head = libos.FrameHeader{Flags: flags, Segment: segment, HeaderLen: headerLen, SegmentLen: segmentLen, SumStart: start, SumOffset: offset}
		l.frames <- frame
		<-l.taken
		s.config.mu.Lock()
		defer s.config.mu.Unlock()
		if len(s.config.rdnss) > maxServers || len(s.config.onLink) > 16 || len(s.config.offLink) > 16 || len(s.config.inUse) > 16 {
			t.Errorf("%d servers, %d prefixes, %d routes, %d addresses", len(s.config.rdnss), len(s.config.onLink), len(s.config.offLink), len(s.config.inUse))
		}
	})
}

// ethernet returns a frame for the hostile link's stack.
func ethernet(protocol uint16, payload []byte) []byte {
	b := append([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9}, byte(protocol>>8), byte(protocol))
	return append(b, payload...)
}

func hostileSeeds() [][]byte {
	dhcp := datagram(b4.Addr(), everybody, make([]byte, 300))
	binary.BigEndian.PutUint16(dhcp[20:], serverPort)
	binary.BigEndian.PutUint16(dhcp[22:], clientPort)
	lying := append([]byte(nil), dhcp...)
	binary.BigEndian.PutUint16(lying[24:], 65535)
	return [][]byte{
		nil,
		{2, 0, 0, 0, 0, 1},
		ethernet(0x0800, nil),
		ethernet(0x0800, dhcp),
		ethernet(0x0800, lying),
		ethernet(0x0800, dhcp[:24]),
		ethernet(0x0806, make([]byte, 28)),
		ethernet(0x86dd, advertisement(netip.MustParseAddr("fe80::9"), 1800, rdnss(60, netip.MustParseAddr("2001:db8::53")))),
	}
}

// advertisement returns an IPv6 packet with a router's advertisement (RFC 4861 §4.2).
func advertisement(router netip.Addr, lifetime uint16, options ...[]byte) []byte {
	icmp := []byte{134, 0, 0, 0, 64, 0, byte(lifetime >> 8), byte(lifetime), 0, 0, 0, 0, 0, 0, 0, 0}
	for _, o := range options {
		icmp = append(icmp, o...)
	}
	to := netip.MustParseAddr("ff02::1")
	ip := make(header.IPv6, header.IPv6MinimumSize)
	ip.Encode(&header.IPv6Fields{PayloadLength: uint16(len(icmp)), TransportProtocol: header.ICMPv6ProtocolNumber, HopLimit: 255, SrcAddr: toAddress(router), DstAddr: toAddress(to)})
	header.ICMPv6(icmp).SetChecksum(header.ICMPv6Checksum(header.ICMPv6ChecksumParams{Header: icmp, Src: toAddress(router), Dst: toAddress(to)}))
	return append(ip, icmp...)
}

// rdnss returns an option with name servers (RFC 8106 §5.1).
func rdnss(seconds uint32, servers ...netip.Addr) []byte {
	b := binary.BigEndian.AppendUint32([]byte{25, byte(1 + 2*len(servers)), 0, 0}, seconds)
	for _, s := range servers {
		b = append(b, s.AsSlice()...)
	}
	return b
}

// prefixInformation returns an option with a prefix to make addresses of (RFC 4861 §4.6.2).
func prefixInformation(p netip.Prefix, seconds uint32) []byte {
	b := []byte{3, 4, byte(p.Bits()), 0xc0}
	b = binary.BigEndian.AppendUint32(b, seconds)
	b = binary.BigEndian.AppendUint32(b, seconds)
	return append(append(b, 0, 0, 0, 0), p.Addr().AsSlice()...)
}

// TestAnnounced has a router come and go: address, route and name server do too.
func TestAnnounced(t *testing.T) {
	l := &hostile{frames: make(chan []byte), taken: make(chan struct{}), closed: make(chan struct{})}
	l.head.Flags = libos.DataValid
	s, err := New(l, Options{SLAAC: true, NoProbes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	router, server := netip.MustParseAddr("fe80::9"), netip.MustParseAddr("2001:db8::53")
	prefix := netip.MustParsePrefix("2001:db8:7::/64")
	say := func(b []byte) {
		l.frames <- ethernet(0x86dd, b)
		<-l.taken
	}
	say(advertisement(router, 1800, prefixInformation(prefix, 7200), rdnss(600, server)))
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Addrs(); len(got) != 1 || !prefix.Contains(got[0]) {
		t.Errorf("addresses %v, want one of %v", got, prefix)
	}
	if got, want := s.Servers(), netip.AddrPortFrom(server, 53); len(got) != 1 || got[0] != want {
		t.Errorf("name servers %v, want %v", got, want)
	}
	awaitRoutes(t, s, 1)
	say(advertisement(router, 0, rdnss(0, server)))
	if got := s.Servers(); len(got) != 0 {
		t.Errorf("name servers %v, want none", got)
	}
	awaitRoutes(t, s, 0)
	many := make([]netip.Addr, 40)
	for i := range many {
		many[i] = netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i + 1)})
	}
	say(advertisement(router, 0, rdnss(600, many...)))
	if got := len(s.Servers()); got > maxServers {
		t.Errorf("%d name servers, want at most %d", got, maxServers)
	}
}

// awaitRoutes waits for so many default routes: they are made a moment later.
func awaitRoutes(t *testing.T, s *Stack, want int) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for defaultRoutes(s) != want {
		if time.Now().After(deadline) {
			t.Fatalf("%d default routes, want %d", defaultRoutes(s), want)
		}
		runtime.Gosched()
	}
}

func defaultRoutes(s *Stack) (n int) {
	for _, r := range s.net.GetRouteTable() {
		if r.Destination.Prefix() == 0 {
			n++
		}
	}
	return n
}
