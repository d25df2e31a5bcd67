package auth

import (
	"strings"
	"testing"

	"cairn/services/mail/message"
)

func TestForeign(t *testing.T) {
	for _, c := range []struct {
		field  string
		hidden bool
	}{
		{"Authentication-Results: mx.example.net; spf=pass", true},
		{"authentication-results:mx.example.net;spf=pass", true},
		{"AUTHENTICATION-RESULTS : MX.Example.NET 1; none", true},
		{"Authentication-Results:\n mx.example.net\n ; dkim=pass", true},
		{"Authentication-Results: (a (nested) comment) mx.example.net; none", true},
		{"Authentication-Results: (\\)) mx.example.net; none", true},
		{"Authentication-Results: mx.example.net(comment); none", true},
		{"Authentication-Results: \"mx.example.net\"; none", true},
		{"Authentication-Results: \"mx\\.example.net\"; none", true},
		{"Authentication-Results: mx.example.net.; none", true},
		{"Authentication-Results: mx.example.net", true},
		{"Authentication-Results: (never ends mx.example.net; none", true},
		{"Authentication-Results: \"never ends", true},
		{"Authentication-Results: \"mx.exa\"mple.net\"; none", true},
		{"Authentication-Results: mx.\"example.net\"; none", true},
		{"Authentication-Results: ; none", true},
		{"Authentication-Results:", true},

		{"Authentication-Results: mx.example.org; spf=pass", false},
		{"Authentication-Results: a.mx.example.net; spf=pass", false},
		{"Authentication-Results: mx.example.net.example.org; none", false},
		{"Authentication-Results: other; x=mx.example.net", false},
		{"Authentication-Results: \"other\" 1; none", false},
		{"Authentication-Results: (mx.example.net) other; none", false},
		{"X-Authentication-Results: mx.example.net; none", false},
		{"ARC-Authentication-Results: i=1; mx.example.net; none", false},
		{"Subject: Authentication-Results: mx.example.net", false},
	} {
		raw := lines("Subject: a\n" + c.field + "\nTo: b\n\nx\n")
		head, _ := message.Split(raw)
		spans := Foreign(message.ParseHeader(head), "mx.example.net")
		if (len(spans) == 1) != c.hidden || len(spans) > 1 {
			t.Errorf("%q: got %v, want it hidden: %v", c.field, spans, c.hidden)
			continue
		}
		if c.hidden {
			rest := string(raw[:spans[0].Start]) + string(raw[spans[0].End:])
			if want := "Subject: a\r\nTo: b\r\n\r\nx\r\n"; rest != want {
				t.Errorf("%q: %q is left, want %q", c.field, rest, want)
			}
		}
	}
	for raw, want := range map[string]int{
		" ; dmarc=pass\r\n\t x\r\nFrom: a@example.org\r\n\r\n": 20,
		" \r\n\r\n":                 3,
		"\tx":                       2,
		"From: a@example.org\r\n b": 0,
	} {
		spans := Foreign(message.ParseHeader([]byte(raw)), "mx.example.net")
		if want == 0 && len(spans) != 0 || want > 0 && (len(spans) != 1 || spans[0] != Span{0, want}) {
			t.Errorf("%q: got %v, want the first %d bytes", raw, spans, want)
		}
	}
	head := lines("Authentication-Results: münchen.example; none\nauthentication-results: xn--mnchen-3ya.example; none\n\n")
	if spans := Foreign(message.ParseHeader(head), "xn--mnchen-3ya.example"); len(spans) != 2 {
		t.Errorf("in two scripts: got %v, want both", spans)
	}
}

