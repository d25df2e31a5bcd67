package dial_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"cairn/net/dial"
)

var unreachable = os.NewSyscallError("connect", syscall.ENETUNREACH)

func TestRace(t *testing.T) {
	const (
		one4, two4 = "192.0.2.1", "192.0.2.2"
		one6, two6 = "2001:db8::1", "2001:db8::2"
	)
	both := map[string]lookup{"ip6": {addresses: []string{one6, two6}}, "ip4": {addresses: []string{one4, two4}}}
	quick := host{after: 10 * time.Millisecond}
	for _, c := range []struct {
		name   string
		lookup map[string]lookup
		hosts  map[string]host
		tried  []string // "milliseconds address"
		winner string
		took   time.Duration
	}{
		{"IPv6 first", both, map[string]host{one6: quick, one4: quick}, []string{"0 " + one6}, one6, 10 * time.Millisecond},
		{"families take turns", both, map[string]host{two4: quick},
			[]string{"0 " + one6, "250 " + one4, "500 " + two6, "750 " + two4}, two4, 760 * time.Millisecond},
		{"failure begins the next at once", both, map[string]host{one6: {after: time.Millisecond, err: unreachable}, one4: quick},
			[]string{"0 " + one6, "1 " + one4}, one4, 11 * time.Millisecond},
		{"a later failure too, and delay counts anew", both,
			map[string]host{one6: {after: 100 * time.Millisecond, err: unreachable}, two6: quick},
			[]string{"0 " + one6, "100 " + one4, "350 " + two6}, two6, 360 * time.Millisecond},
		{"slow one wins", both, map[string]host{one6: {after: 300 * time.Millisecond}},
			[]string{"0 " + one6, "250 " + one4}, one6, 300 * time.Millisecond},
		{"loser that connects is closed", both,
			map[string]host{one6: {after: 300 * time.Millisecond, stubborn: true}, one4: quick},
			[]string{"0 " + one6, "250 " + one4}, one4, 300 * time.Millisecond},
		{"IPv6 does not wait for IPv4", map[string]lookup{"ip6": both["ip6"], "ip4": {after: time.Hour}}, map[string]host{one6: quick},
			[]string{"0 " + one6}, one6, 10 * time.Millisecond},
		{"IPv4 waits a moment for IPv6", map[string]lookup{"ip6": {after: 30 * time.Millisecond, addresses: []string{one6}}, "ip4": both["ip4"]},
			map[string]host{one6: quick}, []string{"30 " + one6}, one6, 40 * time.Millisecond},
		{"and no longer", map[string]lookup{"ip6": {after: time.Hour}, "ip4": both["ip4"]}, map[string]host{one4: quick},
			[]string{"50 " + one4}, one4, 60 * time.Millisecond},
		{"addresses that come late take their turn",
			map[string]lookup{"ip6": {after: 100 * time.Millisecond, addresses: []string{one6}}, "ip4": both["ip4"]}, map[string]host{two4: quick},
			[]string{"50 " + one4, "300 " + one6, "550 " + two4}, two4, 560 * time.Millisecond},
		{"or begin at once when it is time",
			map[string]lookup{"ip6": {addresses: []string{one6}}, "ip4": {after: time.Second, addresses: []string{one4}}}, map[string]host{one4: quick},
			[]string{"0 " + one6, "1000 " + one4}, one4, 1010 * time.Millisecond},
		{"IPv4 alone", map[string]lookup{"ip4": both["ip4"]}, map[string]host{one4: quick}, []string{"0 " + one4}, one4, 10 * time.Millisecond},
		{"one family's lookup broken", map[string]lookup{"ip6": {err: &net.DNSError{IsTemporary: true}}, "ip4": both["ip4"]},
			map[string]host{one4: quick}, []string{"0 " + one4}, one4, 10 * time.Millisecond},
		{"twice the same", map[string]lookup{"ip4": {addresses: []string{one4, "::ffff:" + one4, two4}}}, map[string]host{two4: quick},
			[]string{"0 " + one4, "250 " + two4}, two4, 260 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wires{script: c.hosts, start: time.Now()}
				d := dial.Dialer{Resolver: names{script: c.lookup}, Connect: w.connect}
				got, err := d.Dial(t.Context(), "tcp", "peer.example:443")
				if err != nil {
					t.Fatal(err)
				}
				if a := got.(*conn).to.Addr().String(); a != c.winner {
					t.Errorf("%s won, want %s", a, c.winner)
				}
				if took := time.Since(w.start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if !slices.Equal(w.tried, c.tried) {
					t.Errorf("tried %q, want %q", w.tried, c.tried)
				}
				if w.open != 1 {
					t.Errorf("%d connections are open, want 1", w.open)
				}
			})
		})
	}
}

