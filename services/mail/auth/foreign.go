package auth

import (
	"bytes"
	"strings"

	"cairn/services/mail/message"
)

// A Span is where a field lies in a message, with its line end: raw[Start:End].
type Span struct{ Start, End int }

// Foreign finds what in the header of a message from outside must not be shown to who
// reads it, because they are to believe the Authentication-Results that we put in
// front (RFC 8601 §5): the fields of that name that give id as their author, or whose author cannot
// be told; and lines at the very beginning that would continue our last field. The spans
// are in the header's order.
func Foreign(h message.Header, id string) []Span {
	var out []Span
	if n := continuation(h.Raw()); n > 0 {
		out = append(out, Span{0, n})
	}
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

// continuation returns the length of the lines at the beginning of a message that
// begin with white space, and so belong to whatever is put in front of it.
func continuation(raw []byte) int {
	pos := 0
	for pos < len(raw) && (raw[pos] == ' ' || raw[pos] == '\t') {
		end := bytes.IndexByte(raw[pos:], '\n')
		if end < 0 {
			return len(raw)
		}
		pos += end + 1
	}
	return pos
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
// string, with comments around it. It is not ok where readers could see different ones.
func authorOf(v string) (id string, ok bool) {
	parts, ok := splitResults(v)
	head := strings.TrimSpace(parts[0])
	if !ok || head == "" {
		return "", false
	}
	if head[0] != '"' {
		end := strings.IndexAny(head, " \t\"")
		if end < 0 {
			return head, true
		}
		return head[:end], head[end] != '"'
	}
	quoted := head[1:]
	end := strings.IndexByte(quoted, '"')
	return quoted[:end], end+1 == len(quoted) || quoted[end+1] == ' '
}

// splitResults cuts the value of an Authentication-Results field at its semicolons.
// Comments become a space, quotation marks within quoted strings an apostrophe, so
// that none of them is left inside. It is not ok if one does not end; then nothing
// behind it is to be trusted.
func splitResults(v string) (parts []string, ok bool) {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(v); i++ {
		c := v[i]
		escaped := c == '\\' && (quoted || depth > 0) && i+1 < len(v)
		if escaped {
			i++
			c = v[i]
		}
		switch {
		case depth > 0:
			if !escaped && c == '(' {
				depth++
			} else if !escaped && c == ')' {
				depth--
			}
		case escaped && c == '"':
			b.WriteByte('\'')
		case escaped:
			b.WriteByte(c)
		case c == '"':
			quoted = !quoted
			b.WriteByte(c)
		case !quoted && c == '(':
			depth++
			b.WriteByte(' ')
		case !quoted && c == ';':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return append(parts, b.String()), depth == 0 && !quoted
}
