package dns_test

import (
	"slices"
	"testing"

	"cairn/libos/libostest"
	"cairn/net/host"
)

func TestLookupRecords(t *testing.T) {
	r := ask(libostest.ServeDNS(t, host.New(host.Options{}), "127.0.0.1:0", zone))
	for _, c := range []struct {
		name, kind string
		want       []string
	}{
		{"example", "MX", []string{"10 mx1.example", "20 mx2.example"}},
		{"example", "CAA", []string{`0 issue "letsencrypt.org"`}},
		{"_25._tcp.example", "TLSA", []string{"3 1 1 abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"}},
		{"_imaps._tcp.example", "SRV", []string{"10 0 993 imap.example", "5 0 993 first.example"}},
		{"alias.example", "CNAME", []string{"hop.example"}},
		{"alias.example", "A", []string{"192.0.2.1", "192.0.2.2"}},
		{"1.2.0.192.in-addr.arpa", "PTR", []string{"www.example"}},
		{"www.example", "MX", nil},
		{"nobody.example", "TXT", nil},
	} {
		if got, err := r.LookupRecords(t.Context(), c.name, c.kind); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s %s: got %q, %v, want %q", c.name, c.kind, got, err, c.want)
		}
	}
	if got, err := r.LookupRecords(t.Context(), "example", "TXT"); err != nil || len(got) != 2 || !slices.Contains(got, "v=spf1 -all") {
		t.Errorf("TXT: got %q, %v", got, err)
	}
	if _, err := r.LookupRecords(t.Context(), "example", "XYZ"); err == nil {
		t.Error("a type that is none was looked up")
	}
}
