package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestAlignment sends messages from a From domain, with an SPF pass of one domain
// and a signature of another, and looks what DMARC makes of it (RFC 7489 §3.1, §6.6).
func TestAlignment(t *testing.T) {
	for _, c := range []struct {
		name, from, spf, dkim string // domains; spf and dkim "" for none
		records               string
		want                  string // verdict, policy, action, who vouches
	}{
		{"no record", "example.org", "example.org", "example.org", "", "none none none "},
		{"both", "example.org", "example.org", "example.org", "example.org p=reject", "pass reject none example.org"},
		{"SPF only", "example.org", "example.org", "", "example.org p=reject", "pass reject none example.org"},
		{"DKIM only", "example.org", "", "example.org", "example.org p=reject", "pass reject none example.org"},
		{"neither", "example.org", "", "", "example.org p=reject", "fail reject reject "},
		{"others", "example.org", "example.net", "example.com", "example.org p=reject", "fail reject reject "},
		{"quarantine", "example.org", "", "", "example.org p=quarantine", "fail quarantine quarantine "},
		{"none", "example.org", "", "", "example.org p=none", "fail none none "},
		{"no p", "example.org", "", "", "example.org rua=mailto:a@example.org", "fail none none "},
		{"bad p", "example.org", "", "", "example.org p=shout", "fail none none "},

		{"SPF below", "example.org", "mail.example.org", "", "example.org p=reject", "pass reject none mail.example.org"},
		{"DKIM below", "example.org", "", "mail.example.org", "example.org p=reject", "pass reject none mail.example.org"},
		{"From below", "news.example.org", "", "example.org", "example.org p=reject", "pass reject none example.org"},
		{"side by side", "news.example.org", "mail.example.org", "", "example.org p=reject", "pass reject none mail.example.org"},
		{"strict SPF", "example.org", "mail.example.org", "", "example.org p=reject; aspf=s", "fail reject reject "},
		{"strict SPF, same", "example.org", "example.org", "", "example.org p=reject; aspf=s", "pass reject none example.org"},
		{"strict DKIM", "example.org", "", "mail.example.org", "example.org p=reject; adkim=s", "fail reject reject "},
		{"strict DKIM, same", "example.org", "", "example.org", "example.org p=reject; adkim=S", "pass reject none example.org"},
		{"strict of the other", "example.org", "mail.example.org", "", "example.org p=reject; adkim=s; aspf=r", "pass reject none mail.example.org"},
		{"a suffix is no owner", "alice.co.uk", "", "co.uk", "alice.co.uk p=reject", "fail reject reject "},
		{"neighbours under a suffix", "alice.co.uk", "bob.co.uk", "", "alice.co.uk p=reject", "fail reject reject "},
		{"same letters", "example.org", "badexample.org", "", "example.org p=reject", "fail reject reject "},
		{"a private suffix", "alice.github.io", "bob.github.io", "", "alice.github.io p=reject", "fail reject reject "},

		{"sp", "news.example.org", "", "", "example.org p=reject; sp=quarantine", "fail quarantine quarantine "},
		{"no sp", "news.example.org", "", "", "example.org p=quarantine", "fail quarantine quarantine "},
		{"sp is not for itself", "example.org", "", "", "example.org p=none; sp=reject", "fail none none "},
		{"its own record first", "news.example.org", "", "", "example.org p=reject\nnews.example.org p=none", "fail none none "},
		{"np", "nothing.example.org", "", "", "example.org p=none; np=reject", "fail reject reject "},
		{"np, and it is there", "news.example.org", "", "", "example.org p=none; np=reject", "fail none none "},

		{"pct=0", "example.org", "", "", "example.org p=reject; pct=0", "fail reject quarantine "},
		{"pct=0 of quarantine", "example.org", "", "", "example.org p=quarantine; pct=0", "fail quarantine none "},
		{"pct=100", "example.org", "", "", "example.org p=reject; pct=100", "fail reject reject "},
		{"bad pct", "example.org", "", "", "example.org p=reject; pct=-3", "fail reject reject "},
		{"testing", "example.org", "", "", "example.org p=reject; t=y", "fail reject quarantine "},
		{"not testing", "example.org", "", "", "example.org p=reject; t=n", "fail reject reject "},

		{"two records", "example.org", "", "", "example.org p=reject\nexample.org p=none", "none none none "},
		{"two, but one is something else", "example.org", "", "", "example.org p=reject\n!example.org v=spf1 -all", "fail reject reject "},
		{"not a record", "example.org", "", "", "!example.org v=DMARC10; p=reject", "none none none "},
		{"lower case", "example.org", "", "", "!example.org v=dmarc1; p=reject", "none none none "},
		{"v is not first", "example.org", "", "", "!example.org p=reject; v=DMARC1", "none none none "},
		{"wrong syntax", "example.org", "", "", "!example.org v=DMARC1; p=reject; what", "permerror none none "},
		{"upper case", "Example.ORG", "", "EXAMPLE.org", "example.org P=reject", "pass none none example.org"},
		{"other scripts", "bücher.example", "", "xn--bcher-kva.example", "xn--bcher-kva.example p=reject", "pass reject none xn--bcher-kva.example"},
	} {
		z := &zone{txt: map[string][]string{}, ip: map[string][]string{"news.example.org": {"192.0.2.9"}}}
		for line := range strings.Lines(c.records) {
			name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			name, bare := strings.CutPrefix(name, "!")
			if !bare {
				text = "v=DMARC1; " + text
			}
			z.txt["_dmarc."+name] = append(z.txt["_dmarc."+name], text)
		}
		from := Source{IP: netip.MustParseAddr("192.0.2.1"), Helo: "mail.example.org"}
		if c.spf != "" {
			from.MailFrom = "bounce@" + c.spf
			z.put(c.spf + " v=spf1 ip4:192.0.2.1 -all")
		}
		raw := lines("From: Alice <alice@" + c.from + ">\nSubject: x\n\nx\n")
		if c.dkim != "" {
			s := testSigner(strings.ToLower(c.dkim))
			z.publish(t, s)
			fields, err := (&Signer{Domain: c.dkim, Keys: s.Keys[1:], Now: s.Now}).Sign(raw)
			if err != nil {
				t.Fatal(err)
			}
			raw = append(fields, raw...)
		}
		r := testChecker(z).Check(t.Context(), from, raw)
		if got := fmt.Sprint(r.DMARC.Verdict, " ", r.DMARC.Policy, " ", r.DMARC.Action, " ", r.DMARC.Aligned); got != c.want {
			t.Errorf("%s: got %q, want %q: %+v", c.name, got, c.want, r)
		}
	}
}

