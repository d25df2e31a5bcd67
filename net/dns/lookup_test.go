package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"

	"cairn/libos"
	"cairn/libos/libostest"
	"cairn/net/dns"
	"cairn/net/host"
)

// zone is what the servers of the tests know.
const zone = `
$TTL 300
www.example.        IN A     192.0.2.1
www.example.        IN A     192.0.2.2
www.example.        IN AAAA  2001:db8::1
four.example.       IN A     192.0.2.4
six.example.        IN AAAA  2001:db8::6
alias.example.      IN CNAME hop.example.
hop.example.        IN CNAME www.example.
loose.example.      IN CNAME nowhere.example.
example.            IN MX    20 mx2.example.
example.            IN MX    10 mx1.example.
null.example.       IN MX    0 .
example.            IN TXT   "v=spf1 " "-all"
example.            IN TXT   "a \"quote\" and a \\ and \233"
_imaps._tcp.example. IN SRV  10 0 993 imap.example.
_imaps._tcp.example. IN SRV  5 0 993 first.example.
1.2.0.192.in-addr.arpa. IN PTR www.example.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR www.example.
empty.example.      IN HINFO "PDP-11" "UNIX"
example.            IN CAA   0 issue "letsencrypt.org"
_25._tcp.example.   IN TLSA  3 1 1 ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789
`

// ask returns a resolver for one server, over the host's network.
func ask(server netip.AddrPort) *dns.Resolver {
	var d net.Dialer
	return dns.New(dns.Options{
		Servers: func() []netip.AddrPort { return []netip.AddrPort{server} },
		Dial: func(ctx context.Context, network string, server netip.AddrPort) (net.Conn, error) {
			return d.DialContext(ctx, network, server.String())
		},
	})
}

// system returns the standard library's resolver for the same.
func system(server netip.AddrPort) *net.Resolver {
	var d net.Dialer
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, server.String())
	}}
}

func TestLookups(t *testing.T) {
	server := libostest.ServeDNS(t, host.New(host.Options{}), "127.0.0.1:0", zone)
	t.Run("Ours", func(t *testing.T) { testLookups(t, ask(server)) })
	if got, err := ask(server).LookupCNAME(t.Context(), "alias.example"); err != nil || got != "www.example." {
		t.Errorf("CNAME behind two aliases: %q, %v, want www.example.", got, err)
	}
	t.Run("StandardLibrary", func(t *testing.T) { testLookups(t, system(server)) })
}

// testLookups asks a resolver all there is in zone.
func testLookups(t *testing.T, r libos.Resolver) {
	ctx := t.Context()
	for _, c := range []struct {
		network, host string
		want          []string
	}{
		{"ip", "www.example", []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}},
		{"ip4", "WWW.Example.", []string{"192.0.2.1", "192.0.2.2"}},
		{"ip6", "www.example", []string{"2001:db8::1"}},
		{"ip", "four.example", []string{"192.0.2.4"}},
		{"ip", "six.example", []string{"2001:db8::6"}},
		{"ip", "alias.example", []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}},
		{"ip", "192.0.2.9", []string{"192.0.2.9"}},
		{"ip", "fe80::1%eth0", []string{"fe80::1"}},
		{"ip", "localhost", []string{"127.0.0.1", "::1"}},
		{"ip4", "localhost", []string{"127.0.0.1"}},
	} {
		got, err := r.LookupNetIP(ctx, c.network, c.host)
		if _, std := r.(*net.Resolver); std && c.host == "localhost" {
			continue // is whatever the hosts file says
		}
		if err != nil || !slices.Equal(texts(got), c.want) {
			t.Errorf("%s %s: %v, %v, want %v", c.network, c.host, got, err, c.want)
		}
	}
	for host, want := range map[string]string{"hop.example": "www.example.", "www.example": "www.example.", "four.example.": "four.example."} {
		if got, err := r.LookupCNAME(ctx, host); err != nil || got != want {
			t.Errorf("CNAME of %s: %q, %v, want %q", host, got, err, want)
		}
	}
	mx, err := r.LookupMX(ctx, "example")
	if err != nil || len(mx) != 2 || *mx[0] != (net.MX{Host: "mx1.example.", Pref: 10}) || *mx[1] != (net.MX{Host: "mx2.example.", Pref: 20}) {
		t.Errorf("MX: %v, %v", mx, err)
	}
	if mx, err := r.LookupMX(ctx, "null.example"); err != nil || len(mx) != 1 || mx[0].Host != "." {
		t.Errorf("null MX (RFC 7505): %v, %v", mx, err)
	}
	txt, err := r.LookupTXT(ctx, "example")
	if want := []string{"a \"quote\" and a \\ and \xe9", "v=spf1 -all"}; err != nil || !slices.Equal(sorted(txt), want) {
		t.Errorf("TXT: %q, %v, want %q", txt, err, want)
	}
	name, srv, err := r.LookupSRV(ctx, "imaps", "tcp", "example")
	if err != nil || name != "_imaps._tcp.example." || len(srv) != 2 ||
		*srv[0] != (net.SRV{Target: "first.example.", Port: 993, Priority: 5}) || *srv[1] != (net.SRV{Target: "imap.example.", Port: 993, Priority: 10}) {
		t.Errorf("SRV: %s %v, %v", name, srv, err)
	}
	for _, addr := range []string{"192.0.2.1", "2001:db8::1"} {
		if got, err := r.LookupAddr(ctx, addr); err != nil || !slices.Equal(got, []string{"www.example."}) {
			t.Errorf("names of %s: %v, %v", addr, got, err)
		}
	}
	testNotFound(t, r)
}

func testNotFound(t *testing.T, r libos.Resolver) {
	ctx := t.Context()
	for _, host := range []string{"nowhere.example", "empty.example", "loose.example", "nothing.invalid", "x..y", "192.0.2", "a b.example", ""} {
		_, err := r.LookupNetIP(ctx, "ip", host)
		missing(t, "addresses of", host, err)
		_, err = r.LookupMX(ctx, host)
		missing(t, "MX of", host, err)
	}
	_, err := r.LookupNetIP(ctx, "ip6", "four.example")
	missing(t, "ip6 of", "four.example", err)
	_, _, err = r.LookupSRV(ctx, "imap", "tcp", "example")
	missing(t, "imap of", "_imap._tcp.example", err)
	_, err = r.LookupAddr(ctx, "192.0.2.200")
	if e := (*net.DNSError)(nil); !errors.As(err, &e) || !e.IsNotFound {
		t.Errorf("names of 192.0.2.200: %v, want a *net.DNSError that IsNotFound", err)
	}
}

func missing(t *testing.T, what, name string, err error) {
	t.Helper()
	if e := (*net.DNSError)(nil); !errors.As(err, &e) || !e.IsNotFound || e.Name != name {
		t.Errorf("%s %q: %v, want a *net.DNSError of that name that IsNotFound", what, name, err)
	}
}

func texts(all []netip.Addr) []string {
	var s []string
	for _, a := range all {
		s = append(s, a.Unmap().WithZone("").String()) // of which the standard library knows less
	}
	return sorted(s)
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

func ExampleResolver() {
	server := netip.MustParseAddrPort("192.0.2.53:53")
	var d net.Dialer
	r := dns.New(dns.Options{
		Servers: func() []netip.AddrPort { return []netip.AddrPort{server} },
		Dial: func(ctx context.Context, network string, server netip.AddrPort) (net.Conn, error) {
			return d.DialContext(ctx, network, server.String())
		},
	})
	fmt.Println(r.LookupNetIP(context.Background(), "ip4", "site.localhost"))
	// Output: [127.0.0.1] <nil>
}
