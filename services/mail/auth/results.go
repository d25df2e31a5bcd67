package auth

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Header returns the Authentication-Results field (RFC 8601) that says all this,
// folded and with its last CRLF.
func (r *Result) Header() []byte {
	return []byte("Authentication-Results: " + r.text() + "\r\n")
}

// text is the field's value: the checker's name, and each method on a line of its own.
func (r *Result) text() string {
	ip := r.Source.IP.Unmap().WithZone("").String()
	var w resultWriter
	w.b.WriteString(value(r.ID))
	w.method("iprev", r.IPRev.Verdict, cmp.Or(r.IPRev.Name, r.IPRev.Reason), "policy.iprev", ip)
	if from := r.Source.MailFrom; from != "" {
		w.method("spf", r.SPF.Verdict, r.SPF.Reason, "smtp.mailfrom", from)
	}
	w.method("spf", r.Helo.Verdict, r.Helo.Reason, "smtp.helo", r.Helo.Name)
	for _, s := range r.DKIM {
		w.method("dkim", s.Verdict, s.remark(), "header.d", s.Domain, "header.i", s.Identity,
			"header.s", s.Selector, "header.a", s.Algorithm, "header.b", s.tag)
	}
	if len(r.DKIM) == 0 {
		w.method("dkim", None, "")
	}
	w.method("dmarc", r.DMARC.Verdict, r.DMARC.remark(), "header.from", r.DMARC.Domain)
	switch r.ARC.Verdict {
	case Pass:
		w.method("arc", Pass, r.ARC.remark(), "header.oldest-pass", strconv.Itoa(r.ARC.Oldest), "smtp.remote-ip", ip)
	case Fail:
		w.method("arc", Fail, r.ARC.remark(), "smtp.remote-ip", ip)
	}
	return w.b.String()
}

// A resultWriter writes an Authentication-Results value, folded. What comes from outside
// goes through value and remark, which let nothing through that means something here.
type resultWriter struct {
	b      strings.Builder
	column int
}

// method writes a method's result, a comment, and properties: names and values.
func (w *resultWriter) method(name string, v Verdict, comment string, props ...string) {
	start := name + "=" + string(v)
	w.b.WriteString(";\r\n\t" + start)
	w.column = 8 + len(start)
	if comment != "" {
		w.word("(" + remark(comment) + ")")
	}
	for i := 0; i < len(props); i += 2 {
		if props[i+1] != "" {
			w.word(props[i] + "=" + value(props[i+1]))
		}
	}
}

// maxColumn is where lines are folded (RFC 5322 §2.1.1), a tab being eight columns.
const maxColumn = 78

func (w *resultWriter) word(s string) {
	if w.column += 1 + len(s); w.column > maxColumn {
		w.b.WriteString("\r\n\t")
		w.column = 9 + len(s)
	}
	w.b.WriteString(" " + s)
}

func (s Signature) remark() string {
	switch {
	case s.Reason != "":
		return s.Reason
	case s.Testing:
		return "the key is for tests"
	case s.Bits > 0:
		return fmt.Sprintf("%d-bit key", s.Bits)
	}
	return ""
}

func (d DMARC) remark() string {
	switch {
	case d.Reason != "":
		return d.Reason
	case d.Record != nil:
		return fmt.Sprintf("p=%s dis=%s", d.Policy, d.Action)
	}
	return ""
}

func (c Chain) remark() string {
	if sealers := c.Sealers(); sealers != nil {
		return "sealed by " + strings.Join(sealers, ", ")
	}
	return c.Reason
}

// maxValue bounds, in bytes, what is copied from outside into a value or a comment.
const maxValue = 320

// value writes an address, a domain or a token as it is, and anything else as a quoted
// string (RFC 8601 §2.2, RFC 2045 §5.1); control characters as question marks.
func value(v string) string {
	v = visible(v)
	for i := range len(v) {
		if c := v[i]; c <= ' ' || strings.IndexByte(`()<>,;:\"/[]?=`, c) >= 0 {
			return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
		}
	}
	return v
}

// remark writes what stands in a comment (RFC 5322 §3.2.2).
func remark(s string) string {
	return strings.NewReplacer(`\`, `\\`, `(`, `\(`, `)`, `\)`).Replace(visible(s))
}

// visible is s without control characters and other invisible ones, as valid UTF-8,
// and not too long.
func visible(s string) string {
	if len(s) > maxValue {
		s = s[:maxValue] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
