package libos_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"cairn/libos"
	"cairn/libos/libostest"
	"cairn/net/host"
)

// open is a Net that takes everything and reaches nothing.
type open struct{}

func (open) Dial(context.Context, string, string) (net.Conn, error)       { return nil, nil }
func (open) Listen(context.Context, string, string) (net.Listener, error) { return nil, nil }
func (open) ListenPacket(context.Context, string, string) (net.PacketConn, error) {
	return nil, nil
}
func (open) Resolver() libos.Resolver { return book{} }

// book is a Resolver that knows one address.
type book struct{ libos.Resolver }

func (book) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
}

// TestLimitedNet: what allows everything is a network like any other.
func TestLimitedNet(t *testing.T) {
	everything := libos.Limits{Listen: []string{"tcp:*", "udp:*"}, Dial: []string{"*"}}
	loopback := netip.MustParseAddr("127.0.0.1")
	libostest.TestNet(t, func(t *testing.T) libostest.Pair {
		n := libos.Limit(host.New(host.Options{}), everything)
		return libostest.Pair{A: n, B: n, A4: loopback, B4: loopback, Name: "localhost"}
	})
}

func TestLimitDial(t *testing.T) {
	for _, c := range []struct {
		pattern string
		allowed []string
		refused []string
	}{
		{"git.example.org:443",
			[]string{"git.example.org:443", "GIT.Example.ORG:443", "git.example.org.:443", "git.example.org:0443"},
			[]string{"git.example.org:80", "example.org:443", "x.git.example.org:443", "192.0.2.1:443", "git.example.org", "git.example.org:https"}},
		{"*.example.org:25",
			[]string{"mx.example.org:25", "a.b.example.org:25"},
			[]string{"example.org:25", ".example.org:25", "evilexample.org:25", "mx.example.org:26", "192.0.2.1:25", ":25"}},
		{"*:25",
			[]string{"mx.example.net:25", "192.0.2.1:25", "[2001:db8::1]:25", ":25"},
			[]string{"mx.example.net:587"}},
		{"*", []string{"x:1", "192.0.2.1:65535", "[fe80::1%eth0]:1", ":80"}, []string{"x"}},
		{"git.example.org:*", []string{"git.example.org:1", "git.example.org:65535"}, []string{"x:1", "git.example.org:65536"}},
		{"192.0.2.1:53",
			[]string{"192.0.2.1:53", "[::ffff:192.0.2.1]:53"},
			[]string{"192.0.2.2:53", "192.0.2.1.:53", "3221225985:53", "localhost:53"}},
		{"[fe80::1]:53", []string{"[fe80::1]:53", "[fe80::1%eth0]:53"}, []string{"[fe80::2%eth0]:53"}},
		{"10.0.0.0/8:443",
			[]string{"10.1.2.3:443", "[::ffff:10.1.2.3]:443"},
			[]string{"11.0.0.1:443", "10.example.org:443", "[2001:db8::1]:443"}},
		{"[2001:db8::/32]:443",
			[]string{"[2001:db8::1]:443", "[2001:db8:ffff::]:443"},
			[]string{"[2001:db9::1]:443", "10.0.0.1:443"}},
		{"0.0.0.0/8:443", []string{"0.1.2.3:443"}, []string{"0.0.0.0:443", ":443", "[::]:443"}}, // which are loopback
		{"127.0.0.1:443", []string{"127.0.0.1:443"}, []string{"0.0.0.0:443", ":443"}},           // which might be [::1] as well
	} {
		n := libos.Limit(open{}, libos.Limits{Dial: []string{c.pattern}})
		for _, address := range c.allowed {
			for _, network := range []string{"tcp", "udp6"} {
				if _, err := n.Dial(t.Context(), network, address); err != nil {
					t.Errorf("%s: dial %s %s: %v", c.pattern, network, address, err)
				}
			}
		}
		for _, address := range c.refused {
			_, err := n.Dial(t.Context(), "tcp", address)
			if op := (*net.OpError)(nil); !errors.As(err, &op) || op.Op != "dial" || op.Addr.String() != address {
				t.Errorf("%s: dial %s: %v, want a *net.OpError", c.pattern, address, err)
			}
		}
	}
}

