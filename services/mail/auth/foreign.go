package auth

import (
	"strings"

	"cairn/services/mail/message"
)

// A Span is where a field lies in a message, with its line end: raw[Start:End].
type Span struct{ Start, End int }

// Foreign finds the Authentication-Results fields in the header of a message from
// outside that give id as their author, or whose author cannot be told: whoever
// reads the message is to believe those that we add, and must not see these
// (RFC 8601 §5). The spans are in the header's order.
func Foreign(h message.Header, id string) []Span {
	var out []Span
	for f := range h.Fields() {
		if !strings.EqualFold(f.Name, "Authentication-Results") {
			continue
		}
		if author, ok := authorOf(f.Value()); !ok || sameName(author, id) {
			out = append(out, Span{f.Offset, f.Offset + len(f.Raw)})
		}
	}
	return out
}

func sameName(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	x, okX := hostname(a)
	y, okY := hostname(b)
	return okX && okY && x == y
}

// authorOf reads the authserv-id that a field begins with: a token or a quoted
// string, comments before it. It is not ok where readers could see different ones.
func authorOf(v string) (id string, ok bool) {
	v, ok = skipComments(v)
	if !ok || v == "" {
		return "", false
	}
	if v[0] != '"' {
		end := strings.IndexAny(v, " \t;(\"")
		if end < 0 {
			return v, true
		}
		return v[:end], v[end] != '"' && end > 0
	}
	var b strings.Builder
	for i := 1; i < len(v); i++ {
		switch v[i] {
		case '"':
			rest := v[i+1:]
			return b.String(), rest == "" || strings.IndexByte(" \t;(", rest[0]) >= 0
		case '\\':
			i++
			if i == len(v) {
				return "", false
			}
		}
		b.WriteByte(v[i])
	}
	return "", false
}

// skipComments returns what stands behind white space and comments; not ok if a comment
// does not end.
func skipComments(v string) (string, bool) {
	for depth := 0; v != ""; v = v[1:] {
		switch c := v[0]; {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == '\\' && depth > 0 && len(v) > 1:
			v = v[1:]
		case depth == 0 && c != ' ' && c != '\t':
			return v, true
		}
		if len(v) == 1 {
			return "", depth == 0
		}
	}
	return "", true
}
