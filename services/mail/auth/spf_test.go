package auth

import (
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// appendixZone is the one of RFC 7208, appendix A.
func appendixZone() *zone {
	return &zone{
		txt: map[string][]string{},
		mx:  map[string][]string{"example.com": {"mail-a.example.com", "mail-b.example.com"}, "example.org": {"mail-c.example.org"}},
		ip: map[string][]string{
			"example.com":        {"192.0.2.10", "192.0.2.11"},
			"amy.example.com":    {"192.0.2.65"},
			"bob.example.com":    {"192.0.2.66"},
			"mail-a.example.com": {"192.0.2.129"},
			"mail-b.example.com": {"192.0.2.130"},
			"mail-c.example.org": {"192.0.2.140"},

			"mary.mobile-users._spf.example.com":               {"127.0.0.2"},
			"15.15.168.192.joel.remote-users._spf.example.com": {"127.0.0.2"},
		},
		ptr: map[string][]string{
			"192.0.2.10": {"example.com"}, "192.0.2.11": {"example.com"},
			"192.0.2.65": {"amy.example.com"}, "192.0.2.66": {"bob.example.com"},
			"192.0.2.129": {"mail-a.example.com"}, "192.0.2.130": {"mail-b.example.com"},
			"192.0.2.140": {"mail-c.example.org"}, "10.0.0.4": {"bob.example.com"},
		},
	}
}

// spfCases have the records of names, and of addresses what they get. The sender is
// that before the addresses, else alice@example.com.
var spfCases = []struct {
	name, records, want string
}{
	// RFC 7208 appendix A.1
	{"all", "example.com v=spf1 +all", "192.0.2.10 pass; 203.0.113.1 pass"},
	{"a", "example.com v=spf1 a -all", "192.0.2.10 pass; 192.0.2.11 pass; 192.0.2.65 fail"},
	{"a of another", "example.com v=spf1 a:example.org -all", "192.0.2.10 fail; 192.0.2.140 fail"},
	{"mx", "example.com v=spf1 mx -all", "192.0.2.129 pass; 192.0.2.130 pass; 192.0.2.10 fail"},
	{"mx of another", "example.com v=spf1 mx:example.org -all", "192.0.2.140 pass; 192.0.2.129 fail"},
	{"mx of both", "example.com v=spf1 mx mx:example.org -all", "192.0.2.129 pass; 192.0.2.130 pass; 192.0.2.140 pass; 192.0.2.65 fail"},
	{"mx around", "example.com v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.131 pass; 192.0.2.143 pass; 192.0.2.144 fail"},
	{"ptr", "example.com v=spf1 ptr -all", "192.0.2.65 pass; 192.0.2.140 fail; 10.0.0.4 fail"},
	{"ip4", "example.com v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.65 fail; 192.0.2.129 pass"},
	// A.2
	{"include", "example.org v=spf1 include:example.com include:example.net -all\nexample.com v=spf1 a -all\nexample.net v=spf1 ip4:198.51.100.0/24 -all\nla.example.org v=spf1 redirect=example.org",
		"alice@example.org 192.0.2.10 pass; alice@example.org 198.51.100.7 pass; alice@example.org 203.0.113.1 fail; alice@la.example.org 192.0.2.10 pass; alice@la.example.org 203.0.113.1 fail"},
	// A.3
	{"exists", "example.com v=spf1 mx include:mobile-users._spf.%{d} include:remote-users._spf.%{d} -all\n" +
		"mobile-users._spf.example.com v=spf1 exists:%{l1r+}.%{d}\nremote-users._spf.example.com v=spf1 exists:%{ir}.%{l1r+}.%{d}",
		"mary@example.com 203.0.113.1 pass; mary+x@example.com 203.0.113.1 pass; joel@example.com 192.168.15.15 pass; joel@example.com 203.0.113.1 fail; alice@example.com 192.0.2.129 pass"},
	// A.4
	{"several conditions", "example.com v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all\nip4._spf.example.com v=spf1 -ip4:192.0.2.0/24 +all\nptr._spf.example.com v=spf1 -ptr:example.com +all",
		"192.0.2.10 pass; 192.0.2.140 fail; 203.0.113.1 fail"},
	// The rest of the verdicts (§2.6), and limits (§4.6.4)
	{"nothing", "example.org v=spf1 -all", "192.0.2.10 none"},
	{"another text", "example.com v=spf10 -all", "192.0.2.10 none"},
	{"soft", "example.com v=spf1 ~all", "192.0.2.10 softfail"},
	{"neutral", "example.com v=spf1 ?all", "192.0.2.10 neutral"},
	{"no answer", "example.com v=spf1", "192.0.2.10 neutral"},
	{"two records", "example.com v=spf1 -all\nexample.com v=spf1 +all", "192.0.2.10 permerror"},
	{"unknown mechanism", "example.com v=spf1 foo:bar -all", "192.0.2.10 permerror"},
	{"unknown modifier", "example.com v=spf1 foo=bar -all", "192.0.2.10 fail"},
	{"to itself", "example.com v=spf1 include:example.com -all", "192.0.2.10 permerror"},
	{"redirect to itself", "example.com v=spf1 redirect=example.com", "192.0.2.10 permerror"},
	{"redirect to nothing", "example.com v=spf1 redirect=nothing.example.com", "192.0.2.10 permerror"},
	{"three of nothing", "example.com v=spf1 a:x.example.com a:y.example.com a:z.example.com +all", "192.0.2.10 permerror"},
	{"two of nothing", "example.com v=spf1 a:x.example.com a:y.example.com +all", "192.0.2.10 pass"},
	{"eleven questions", "example.com v=spf1" + strings.Repeat(" a:bob.example.com", 11) + " +all", "192.0.2.10 permerror"},
	{"ten questions", "example.com v=spf1" + strings.Repeat(" a:bob.example.com", 10) + " +all", "192.0.2.10 pass"},
	{"IPv6", "example.com v=spf1 ip6:2001:db8::/32 -all", "2001:db8::1 pass; 2001:db9::1 fail; 192.0.2.10 fail"},
	{"no domain", "example.com v=spf1 -all", "alice@localhost 192.0.2.10 none; alice@a..b 192.0.2.10 none"},
}

func (z *zone) put(records string) {
	for line := range strings.Lines(records) {
		name, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		z.txt[name] = append(z.txt[name], text)
	}
}

func TestSPF(t *testing.T) {
	for _, c := range spfCases {
		z := appendixZone()
		z.put(c.records)
		eachSPF(c.want, func(ip, sender, want string) {
			from := Source{IP: netip.MustParseAddr(ip), Helo: "mail.example.com", MailFrom: sender}
			r := testChecker(z).Check(t.Context(), from, plain)
			if got := string(r.SPF.Verdict); got != want {
				t.Errorf("%s, %s from %s: got %s (%s), want %s", c.name, sender, ip, got, r.SPF.Reason, want)
			}
		})
	}
}

func eachSPF(want string, f func(ip, sender, want string)) {
	for one := range strings.SplitSeq(want, "; ") {
		w := strings.Fields(one)
		if len(w) == 2 {
			w = append([]string{"alice@example.com"}, w...)
		}
		f(w[1], w[0], w[2])
	}
}

// TestJudgeSPF asks python3-spf for a second opinion.
func TestJudgeSPF(t *testing.T) {
	var now atomic.Pointer[zone]
	j := newJudge(t, serve(t, dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) { now.Load().ServeDNS(w, q) })))
	for _, c := range spfCases {
		if c.name == "no domain" {
			continue // the judge asks the DNS for whatever it is given
		}
		z := appendixZone()
		z.put(c.records)
		now.Store(z)
		eachSPF(c.want, func(ip, sender, want string) {
			if got := j.ask(nil, "spf", ip, sender, "mail.example.com"); got != want {
				t.Errorf("%s, %s from %s: the judge says %s, want %s", c.name, sender, ip, got, want)
			}
		})
	}
}

