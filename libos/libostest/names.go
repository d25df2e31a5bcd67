package libostest

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
)

// hosts returns B's addresses of a network "ip", "ip4" or "ip6".
func (p Pair) hosts(network string) []netip.Addr {
	var all []netip.Addr
	if p.B4.IsValid() && network != "ip6" {
		all = append(all, p.B4)
	}
	if p.B6.IsValid() && network != "ip4" {
		all = append(all, p.B6)
	}
	return all
}

func testDialByName(t *testing.T, p Pair) {
	if p.Name == "" {
		t.Skip("no names on this network")
	}
	ctx := contextFor(t)
	l, err := p.B.Listen(ctx, "tcp", ":0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer l.Close()
	c, err := p.A.Dial(ctx, "tcp", net.JoinHostPort(p.Name, port(l.Addr())))
	if err != nil {
		t.Fatalf("dial %s: %v", p.Name, err)
	}
	keep(t, c)
	if got := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap(); !slices.Contains(p.hosts("ip"), got) {
		t.Errorf("%s led to %v, want one of %v", p.Name, got, p.hosts("ip"))
	}
}

func testLookup(t *testing.T, p Pair) {
	ctx, r := contextFor(t), p.A.Resolver()
	for _, literal := range []string{"192.0.2.7", "2001:db8::7"} {
		got, err := r.LookupNetIP(ctx, "ip", literal)
		if err != nil || len(got) != 1 || got[0].Unmap() != netip.MustParseAddr(literal) {
			t.Errorf("look up %s: %v, %v, want itself", literal, got, err)
		}
	}
	if p.Name == "" {
		t.Skip("no names on this network")
	}
	for _, network := range []string{"ip", "ip4", "ip6"} {
		want := p.hosts(network)
		got, err := r.LookupNetIP(ctx, network, p.Name)
		if network == "ip" && (err != nil || len(got) == 0) {
			t.Errorf("look up %s of %s: %v, %v, want some of %v", network, p.Name, got, err, want)
		}
		for _, a := range got {
			if !slices.Contains(want, a.Unmap()) {
				t.Errorf("look up %s of %s: %v, want only %v", network, p.Name, a, want)
			}
		}
	}
}

func testUnknownName(t *testing.T, p Pair) {
	if p.Unknown == "" {
		t.Skip("this network's resolver cannot tell that a name does not exist")
	}
	ctx := contextFor(t)
	_, err := p.A.Resolver().LookupNetIP(ctx, "ip", p.Unknown)
	notFound(t, "look up", p.Unknown, err)
	_, err = p.A.Dial(ctx, "tcp", p.Unknown+":80")
	notFound(t, "dial", p.Unknown, err)
}

func notFound(t *testing.T, op, name string, err error) {
	t.Helper()
	if e := (*net.DNSError)(nil); !errors.As(err, &e) || !e.IsNotFound {
		t.Errorf("%s %s: %v, want a *net.DNSError that IsNotFound", op, name, err)
	}
}
