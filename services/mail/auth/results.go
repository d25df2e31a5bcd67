package auth

import (
	"fmt"
	"strconv"
	"strings"
)

// Header returns the Authentication-Results field (RFC 8601) that says all this,
// folded and with its last CRLF.
func (r *Result) Header() []byte {
	return []byte("Authentication-Results: " + r.text() + "\r\n")
}

// text is the field's value: the checker's name, and a line for each method. What comes
// from outside is written by props, which lets nothing through that means something here.
func (r *Result) text() string {
	var b strings.Builder
	b.WriteString(value(r.ID))
	line := func(method string, v Verdict, comment, props string) {
		b.WriteString(";\r\n\t" + method + "=" + string(v))
		if comment != "" {
			b.WriteString(" (" + remark(comment) + ")")
		}
		b.WriteString(props)
	}
	line("iprev", r.IPRev.Verdict, either(r.IPRev.Name, r.IPRev.Reason),
		prop("policy.iprev", r.Source.IP.Unmap().WithZone("").String()))
	line("spf", r.Helo.Verdict, r.Helo.Reason, prop("smtp.helo", r.Helo.Name))
	if from := r.Source.MailFrom; from != "" {
		line("spf", r.SPF.Verdict, r.SPF.Reason, prop("smtp.mailfrom", from))
	}
	for _, s := range r.DKIM {
		line("dkim", s.Verdict, s.remark(), prop("header.d", s.Domain)+prop("header.i", s.Identity)+
			prop("header.s", s.Selector)+prop("header.a", s.Algorithm)+prop("header.b", s.tag))
	}
	if len(r.DKIM) == 0 {
		line("dkim", None, "", "")
	}
	line("dmarc", r.DMARC.Verdict, r.DMARC.remark(), prop("header.from", r.DMARC.Domain))
	if arc := r.ARC; arc.Verdict != None {
		line("arc", arc.Verdict, arc.remark(), prop("header.oldest-pass", strconv.Itoa(arc.Oldest))+
			prop("smtp.remote-ip", r.Source.IP.Unmap().WithZone("").String()))
	}
	return b.String()
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
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

// maxValue bounds, in bytes, what is copied from outside into a property or a comment.
const maxValue = 320

// prop writes a property on a line of its own where that is long.
func prop(name, v string) string {
	if v == "" {
		return ""
	}
	gap := " "
	if len(name)+len(v) > 40 {
		gap = "\r\n\t "
	}
	return gap + name + "=" + value(v)
}

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

// visible is s without control characters, as valid UTF-8, and not too long.
func visible(s string) string {
	if len(s) > maxValue {
		s = s[:maxValue] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffd {
			return '?'
		}
		return r
	}, s)
}
