package dns_test

import (
	"slices"
	"strings"
	"testing"

	"cairn/net/dns"
)

// TestMalformedNames: what is not a name does not get past the resolver.
func TestMalformedNames(t *testing.T) {
	f := always(0, `example. 60 IN MX 10 a\032b.example.`, `example. 60 IN MX 20 mx.example.`, `example. 60 IN SRV 1 1 1 <script>.example.`,
		`1.2.0.192.in-addr.arpa. 60 IN PTR \000.example.`)
	r := f.resolver(dns.Options{}, one)
	if mx, err := r.LookupMX(t.Context(), "example"); err != nil || len(mx) != 1 || mx[0].Host != "mx.example." {
		t.Errorf("MX: %v, %v, want the one that is a name", mx, err)
	}
	if _, srv, err := r.LookupSRV(t.Context(), "", "", "example"); err == nil {
		t.Errorf("SRV: %v, want an error", srv)
	}
	if names, err := r.LookupAddr(t.Context(), "192.0.2.1"); err == nil {
		t.Errorf("PTR: %q, want an error", names)
	}
}

// TestNames: only what is a name is asked for; everything else does not exist.
func TestNames(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label, label[:61]}, ".")
	for name, ok := range map[string]bool{
		"example": true, "Example.": true, "a-b.example": true, "_dmarc.example": true, "xn--bcher-kva.example": true, "3com.example": true,
		"1.2.0.192.in-addr.arpa": true, label + ".example": true, long: true,
		"": false, "..": false, "a..b": false, ".a": false, "-a.example": false, "a-.example": false, "192.0.2": false, "192.0.2.1.": false,
		"a b": false, "a\032b": false, "a\x00b": false, "bücher.example": false, "a/b": false, "*.example": false, "fe80::1%x.": false,
		label + "a.example": false, long + "a": false,
	} {
		f := always(0)
		_, err := f.resolver(dns.Options{}, one).LookupTXT(t.Context(), name)
		missing(t, "TXT of", name, err)
		if asked := len(f.questions()) > 0; asked != ok {
			t.Errorf("%q was asked for: %v, want %v", name, asked, ok)
		}
	}
}

// TestLocalNames are answered without asking.
func TestLocalNames(t *testing.T) {
	f := always(0, line)
	r := f.resolver(dns.Options{}, one)
	for _, host := range []string{"localhost", "LOCALHOST.", "a.b.localhost"} {
		if got, err := r.LookupNetIP(t.Context(), "ip", host); err != nil || !slices.Equal(texts(got), []string{"127.0.0.1", "::1"}) {
			t.Errorf("%s: %v, %v, want loopback", host, got, err)
		}
	}
	for _, host := range []string{"x.invalid", "x.onion"} {
		_, err := r.LookupNetIP(t.Context(), "ip", host)
		missing(t, "addresses of", host, err)
	}
	if names, err := r.LookupAddr(t.Context(), "127.0.0.1"); err != nil || !slices.Equal(names, []string{"localhost."}) {
		t.Errorf("names of 127.0.0.1: %v, %v", names, err)
	}
	if got := len(f.questions()); got != 0 {
		t.Errorf("%d questions went out", got)
	}
}