// TestAuthors has From fields that try to show one domain and be judged by another.
func TestAuthors(t *testing.T) {
	z := &zone{txt: map[string][]string{}}
	z.put("_dmarc.example.org v=DMARC1; p=reject\n_dmarc.example.com v=DMARC1; p=quarantine\nexample.net v=spf1 ip4:192.0.2.1 -all\n_dmarc.example.net v=DMARC1; p=reject")
	source := Source{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "x@example.net"}
	many := strings.Repeat("a@b%d.example, ", 11)
	for _, c := range []struct{ header, want string }{
		{"From: a@example.net\n", "pass none example.net"},
		{"From: a@example.net, b@example.org\n", "fail reject example.org"},
		{"From: b@example.com, a@example.net, b@example.org\n", "fail reject example.org"},
		{"From: a@example.net\nFrom: b@example.org\n", "fail reject example.org"},
		{"From: b@example.org\nFrom: a@example.net\n", "fail reject example.org"},
		{"From: a@example.net\nFROM : b@example.org\n", "fail reject example.org"},
		{"From: friends: a@example.net, b@example.com;\n", "fail quarantine example.com"},
		{"From: \"b@example.org\" <a@example.net>\n", "pass none example.net"},
		{"From: a@example.net (b@example.org)\n", "pass none example.net"},
		{"From:\n =?utf-8?q?b?=\n <b@example.org>\n", "fail reject example.org"},
		{"From: b@EXAMPLE.ORG.\n", "fail reject example.org"},
		{"From: <a@example.net> <b@example.org>\n", "fail reject example.org"},
		{"From: <a@example.net><b@example.org>\n", "fail reject example.org"},
		{"From: <b@example.org> <a@example.net>\n", "fail reject example.org"},
		{"From: \"Bob <b@example.org>\" <a@example.net>\n", "pass none example.net"},
		{"From: <b@example.org>@example.net\n", "fail reject example.org"},
		{"From: a@example.net (<b@example.org>)\n", "pass none example.net"},
		{"From: <@example.net:b@example.org>\n", "fail reject example.org"},
		{"From: b@examp\u200ble.org\n", "fail reject example.org"},
		{"From: nobody\n", "permerror none "},
		{"Subject: nothing else\n", "permerror none "},
		{"From: " + fmt.Sprintf(many, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) + "b@example.org\n", "permerror reject "},
		{strings.Repeat("X: y\n", 10_001) + "From: b@example.org\n", "permerror reject "},
		{"X: " + strings.Repeat("y", 1<<20) + "\nFrom: b@example.org\n", "permerror reject "},
	} {
		r := testChecker(z).Check(t.Context(), source, lines(c.header+"\nx\n"))
		if got := fmt.Sprint(r.DMARC.Verdict, " ", r.DMARC.Action, " ", r.DMARC.Domain); got != c.want {
			t.Errorf("%.80q: got %q, want %q", c.header, got, c.want)
		}
	}
}

