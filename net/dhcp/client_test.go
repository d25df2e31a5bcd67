package dhcp

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

var (
	mac        = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	serverAddr = netip.MustParseAddr("192.0.2.1")
	leasedAddr = netip.MustParseAddr("192.0.2.7")
)

// A server answers as a test says, and writes down what happens.
type server struct {
	t        *testing.T
	began    time.Time
	messages chan []byte
	mute     atomic.Bool // it is away
	refuse   atomic.Bool // it answers requests with NAK
	taken    atomic.Bool // somebody has the address
	lose     int         // how many messages it does not get
	lease    time.Duration
	events   []string
}

func newServer(t *testing.T) *server {
	return &server{t: t, began: time.Now(), messages: make(chan []byte, 8), lease: time.Hour}
}

func (s *server) note(format string, args ...any) {
	s.events = append(s.events, fmt.Sprintf("%v ", time.Since(s.began).Round(10*time.Second))+fmt.Sprintf(format, args...))
}

// run runs a client for so long.
func (s *server) run(how time.Duration) {
	ctx, cancel := context.WithTimeout(s.t.Context(), how)
	defer cancel()
	c := Client{MAC: mac, Hostname: "station", Send: s.send, Messages: s.messages, Apply: s.apply, Random: rand.NewChaCha8([32]byte{})}
	c.Taken = func(context.Context, netip.Addr) bool { return s.taken.Load() }
	c.Run(ctx)
}

func (s *server) apply(l Lease) {
	if l.Addr.IsValid() {
		s.note("apply %v", l.Addr)
	} else {
		s.note("apply none")
	}
}

// send is the client's.
func (s *server) send(from, to netip.Addr, b []byte) error {
	m, err := dhcpv4.FromBytes(b)
	if err != nil {
		s.t.Errorf("a message that cannot be read: %v", err)
		return nil
	}
	s.note("%v %v>%v", m.MessageType(), from, to)
	if s.lose > 0 {
		s.lose--
		return nil
	}
	if !s.mute.Load() {
		s.answer(m)
	}
	return nil
}

func (s *server) answer(m *dhcpv4.DHCPv4) {
	kind := dhcpv4.MessageTypeOffer
	switch {
	case m.MessageType() == dhcpv4.MessageTypeRequest && s.refuse.Load():
		kind = dhcpv4.MessageTypeNak
	case m.MessageType() == dhcpv4.MessageTypeRequest:
		kind = dhcpv4.MessageTypeAck
	case m.MessageType() != dhcpv4.MessageTypeDiscover:
		return
	}
	s.messages <- s.reply(m, kind).ToBytes()
}

func (s *server) reply(m *dhcpv4.DHCPv4, kind dhcpv4.MessageType) *dhcpv4.DHCPv4 {
	r, err := dhcpv4.NewReplyFromRequest(m,
		dhcpv4.WithMessageType(kind),
		dhcpv4.WithYourIP(leasedAddr.AsSlice()),
		dhcpv4.WithServerIP(serverAddr.AsSlice()),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithRouter(serverAddr.AsSlice()),
		dhcpv4.WithDNS(serverAddr.AsSlice()),
		dhcpv4.WithLeaseTime(uint32(s.lease.Seconds())),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(serverAddr.AsSlice())))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *server) want(want ...string) {
	s.t.Helper()
	if !slices.Equal(s.events, want) {
		s.t.Errorf("got\n%q\nwant\n%q", s.events, want)
	}
}

func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.run(70 * time.Minute)
		s.want(
			"0s DISCOVER 0.0.0.0>255.255.255.255",
			"0s REQUEST 0.0.0.0>255.255.255.255",
			"0s apply 192.0.2.7/24",
			"30m0s REQUEST 192.0.2.7>192.0.2.1",
			"30m0s apply 192.0.2.7/24",
			"1h0m0s REQUEST 192.0.2.7>192.0.2.1",
			"1h0m0s apply 192.0.2.7/24",
			"1h10m0s RELEASE 192.0.2.7>192.0.2.1",
			"1h10m0s apply none",
		)
	})
}