// FuzzForeign looks whether what is left has a field that an ordinary reader takes for ours.
func FuzzForeign(f *testing.F) {
	for _, s := range []string{
		"Authentication-Results: mx.example.net; spf=pass\r\n", "authentication-results:(c)\"mx.example.net\" 1;none\r\n\r\nbody",
		"Authentication-Results:\r\n\tmx.example.net;\r\n none\r\nA: b\r\n", " ; dmarc=pass\r\n", "Authentication-Results: (\\", "Authentication-Results: \"\\",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		const id = "mx.example.net"
		head, _ := message.Split(raw)
		left := []byte("Authentication-Results: mx.example.org; none\r\n")
		end := 0
		for _, s := range Foreign(message.ParseHeader(head), id) {
			if s.Start < end || s.End <= s.Start || s.End > len(head) {
				t.Fatalf("span %v behind %d of %d bytes", s, end, len(head))
			}
			left = append(left, raw[end:s.Start]...)
			end = s.End
		}
		left = append(left, raw[end:]...)
		head, _ = message.Split(left)
		all := message.ParseHeader(head).All("Authentication-Results")
		if all[0] != "mx.example.org; none" {
			t.Errorf("ours is %q in front of %q", all[0], raw)
		}
		for _, v := range all[1:] {
			author, _, _ := strings.Cut(v, ";")
			if w := strings.Fields(author); len(w) > 0 && strings.EqualFold(strings.Trim(w[0], `"`), id) {
				t.Errorf("%q is left of %q", v, raw)
			}
		}
	})
}

func TestSetVerdict(t *testing.T) {
	for _, c := range []struct {
		results, method string
		want            Verdict
	}{
		{"mx.example.net; spf=pass smtp.mailfrom=a@b; dmarc=fail (p=none)", "dmarc", Fail},
		{"mx.example.net; DMARC / 1 = PASS (p=none) header.from=b", "dmarc", Pass},
		{"mx.example.net; dmarc(c)=(c)pass", "dmarc", Pass},
		{"mx.example.net; spf=pass", "dmarc", ""},
		{"mx.example.net; none", "dmarc", ""},
		{"mx.example.net", "dmarc", ""},
		{"", "dmarc", ""},
		{"dmarc=pass", "dmarc", ""},
		{"mx.example.net; spf=pass (; dmarc=pass) smtp.mailfrom=a@b; dmarc=fail", "dmarc", Fail},
		{`mx.example.net; spf=pass smtp.mailfrom="; dmarc=pass;"@b`, "dmarc", ""},
		{`mx.example.net; spf=pass smtp.mailfrom="\"; dmarc=pass;"@b`, "dmarc", ""},
		{`mx.example.net; spf=pass (\); dmarc=pass); x=y`, "dmarc", ""},
		{`mx.example.net; spf=pass smtp.mailfrom=dmarc=pass`, "dmarc", ""},
		{`mx.example.net; dmarc=pass; spf="`, "dmarc", ""},
		{`mx.example.net; dmarc=pass; spf=(`, "dmarc", ""},
		{"mx.example.net; dmarc=", "dmarc", ""},
	} {
		if got := (Set{Results: c.results}).Verdict(c.method); got != c.want {
			t.Errorf("%q of %q: got %q, want %q", c.method, c.results, got, c.want)
		}
	}
}

func FuzzResults(f *testing.F) {
	f.Add("mx.example.net", "a@b", "helo", "reason", "d.example")
	f.Add("", "\"a b\"@c\r\nX: y", "(", ")\\", "ü\xff;")
	f.Fuzz(func(t *testing.T, id, from, helo, reason, domain string) {
		r := &Result{
			ID: id, Source: Source{MailFrom: from}, IPRev: IPRev{Verdict: Pass, Name: helo}, Helo: Helo{Verdict: None, Name: helo, Reason: reason},
			SPF: SPF{Verdict: Pass, Reason: reason}, DKIM: []Signature{{Verdict: Fail, Domain: domain, Identity: from, Selector: id, tag: reason}},
			DMARC: DMARC{Verdict: Fail, Domain: domain, Reason: reason}, ARC: Chain{Verdict: Fail, Reason: reason},
		}
		field := string(r.Header())
		h := message.ParseHeader([]byte(field))
		if h.Len() != 1 || !strings.HasSuffix(field, "\r\n") || strings.Count(field, "\n") != strings.Count(field, "\r\n\t")+1 {
			t.Errorf("not one field: %q", field)
		}
		own := r.text()
		if parts, ok := splitResults(own); !ok || len(parts) != 7 && from != "" {
			t.Errorf("%q in %q", parts, field)
		}
		if got := (Set{Results: own}).Verdict("dmarc"); got != Fail {
			t.Errorf("DMARC is %q in %q", got, field)
		}
	})
}
