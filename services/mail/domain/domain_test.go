package domain

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

var example = Setup{
	Domain:    "example.org",
	Host:      "mail.example.org",
	Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")},
	Keys: []Key{
		{"c1a", "v=DKIM1; k=rsa; p=" + strings.Repeat("MIIB", 98)},
		{"c1b", "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="},
	},
	Policy: "enforce", PolicyID: "20261121",
	Issuer: "letsencrypt.org",
	TLSA:   []string{strings.Repeat("ab", 32)},
	Web:    true, Dav: "dav.example.org:8443", WKD: true,
}

// world is the DNS as it should be: what Query answers. PTR records are in it as well.
func world(s Setup) map[string][]string {
	w := map[string][]string{
		"7.2.0.192.in-addr.arpa PTR": {s.Host},
		"7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR": {s.Host},
	}
	for _, r := range s.Records() {
		w[r.Name+" "+r.Type] = append(w[r.Name+" "+r.Type], r.Value)
	}
	return w
}

func query(w map[string][]string) func(context.Context, string, string) ([]string, error) {
	return func(_ context.Context, name, kind string) ([]string, error) { return w[name+" "+kind], nil }
}

// TestZone: a name server's parser reads the zone, and finds in it what the records say.
func TestZone(t *testing.T) {
	zone := Zone(example.Records())
	p := dns.NewZoneParser(strings.NewReader(zone), "", "")
	n := 0
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		r := example.Records()[n]
		n++
		h := rr.Header()
		if h.Name != r.Name+"." || dns.TypeToString[h.Rrtype] != r.Type {
			t.Errorf("got %s, want %s %s", h, r.Type, r.Name)
		}
		if txt, ok := rr.(*dns.TXT); ok && strings.Join(txt.Txt, "") != r.Value {
			t.Errorf("%s: got %q, want %q", r.Name, txt.Txt, r.Value)
		}
	}
	if err := p.Err(); err != nil {
		t.Errorf("%v in\n%s", err, zone)
	}
	if n != len(example.Records()) || n < 20 {
		t.Errorf("%d records of %d were read", n, len(example.Records()))
	}
}

// TestSmall: a machine without a web service, a policy or keys has the records that are left.
func TestSmall(t *testing.T) {
	s := Setup{Domain: "example.org", Host: "example.org"}
	for _, r := range s.Records() {
		if strings.Contains(r.Name, "mta-sts") || strings.Contains(r.Name, "auto") || r.Type == "CAA" || r.Type == "A" {
			t.Errorf("%s %s is there", r.Type, r.Name)
		}
	}
	if s.Names() != nil || s.PolicyText() != "" {
		t.Errorf("names %q, policy %q", s.Names(), s.PolicyText())
	}
}

// TestRecordsThere: where all is as it should be, all is ok.
func TestRecordsThere(t *testing.T) {
	c := &Checker{Query: query(world(example))}
	for _, r := range example.Records() {
		if f := c.record(t.Context(), r, &example); f.State != OK {
			t.Errorf("%s: %v, %s", f.What, f.State, f.Words)
		}
	}
	for _, f := range c.reverse(t.Context(), &example) {
		if f.State != OK {
			t.Errorf("%s: %v, %s", f.What, f.State, f.Words)
		}
	}
}

func TestRecordsElse(t *testing.T) {
	for _, c := range []struct {
		at    string // name and type
		found []string
		want  State
		words string
	}{
		{"example.org MX", nil, Missing, "mail comes here"},
		{"example.org MX", []string{"10 mx.elsewhere.example"}, Wrong, "mx.elsewhere.example"},
		{"example.org MX", []string{"5 mx.elsewhere.example", "20 Mail.Example.org"}, OK, "as well"},
		{"example.org TXT", []string{"google-site-verification=x"}, Missing, "none of this kind"},
		{"example.org TXT", []string{"v=spf1 mx -all", "v=spf1 -all"}, Wrong, "none counts"},
		{"example.org TXT", []string{"v=spf1 include:elsewhere.example -all"}, Wrong, "does not name the machine"},
		{"example.org TXT", []string{"x", "v=spf1 a mx include:elsewhere.example ~all"}, OK, "include"},
		{"c1b._domainkey.example.org TXT", []string{"v=DKIM1;k=ed25519;p=11qYAYKxCrfVS/7TyWQHOg7hcvP apiMlrwIaaPcHURo="}, OK, "key"},
		{"c1b._domainkey.example.org TXT", []string{"v=DKIM1; k=ed25519; p="}, Wrong, "another key"},
		{"_dmarc.example.org TXT", []string{"v=DMARC1; p=none"}, OK, "protects nobody"},
		{"_mta-sts.example.org TXT", []string{"v=STSv1; id=1"}, Wrong, "id=1"},
		{"autoconfig.example.org CNAME", nil, Missing, "no such name"},
		{"_imaps._tcp.example.org SRV", []string{"0 1 993 imap.elsewhere.example"}, Wrong, "imap.elsewhere.example"},
		{"_25._tcp.mail.example.org TLSA", []string{"3 1 1 " + strings.Repeat("cd", 32)}, Wrong, "cdcd"},
		{"example.org CAA", []string{`0 issue "elsewhere.example"`}, Wrong, "elsewhere"},
		{"mail.example.org A", []string{"192.0.2.8"}, Wrong, "192.0.2.8"},
	} {
		w := world(example)
		w[c.at] = c.found
		check := &Checker{Query: query(w)}
		seen := false
		for _, r := range example.Records() {
			if r.Name+" "+r.Type != c.at {
				continue
			}
			seen = true
			if f := check.record(t.Context(), r, &example); f.State != c.want || !strings.Contains(f.Words, c.words) {
				t.Errorf("%s %q: got %v, %q", c.at, c.found, f.State, f.Words)
			}
		}
		if !seen {
			t.Errorf("%s is no record", c.at)
		}
	}
}

// TestAlias: a name with the machine's address is as good as an alias, one with another's is not.
func TestAlias(t *testing.T) {
	r := Record{"autoconfig.example.org", "CNAME", "mail.example.org", "for programs", May}
	for address, want := range map[string]State{"192.0.2.7": OK, "192.0.2.8": Wrong} {
		w := world(example)
		delete(w, "autoconfig.example.org CNAME")
		w["autoconfig.example.org A"] = []string{address}
		if f := (&Checker{Query: query(w)}).record(t.Context(), r, &example); f.State != want {
			t.Errorf("%s: %v, %s", address, f.State, f.Words)
		}
	}
}

func TestListed(t *testing.T) {
	w := world(example)
	c := &Checker{Query: query(w), Lists: []string{"list.example"}}
	w["7.2.0.192.list.example A"] = []string{"127.0.0.2"}
	w["7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.list.example A"] = []string{"127.255.255.254"}
	got := c.listed(t.Context(), &example)
	if len(got) != 2 || got[0].State != Wrong || got[1].State != Unknown {
		t.Errorf("got %+v", got)
	}
}