// TestRebind has the server go away: it is asked at T1, everybody at T2, and when the lease is
// over the address is dropped and asked for from the start.
func TestRebind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		time.AfterFunc(time.Minute, func() { s.mute.Store(true) })
		s.run(60*time.Minute + 2*time.Second)
		s.want(
			"0s DISCOVER 0.0.0.0>255.255.255.255",
			"0s REQUEST 0.0.0.0>255.255.255.255",
			"0s apply 192.0.2.7/24",
			"30m0s REQUEST 192.0.2.7>192.0.2.1",
			"41m20s REQUEST 192.0.2.7>192.0.2.1",
			"46m50s REQUEST 192.0.2.7>192.0.2.1",
			"49m40s REQUEST 192.0.2.7>192.0.2.1",
			"51m10s REQUEST 192.0.2.7>192.0.2.1",
			"52m10s REQUEST 192.0.2.7>192.0.2.1",
			"52m30s REQUEST 192.0.2.7>255.255.255.255",
			"56m20s REQUEST 192.0.2.7>255.255.255.255",
			"58m10s REQUEST 192.0.2.7>255.255.255.255",
			"59m10s REQUEST 192.0.2.7>255.255.255.255",
			"1h0m0s apply none",
			"1h0m0s DISCOVER 0.0.0.0>255.255.255.255",
		)
	})
}

func TestRefusedWhileRenewing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		time.AfterFunc(time.Minute, func() { s.refuse.Store(true) })
		time.AfterFunc(30*time.Minute+time.Nanosecond, func() { s.refuse.Store(false) })
		s.run(31 * time.Minute)
		got := s.events[3:5]
		want := []string{"30m0s REQUEST 192.0.2.7>192.0.2.1", "30m0s apply none"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if last := s.events[len(s.events)-1]; last != "31m0s apply none" || !slices.Contains(s.events[5:], "30m0s apply 192.0.2.7/24") {
			t.Errorf("no new lease: %q", s.events)
		}
	})
}

func TestSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.lose = 3
		s.run(5 * time.Minute)
		count := 0
		for _, e := range s.events {
			if strings.Contains(e, "DISCOVER") {
				count++
			}
		}
		if count != 4 {
			t.Errorf("got %d DISCOVERs, want 4: %q", count, s.events)
		}
		if !slices.Contains(s.events, "30s apply 192.0.2.7/24") { // 4 s, 8 s and 16 s, a second more or less each
			t.Errorf("no lease after 30 s: %q", s.events)
		}
	})
}

func TestTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.taken.Store(true)
		time.AfterFunc(time.Second, func() { s.taken.Store(false) })
		s.run(15 * time.Second)
		s.want(
			"0s DISCOVER 0.0.0.0>255.255.255.255",
			"0s REQUEST 0.0.0.0>255.255.255.255",
			"0s DECLINE 0.0.0.0>255.255.255.255",
			"10s DISCOVER 0.0.0.0>255.255.255.255",
			"10s REQUEST 0.0.0.0>255.255.255.255",
			"10s apply 192.0.2.7/24",
			"20s RELEASE 192.0.2.7>192.0.2.1",
			"20s apply none",
		)
	})
}

func TestForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.lease = (1<<32 - 1) * time.Second
		s.run(365 * 24 * time.Hour)
		if got, want := len(s.events), 5; got != want {
			t.Errorf("got %d events, want %d: %q", got, want, s.events)
		}
	})
}

