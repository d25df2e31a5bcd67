package auth

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// TestNameserver asks a real name server, with Go's own resolver.
func TestNameserver(t *testing.T) {
	s := testSigner("example.org")
	z := &zone{
		txt:  map[string][]string{},
		mx:   map[string][]string{"example.org": {"mail.example.org"}},
		ip:   map[string][]string{"mail.example.org": {"192.0.2.1", "2001:db8::1"}},
		ptr:  map[string][]string{"192.0.2.1": {"mail.example.org"}},
		fail: map[string]bool{"away.example": true, "_dmarc.away.example": true},
	}
	z.publish(t, s)
	z.put("example.org v=spf1 mx -all\nmail.example.org v=spf1 a -all\n_dmarc.example.org v=DMARC1; p=reject")
	z.put("long.example v=spf1 ip4:192.0.2.1 " + strings.Repeat("ip4:203.0.113.7 ", 300) + "-all")
	c := &Checker{Resolver: serve(t, z).resolver(), ID: "mx.example.net"}
	fields, err := s.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	r := c.Check(t.Context(), testSource, append(fields, plain...))
	if r.IPRev.Verdict != Pass || r.Helo.Verdict != Pass || !r.Helo.Leads || r.SPF.Verdict != Pass || verdicts(r.DKIM) != "pass pass" || r.DMARC.Verdict != Pass {
		t.Errorf("got %+v, want it all to pass", r)
	}
	for _, d := range []struct {
		domain     string
		spf, dmarc Verdict
	}{
		{"nothing.example", None, None},
		{"away.example", TempError, TempError},
		{"long.example", Pass, None}, // over TCP
	} {
		from := Source{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mail.example.org", MailFrom: "alice@" + d.domain}
		r := c.Check(t.Context(), from, lines("From: alice@"+d.domain+"\n\nx\n"))
		if r.SPF.Verdict != d.spf || r.DMARC.Verdict != d.dmarc {
			t.Errorf("%s: got %+v and %+v, want %s and %s", d.domain, r.SPF, r.DMARC, d.spf, d.dmarc)
		}
	}
}

// TestCircle has a name server that sends who asks from alias to alias.
func TestCircle(t *testing.T) {
	aliases := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		m.Answer = []dns.RR{&dns.CNAME{
			Hdr:    dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET, Ttl: 1},
			Target: q.Question[0].Name,
		}}
		w.WriteMsg(m)
	})
	c := &Checker{Resolver: serve(t, aliases).resolver(), ID: "mx.example.net"}
	s := testSigner("example.org")
	fields, err := s.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	r := c.Check(t.Context(), testSource, append(fields, plain...))
	if r.SPF.Verdict == Pass || r.IPRev.Verdict == Pass || strings.Contains(verdicts(r.DKIM), "pass") || r.DMARC.Verdict == Pass {
		t.Errorf("got %+v, want nothing to pass", r)
	}
}
