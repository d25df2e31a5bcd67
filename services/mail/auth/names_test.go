package auth

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestReverse(t *testing.T) {
	z := &zone{
		ptr: map[string][]string{
			"192.0.2.1":   {"mail.example.org"},
			"192.0.2.2":   {"liar.example.org"},
			"192.0.2.3":   {"nothing.example.org"},
			"192.0.2.4":   {"liar.example.org", "mail.example.org"},
			"192.0.2.5":   {"bad name.example.org"},
			"192.0.2.6":   {"away.example.org"},
			"2001:db8::1": {"six.example.org"},
		},
		ip: map[string][]string{
			"mail.example.org": {"203.0.113.9", "192.0.2.1", "192.0.2.4"},
			"liar.example.org": {"203.0.113.9"},
			"six.example.org":  {"192.0.2.1", "2001:db8::1"},
		},
		fail: map[string]bool{"192.0.2.9": true, "away.example.org": true},
	}
	for _, c := range []struct{ ip, want string }{
		{"192.0.2.1", "pass mail.example.org"},
		{"192.0.2.2", "fail "},
		{"192.0.2.3", "fail "},
		{"192.0.2.4", "pass mail.example.org"},
		{"192.0.2.5", "fail "},
		{"192.0.2.6", "temperror "},
		{"192.0.2.8", "permerror "},
		{"192.0.2.9", "temperror "},
		{"2001:db8::1", "pass six.example.org"},
		{"::ffff:192.0.2.1", "pass mail.example.org"},
		{"2001:db8::1%eth0", "pass six.example.org"},
	} {
		r := testChecker(z).Reverse(t.Context(), netip.MustParseAddr(c.ip))
		if got := fmt.Sprint(r.Verdict, " ", r.Name); got != c.want {
			t.Errorf("%s: got %s, want %s: %s", c.ip, got, c.want, r.Reason)
		}
	}
	if r := testChecker(z).Reverse(t.Context(), netip.Addr{}); r.Verdict != PermError {
		t.Errorf("no address: got %+v, want permerror", r)
	}
}

func TestReverseIsKnown(t *testing.T) {
	z := &zone{}
	known := IPRev{Verdict: Pass, Name: "mail.example.org"}
	source := testSource
	source.Reverse = &known
	if got := testChecker(z).Check(t.Context(), source, plain).IPRev; got != known {
		t.Errorf("got %+v, want %+v", got, known)
	}
	for _, name := range z.names {
		if name == "192.0.2.1" {
			t.Error("the DNS was asked for the address's names")
		}
	}
}

func TestHelo(t *testing.T) {
	z := &zone{
		txt: map[string][]string{"mail.example.org": {"v=spf1 a -all"}, "other.example.org": {"v=spf1 -all"}},
		ip:  map[string][]string{"mail.example.org": {"192.0.2.1", "2001:db8::1"}, "other.example.org": {"203.0.113.9"}},
	}
	for _, c := range []struct{ ip, helo, want string }{
		{"192.0.2.1", "mail.example.org", "pass true"},
		{"192.0.2.1", "MAIL.example.org.", "pass true"},
		{"2001:db8::1", "mail.example.org", "pass true"},
		{"192.0.2.1", "other.example.org", "fail false"},
		{"192.0.2.1", "nothing.example.org", "none false"},
		{"192.0.2.1", "localhost", "none false"},
		{"192.0.2.1", "", "none false"},
		{"192.0.2.1", "a b.example.org", "none false"},
		{"192.0.2.1", "[192.0.2.1]", "none true"},
		{"192.0.2.1", "[192.0.2.2]", "none false"},
		{"2001:db8::1", "[IPv6:2001:db8::1]", "none true"},
		{"2001:db8::1", "[ipv6:2001:db8:0::1]", "none true"},
		{"192.0.2.1", "192.0.2.1", "none false"},
		{"192.0.2.1", "[", "none false"},
	} {
		source := Source{IP: netip.MustParseAddr(c.ip), Helo: c.helo, MailFrom: "alice@example.org"}
		h := testChecker(z).Check(t.Context(), source, plain).Helo
		if got := fmt.Sprint(h.Verdict, " ", h.Leads); got != c.want {
			t.Errorf("%s from %s: got %s, want %s: %s", c.helo, c.ip, got, c.want, h.Reason)
		}
	}
}

func TestHostname(t *testing.T) {
	for _, c := range []struct {
		in, want string
		ok       bool
	}{
		{"example.org", "example.org", true}, {"EXAMPLE.org.", "example.org", true}, {"_dmarc.example.org", "_dmarc.example.org", true},
		{"bücher.example", "xn--bcher-kva.example", true}, {"BÜCHER.example", "xn--bcher-kva.example", true},
		{"", "", false}, {".", "", false}, {"a..b", "", false}, {".a", "", false}, {"a b", "", false}, {"a\x00b", "", false}, {"a@b", "", false},
		{"\xff.example", "", false}, {"a\u202eb.example", "", false},
	} {
		if got, ok := hostname(c.in); got != c.want || ok != c.ok {
			t.Errorf("%q: got %q, %v, want %q, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}