// TestStrangers has answers come that are none: each would give another address.
func TestStrangers(t *testing.T) {
	s := newServer(t)
	m := (&Client{MAC: mac, Random: rand.NewChaCha8([32]byte{})}).message(dhcpv4.MessageTypeRequest)
	m.UpdateOption(dhcpv4.OptServerIdentifier(serverAddr.AsSlice()))
	if answer(m, s.reply(m, dhcpv4.MessageTypeAck).ToBytes(), time.Now()) == nil {
		t.Fatal("the server's own answer is not taken")
	}
	for name, spoil := range map[string]func(*dhcpv4.DHCPv4){
		"another transaction": func(r *dhcpv4.DHCPv4) { r.TransactionID[0]++ },
		"another card":        func(r *dhcpv4.DHCPv4) { r.ClientHWAddr = net.HardwareAddr{2, 0, 0, 0, 0, 9} },
		"a request":           func(r *dhcpv4.DHCPv4) { r.OpCode = dhcpv4.OpcodeBootRequest },
		"another server":      func(r *dhcpv4.DHCPv4) { r.UpdateOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 0, 2, 66))) },
	} {
		r := s.reply(m, dhcpv4.MessageTypeAck)
		spoil(r)
		if answer(m, r.ToBytes(), time.Now()) != nil {
			t.Errorf("%s: taken, want it to be ignored", name)
		}
	}
}

func TestLease(t *testing.T) {
	s := newServer(t)
	m := (&Client{MAC: mac, Random: rand.NewChaCha8([32]byte{})}).message(dhcpv4.MessageTypeRequest)
	r := s.reply(m, dhcpv4.MessageTypeAck)
	r.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionInterfaceMTU, []byte{0x05, 0x78}))
	r.UpdateOption(dhcpv4.OptClasslessStaticRoute(
		&dhcpv4.Route{Dest: &net.IPNet{IP: net.IPv4(198, 51, 100, 0), Mask: net.CIDRMask(24, 32)}, Router: net.IPv4(192, 0, 2, 3)},
		&dhcpv4.Route{Dest: &net.IPNet{IP: net.IPv4(203, 0, 113, 0), Mask: net.CIDRMask(24, 32)}, Router: net.IPv4zero}))
	got := answer(m, r.ToBytes(), time.Now()).lease
	want := Lease{
		Addr: netip.PrefixFrom(leasedAddr, 24), Server: serverAddr, DNS: []netip.Addr{serverAddr}, MTU: 1400,
		Routes: []Route{{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParseAddr("192.0.2.3")}, {To: netip.MustParsePrefix("203.0.113.0/24")}},
		Renew:  30 * time.Minute, Rebind: 52*time.Minute + 30*time.Second, Expire: time.Hour,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// FuzzAnswer has a hostile server answer: what is taken makes sense.
func FuzzAnswer(f *testing.F) {
	m := (&Client{MAC: mac, Random: rand.NewChaCha8([32]byte{})}).message(dhcpv4.MessageTypeDiscover)
	s := &server{lease: time.Hour}
	for _, kind := range []dhcpv4.MessageType{dhcpv4.MessageTypeOffer, dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak} {
		f.Add(s.reply(m, kind).ToBytes())
	}
	routes := s.reply(m, dhcpv4.MessageTypeAck)
	routes.UpdateOption(dhcpv4.OptGeneric(dhcpv4.OptionClasslessStaticRoute, []byte{24, 198, 51, 100, 192, 0, 2, 3, 33}))
	f.Add(routes.ToBytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		r := answer(m, b, time.Now())
		if r == nil || !r.lease.valid() {
			return
		}
		l := r.lease
		if !l.Addr.IsValid() || len(l.Routes) > maxListed || len(l.DNS) > maxListed || l.MTU != 0 && l.MTU < leastMTU {
			t.Errorf("taken: %+v", l)
		}
		if l.Expire != Forever && (l.Renew <= 0 || l.Renew > l.Rebind || l.Rebind >= l.Expire) {
			t.Errorf("times: %v, %v, %v", l.Renew, l.Rebind, l.Expire)
		}
		for _, route := range l.Routes {
			if !route.To.IsValid() {
				t.Errorf("route: %+v", route)
			}
		}
	})
}