func TestSPFNoSender(t *testing.T) {
	z := appendixZone()
	z.put("mail.example.com v=spf1 ip4:192.0.2.1 -all")
	from := Source{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mail.example.com"}
	r := testChecker(z).Check(t.Context(), from, plain)
	if r.SPF.Verdict != Pass || r.SPF.Domain != "mail.example.com" || r.Helo.Verdict != Pass {
		t.Errorf("got %+v and %+v, want both to pass", r.SPF, r.Helo)
	}
	// A quoted local part with another @ in it is no other domain.
	from.MailFrom = `"alice@mail.example.com"@example.org`
	z.put("example.org v=spf1 -all")
	if r := testChecker(z).Check(t.Context(), from, plain); r.SPF.Verdict != Fail || r.SPF.Domain != "example.org" {
		t.Errorf("got %+v, want example.org to fail", r.SPF)
	}
}

func TestSPFUnavailable(t *testing.T) {
	z := appendixZone()
	z.put("example.com v=spf1 a:bob.example.com -all")
	z.fail = map[string]bool{"bob.example.com": true, "example.org": true}
	for _, sender := range []string{"alice@example.com", "alice@example.org"} {
		r := testChecker(z).Check(t.Context(), Source{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: sender}, plain)
		if r.SPF.Verdict != TempError || !r.Temporary() {
			t.Errorf("%s: got %+v, want temperror", sender, r.SPF)
		}
	}
}
