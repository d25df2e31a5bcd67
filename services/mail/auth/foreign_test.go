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
	head := lines("Authentication-Results: münchen.example; none\nauthentication-results: xn--mnchen-3ya.example; none\n\n")
	if spans := Foreign(message.ParseHeader(head), "xn--mnchen-3ya.example"); len(spans) != 2 {
		t.Errorf("in two scripts: got %v, want both", spans)
	}
}

// FuzzForeign looks whether what is left has a field that an ordinary reader takes for ours.
func FuzzForeign(f *testing.F) {
	for _, s := range []string{
		"Authentication-Results: mx.example.net; spf=pass\r\n", "authentication-results:(c)\"mx.example.net\" 1;none\r\n\r\nbody",
		"Authentication-Results:\r\n\tmx.example.net;\r\n none\r\nA: b\r\n", "Authentication-Results: (\\", "Authentication-Results: \"\\",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		const id = "mx.example.net"
		head, _ := message.Split(raw)
		var left []byte
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
		for _, v := range message.ParseHeader(head).All("Authentication-Results") {
			author, _, _ := strings.Cut(v, ";")
			if w := strings.Fields(author); len(w) > 0 && strings.EqualFold(strings.Trim(w[0], `"`), id) {
				t.Errorf("%q is left of %q", v, raw)
			}
		}
	})
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
		value := h.Get("Authentication-Results")
		if n := outside(value, ';'); n != 6 {
			t.Errorf("%d results, want 6: %q", n, field)
		}
	})
}

// outside counts a byte where it stands in no comment and no quoted string.
func outside(s string, what byte) (n int) {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || depth > 0):
			i++
		case quoted:
			quoted = c != '"'
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == '"' && depth == 0:
			quoted = true
		case c == what && depth == 0:
			n++
		}
	}
	return n
}