func TestLiterals(t *testing.T) {
	for _, c := range []struct{ network, address, want string }{
		{"tcp", "192.0.2.1:80", "192.0.2.1:80"},
		{"tcp6", "[2001:db8::1]:80", "[2001:db8::1]:80"},
		{"udp", "[fe80::1%eth0]:53", "[fe80::1%eth0]:53"},
		{"tcp", "[::ffff:192.0.2.1]:80", "192.0.2.1:80"},
		{"tcp", ":80", "127.0.0.1:80"},
		{"tcp6", ":80", "[::1]:80"},
		{"tcp", "0.0.0.0:80", "127.0.0.1:80"},
		{"tcp", "[::]:80", "[::1]:80"},
	} {
		w := &wires{script: map[string]host{netip.MustParseAddrPort(c.want).Addr().String(): {}}}
		d := dial.Dialer{Connect: w.connect}
		got, err := d.Dial(t.Context(), c.network, c.address)
		if err != nil {
			t.Errorf("%s %s: %v", c.network, c.address, err)
		} else if to := got.(*conn).to.String(); to != c.want {
			t.Errorf("%s %s led to %s, want %s", c.network, c.address, to, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	refused := os.NewSyscallError("connect", syscall.ECONNREFUSED)
	found := map[string]lookup{"ip6": {addresses: []string{"2001:db8::1"}}, "ip4": {addresses: []string{"192.0.2.1"}}}
	hosts := map[string]host{"2001:db8::1": {err: unreachable}, "192.0.2.1": {err: refused}}
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name, network, address string
			lookup                 map[string]lookup
			check                  func(error) bool
		}{
			{"every attempt", "tcp", "x:1", found, func(err error) bool {
				return errors.Is(err, syscall.ECONNREFUSED) && errors.Is(err, syscall.ENETUNREACH)
			}},
			{"one attempt", "tcp4", "x:1", found, func(err error) bool {
				return errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, syscall.ENETUNREACH)
			}},
			{"no name", "tcp", "x:1", nil, func(err error) bool {
				var e *net.DNSError
				return errors.As(err, &e) && e.IsNotFound
			}},
			{"no answer", "tcp", "x:1", map[string]lookup{"ip4": {err: &net.DNSError{IsTemporary: true}}}, func(err error) bool {
				var e *net.DNSError
				return errors.As(err, &e) && !e.IsNotFound && e.IsTemporary
			}},
			{"no addresses", "tcp", "x:1", map[string]lookup{"ip4": {}, "ip6": {}}, func(err error) bool {
				var e *net.DNSError
				return errors.As(err, &e) && e.IsNotFound
			}},
			{"family", "tcp6", "192.0.2.1:80", nil, func(err error) bool { return errors.As(err, new(*net.AddrError)) }},
			{"network", "tcp5", "x:1", nil, func(err error) bool { return errors.As(err, new(net.UnknownNetworkError)) }},
			{"port", "tcp", "x:http", nil, func(err error) bool { return errors.As(err, new(*net.AddrError)) }},
			{"no port", "tcp", "x", nil, func(err error) bool { return errors.As(err, new(*net.AddrError)) }},
		} {
			w := &wires{script: hosts}
			d := dial.Dialer{Resolver: names{script: c.lookup}, Connect: w.connect}
			_, err := d.Dial(t.Context(), c.network, c.address)
			if op := (*net.OpError)(nil); !errors.As(err, &op) || op.Op != "dial" || op.Net != c.network {
				t.Errorf("%s: %v (%T), want a *net.OpError that says dial %s", c.name, err, err, c.network)
			}
			if !c.check(err) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}

func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		found := map[string]lookup{"ip6": {addresses: []string{"2001:db8::1"}}, "ip4": {addresses: []string{"192.0.2.1"}}}
		for _, script := range []map[string]lookup{found, {"ip6": {after: time.Hour}, "ip4": {after: time.Hour}}} {
			w := &wires{start: time.Now()}
			d := dial.Dialer{Resolver: names{script: script}, Connect: w.connect}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			_, err := d.Dial(ctx, "tcp", "peer.example:443")
			cancel()
			if e := net.Error(nil); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || !e.Timeout() {
				t.Errorf("Dial after its deadline: %v", err)
			}
			if took := time.Since(w.start); took != time.Second {
				t.Errorf("Dial took %v, want its second", took)
			}
			if w.cancel != len(w.tried) {
				t.Errorf("%d of %d attempts were cancelled", w.cancel, len(w.tried))
			}
		}
	})
}

// TestManyAddresses: a name that has thousands of addresses leads to few attempts.
func TestManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		many := lookup{}
		for i := range 5000 {
			many.addresses = append(many.addresses, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String())
		}
		w := &wires{start: time.Now()}
		d := dial.Dialer{Resolver: names{script: map[string]lookup{"ip4": many}}, Connect: w.connect}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		if _, err := d.Dial(ctx, "tcp", "peer.example:443"); err == nil {
			t.Error("there is nobody to connect to")
		}
		if got, want := len(w.tried), 16; got != want {
			t.Errorf("%d attempts, want %d", got, want)
		}
	})
}

func ExampleDialer() {
	var connect net.Dialer
	d := dial.Dialer{
		Resolver: names{script: map[string]lookup{"ip4": {addresses: []string{"127.0.0.1"}}}},
		Connect: func(ctx context.Context, network string, a netip.AddrPort) (net.Conn, error) {
			return connect.DialContext(ctx, network, a.String())
		},
	}
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	defer l.Close()

	c, err := d.Dial(context.Background(), "tcp", fmt.Sprintf("peer.example:%d", l.Addr().(*net.TCPAddr).Port))
	fmt.Println(err)
	c.Close()
	// Output: <nil>
}
