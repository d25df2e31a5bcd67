package stack

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/header"

	"cairn/libos"
	"cairn/net/cable"
)

// TestBounds makes sure that what strangers can have kept fits the memory there is.
func TestBounds(t *testing.T) {
	if got := boundsOf(0); got != plenty {
		t.Errorf("of plenty: got %+v, want %+v", got, plenty)
	}
	for _, memory := range []int64{1 << 20, 5 << 20, 10 << 20, 100 << 20, 1 << 30, math.MaxInt64 >> 10} {
		b := boundsOf(memory)
		if b.mostBuffer < leastBuffer || b.firstBuffer > b.mostBuffer || b.accepted < 16 || b.backlog > backlog || b.timeWait > maxTimeWait || b.orphans > maxOrphans {
			t.Errorf("%d bytes: got %+v", memory, b)
		}
		if memory < 4<<20 {
			continue // a few connections there have to be
		}
		if unread := int64(b.accepted) * int64(b.mostBuffer); unread > memory/4 && memory <= 32<<20 {
			t.Errorf("%d bytes: %d connections hold %d each", memory, b.accepted, b.mostBuffer)
		}
		if closed := int64(b.timeWait) * 8 << 10; closed > memory/4 {
			t.Errorf("%d bytes: %d are taken by connections that are over", memory, closed)
		}
	}
}

// TestFull has more clients than there is memory for: the rest wait their turn.
func TestFull(t *testing.T) {
	x, y := cable.New(cable.Options{})
	a, b := open(t, x, Options{IPv4: a4}), open(t, y, Options{IPv4: b4, Memory: 1 << 20})
	l := listen(t, b, b4.Addr().String()+":7")
	var servers []net.Conn
	for range b.bounds.accepted {
		client, server := accept(t, l, a)
		defer client.Close()
		servers = append(servers, server)
	}
	client, err := a.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted := make(chan error, 1)
	var open atomic.Bool // room for one more
	go func() {
		c, err := l.Accept()
		if err == nil && !open.Load() {
			err = errors.New("accepted beyond what fits")
		}
		if err == nil {
			err = c.Close()
		}
		accepted <- err
	}()
	if !b.full() {
		t.Errorf("there is room for more than %d", len(servers))
	}
	open.Store(true)
	for _, server := range servers {
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-accepted; err != nil {
		t.Error(err)
	}
	if got := b.accepted.Load(); got != 0 {
		t.Errorf("%d connections are counted still, want 0", got)
	}
}

// TestNoFragments makes sure that a machine with little memory keeps no fragments.
func TestNoFragments(t *testing.T) {
	x, y := cable.New(cable.Options{})
	small := open(t, x, Options{IPv4: a4, IPv6: []netip.Prefix{a6}, Memory: 10 << 20})
	large := open(t, y, Options{IPv4: a4, IPv6: []netip.Prefix{b6}, Memory: 100 << 20})
	whole := packet4(x.MAC(), b4.Addr(), a4.Addr(), 1, make([]byte, 8))
	for what, c := range map[string]struct {
		frame []byte
		want  bool
	}{
		"IPv4":               {whole, false},
		"a fragment of IPv4": {fragment4(x.MAC(), 1, 8), true},
		"the last one":       {lastFragment4(x.MAC()), true},
		"a fragment of IPv6": {fragment6(x.MAC(), 1, 8), true},
		"half a frame":       {fragment4(x.MAC(), 1, 8)[:20], false},
	} {
		if got := fragment(c.frame); got != c.want {
			t.Errorf("%s: got %v, want %v", what, got, c.want)
		}
		if got := small.card.accepts(c.frame, libos.FrameHeader{}); got == c.want && len(c.frame) > 20 {
			t.Errorf("%s, little memory: accepted %v", what, got)
		}
		copy(c.frame, y.MAC())
		if got := large.card.accepts(c.frame, libos.FrameHeader{}); !got && len(c.frame) > 20 {
			t.Errorf("%s, much memory: not accepted", what)
		}
	}
}

// TestFamily makes sure that a card takes no packets of IPv6 where there is IPv4 only.
func TestFamily(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		want bool // IPv6
	}{
		"nothing":       {Options{}, true},
		"IPv4":          {Options{IPv4: a4}, false},
		"DHCP":          {Options{DHCP: true}, false},
		"IPv6":          {Options{IPv6: []netip.Prefix{a6}}, true},
		"both":          {Options{IPv4: a4, IPv6: []netip.Prefix{a6}}, true},
		"DHCP and auto": {Options{DHCP: true, SLAAC: true}, true},
	} {
		x, _ := cable.New(cable.Options{})
		s, err := New(x, c.o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got := s.card.accepts(fragment6(x.MAC(), 1, 8), libos.FrameHeader{}); got != c.want {
			t.Errorf("%s: IPv6 is accepted: %v, want %v", name, got, c.want)
		}
		if !s.card.accepts(packet4(x.MAC(), b4.Addr(), a4.Addr(), 1, make([]byte, 8)), libos.FrameHeader{}) {
			t.Errorf("%s: IPv4 is not accepted", name)
		}
	}
}

// lastFragment4 is a fragment behind which there is none.
func lastFragment4(mac net.HardwareAddr) []byte {
	f := fragment4(mac, 1, 8)
	ip := header.IPv4(f[header.EthernetMinimumSize:])
	ip.SetFlagsFragmentOffset(0, 8)
	ip.SetChecksum(0)
	ip.SetChecksum(^ip.CalculateChecksum())
	return f
}