// TestUnavailable has a nameserver that does not answer: nobody is turned away for
// good, and only those are asked to come again whose own domain it is.
func TestUnavailable(t *testing.T) {
	s := testSigner("example.org")
	fields, err := s.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	raw := append(fields, plain...)
	const record = "_dmarc.example.org v=DMARC1; p=reject"
	for _, c := range []struct{ name, from, fails, records, want string }{
		{"record", "x@example.net", "_dmarc.example.org", "", "temperror none"},
		{"key", "x@example.net", "rsa._domainkey.example.org ed._domainkey.example.org", record, "temperror none"},
		{"one key", "x@example.net", "rsa._domainkey.example.org", record, "pass none"},
		{"SPF", "x@example.org", "example.org rsa._domainkey.example.org ed._domainkey.example.org", record, "temperror none"},
		{"SPF of another", "x@example.net", "example.net", record + "\nrsa._domainkey.example.org v=DKIM1; p=\ned._domainkey.example.org x", "fail reject"},
	} {
		z := &zone{txt: map[string][]string{}, fail: map[string]bool{}}
		z.put(c.records)
		if len(z.txt["rsa._domainkey.example.org"]) == 0 {
			z.publish(t, s)
		}
		for name := range strings.FieldsSeq(c.fails) {
			z.fail[name] = true
		}
		r := testChecker(z).Check(t.Context(), Source{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: c.from}, raw)
		if got := fmt.Sprint(r.DMARC.Verdict, " ", r.DMARC.Action); got != c.want {
			t.Errorf("%s: got %q, want %q: %+v", c.name, got, c.want, r)
		}
	}
}

// TestSample tries a policy for half of the messages: about half of them get it,
// and the same message always the same.
func TestSample(t *testing.T) {
	z := &zone{txt: map[string][]string{}}
	z.put("_dmarc.example.org v=DMARC1; p=reject; pct=50")
	source := Source{IP: netip.MustParseAddr("192.0.2.1")}
	rejected := 0
	for i := range 400 {
		raw := lines(fmt.Sprintf("From: a@example.org\n\n%d\n", i))
		first := testChecker(z).Check(t.Context(), source, raw).DMARC.Action
		if again := testChecker(z).Check(t.Context(), source, raw).DMARC.Action; again != first {
			t.Fatalf("message %d: got %s and then %s", i, first, again)
		}
		if first == Reject {
			rejected++
		}
	}
	if rejected < 100 || rejected > 300 {
		t.Errorf("%d of 400 were rejected, want about half", rejected)
	}
}

func FuzzRecord(f *testing.F) {
	for _, s := range []string{
		"v=DMARC1; p=reject", "v=DMARC1;p=none;rua=mailto:a@example.org,mailto:b@example.org!10m;pct=20;adkim=s;aspf=r;sp=reject;np=none;t=y",
		"v = DMARC1 ; p = quarantine;", "v=DMARC1; p=", "v=DMARC1;;", "v=DMARC1; p=reject; p=none", "v=spf1 -all", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRecord(s)
		if err != nil {
			return
		}
		for _, d := range []Disposition{r.Policy, r.Subdomains, r.NonExistent} {
			if d != Deliver && d != Quarantine && d != Reject {
				t.Errorf("policy is %q", d)
			}
		}
		if r.Percent < 0 || r.Percent > 100 || len(r.Reports) > maxReports {
			t.Errorf("got %+v", r)
		}
	})
}