// TestLimitNetworks: a rule about hosts and ports allows nothing that has neither.
func TestLimitNetworks(t *testing.T) {
	n := libos.Limit(open{}, libos.Limits{Listen: []string{"tcp:*", "udp:*"}, Dial: []string{"*"}})
	for _, network := range []string{"unix", "unixgram", "ip4:25", "tcp46", ""} {
		_, err := n.Dial(t.Context(), network, "/run/x:25")
		if !errors.As(err, new(net.UnknownNetworkError)) {
			t.Errorf("dial %q: %v, want net.UnknownNetworkError", network, err)
		}
		if err := listenBoth(t, n, [2]string{network, "/run/x:25"}); !errors.As(err, new(net.UnknownNetworkError)) {
			t.Errorf("listen %q: %v, want net.UnknownNetworkError", network, err)
		}
	}
}

func TestLimitLoopback(t *testing.T) {
	n := libos.Limit(open{}, libos.Limits{Dial: []string{"127.0.0.0/8:80", "[::1]:80"}})
	for _, address := range []string{":80", "0.0.0.0:80", "[::]:80"} {
		if _, err := n.Dial(t.Context(), "tcp", address); err != nil {
			t.Errorf("dial %s: %v", address, err)
		}
	}
}

func TestLimitListen(t *testing.T) {
	for _, c := range []struct {
		pattern string
		allowed [][2]string
		refused [][2]string
	}{
		{"tcp:443",
			[][2]string{{"tcp", ":443"}, {"tcp4", "127.0.0.1:443"}, {"tcp6", "[::]:443"}},
			[][2]string{{"tcp", ":80"}, {"udp", ":443"}, {"tcp", ":0"}, {"tcp", "443"}, {"unix", ":443"}}},
		{"udp:*", [][2]string{{"udp", ":53"}, {"udp6", ":0"}, {"udp", "127.0.0.1:"}}, [][2]string{{"tcp", ":53"}}},
		{"tcp:0", [][2]string{{"tcp", "127.0.0.1:0"}, {"tcp", ":"}}, [][2]string{{"tcp", ":1"}}},
	} {
		n := libos.Limit(open{}, libos.Limits{Listen: []string{c.pattern}})
		for _, a := range c.allowed {
			if err := listenBoth(t, n, a); err != nil {
				t.Errorf("%s: listen %v: %v", c.pattern, a, err)
			}
		}
		for _, a := range c.refused {
			if op := (*net.OpError)(nil); !errors.As(listenBoth(t, n, a), &op) || op.Op != "listen" {
				t.Errorf("%s: listen %v: want a *net.OpError", c.pattern, a)
			}
		}
	}
}

// listenBoth listens for streams and for datagrams, of which one rule decides.
func listenBoth(t *testing.T, n libos.Net, a [2]string) error {
	_, err := n.Listen(t.Context(), a[0], a[1])
	_, err2 := n.ListenPacket(t.Context(), a[0], a[1])
	if (err == nil) != (err2 == nil) {
		t.Errorf("Listen %v: %v, ListenPacket: %v", a, err, err2)
	}
	return err
}

func TestLimitSaysWhatToAdd(t *testing.T) {
	n := libos.Limit(open{}, libos.Limits{})
	_, dial := n.Dial(t.Context(), "tcp", "git.example.org:443")
	_, dial6 := n.Dial(t.Context(), "tcp", "[2001:db8::1]:443")
	_, listen := n.Listen(t.Context(), "tcp4", "127.0.0.1:80")
	_, lookup := n.Resolver().LookupTXT(t.Context(), "git.example.org")
	for _, c := range []struct {
		err  error
		want libos.RefusedError
	}{
		{dial, libos.RefusedError{Kind: "peer", Want: "git.example.org:443"}},
		{dial6, libos.RefusedError{Kind: "peer", Want: "[2001:db8::1]:443"}},
		{listen, libos.RefusedError{Kind: "port", Want: "tcp:80"}},
		{lookup, libos.RefusedError{Kind: "peer", Want: "git.example.org:*"}},
	} {
		var got *libos.RefusedError
		if !errors.As(c.err, &got) || *got != c.want {
			t.Errorf("%v, want %v", c.err, &c.want)
			continue
		}
		l := libos.Limits{Dial: []string{c.want.Want}}
		if c.want.Kind == "port" {
			l = libos.Limits{Listen: []string{c.want.Want}}
		}
		if err := l.Check(); err != nil {
			t.Errorf("what the error asks for cannot be added: %v", err)
		}
	}
}

func TestLimitResolver(t *testing.T) {
	for _, c := range []struct {
		dial []string
		ok   bool
	}{
		{nil, false},
		{[]string{"192.0.2.1:80", "10.0.0.0/8:*"}, false},
		{[]string{"192.0.2.1:80", "git.example.org:443"}, true},
		{[]string{"*.example.org:443"}, true},
		{[]string{"*:25"}, true},
	} {
		n := libos.Limit(open{}, libos.Limits{Dial: c.dial})
		_, err := n.Resolver().LookupNetIP(t.Context(), "ip", "git.example.org")
		if (err == nil) != c.ok {
			t.Errorf("with %q a lookup gives %v", c.dial, err)
		}
		if e := (*net.DNSError)(nil); err != nil && !errors.As(err, &e) {
			t.Errorf("with %q a lookup gives %T, want *net.DNSError", c.dial, err)
		}
	}
}

func TestLimitsCheck(t *testing.T) {
	for _, pattern := range []string{"", "git.example.org", ":443", "x:99999", "x:http", "*example.org:25", "*.:25", "a.*.org:25",
		"**:1", "10.0.0.0/33:443", "[::ffff:10.0.0.0/104]:443", "[2001:db8::]/32:443", "::1:80"} {
		l := libos.Limits{Dial: []string{pattern}}
		if l.Check() == nil {
			t.Errorf("Dial pattern %q was taken", pattern)
		}
		if _, err := libos.Limit(open{}, l).Dial(t.Context(), "tcp", "git.example.org:443"); err == nil {
			t.Errorf("with the Dial pattern %q a dial passed", pattern)
		}
	}
	for _, pattern := range []string{"", "443", "tcp", "tcp:", "tcp:http", "sctp:1", "tcp4:1", "tcp:1:2"} {
		if (libos.Limits{Listen: []string{pattern}}).Check() == nil {
			t.Errorf("Listen pattern %q was taken", pattern)
		}
	}
}

// FuzzLimit: no way of writing an address leads past a rule about names, nor any name
// past a rule about addresses.
func FuzzLimit(f *testing.F) {
	for _, host := range []string{"git.example.org", "a.example.org.", "192.0.2.1", "::ffff:192.0.2.1", "fe80::1%a.example.org", "0", ""} {
		f.Add(host)
	}
	names := libos.Limit(open{}, libos.Limits{Dial: []string{"*.example.org:443", "git.example.org:443"}})
	addresses := libos.Limit(open{}, libos.Limits{Dial: []string{"0.0.0.0/0:443", "[::/0]:443"}})
	f.Fuzz(func(t *testing.T, host string) {
		if written, _, err := net.SplitHostPort(net.JoinHostPort(host, "443")); err != nil || written != host {
			return // another host
		}
		_, err := netip.ParseAddr(host)
		isAddress := err == nil || host == ""
		if _, err := names.Dial(t.Context(), "tcp", net.JoinHostPort(host, "443")); err == nil && isAddress {
			t.Errorf("the address %q passed as a name", host)
		}
		if _, err := addresses.Dial(t.Context(), "tcp", net.JoinHostPort(host, "443")); err == nil && !isAddress {
			t.Errorf("the name %q passed as an address", host)
		}
	})
}

func ExampleLimit() {
	n := libos.Limit(open{}, libos.Limits{
		Listen: []string{"tcp:443"},
		Dial:   []string{"git.example.org:443", "*.example.org:25"},
	})
	_, err := n.Dial(context.Background(), "tcp", "tracker.example.net:443")
	fmt.Println(err)
	// Output: dial tcp tracker.example.net:443: not in the manifest: it would have to name the peer "tracker.example.net:443"
}
