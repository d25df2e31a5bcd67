package line

import (
	"strings"
	"unicode/utf8"
)

// foldAt is how many octets a line may have before its CRLF (RFC 5545 §3.1).
const foldAt = 75

// Encode writes the component: lines end in CRLF and are folded at 75 octets,
// never within a character.
func (c *Component) Encode() []byte { return c.Append(nil) }

// Append appends what Encode writes to dst.
func (c *Component) Append(dst []byte) []byte {
	dst = appendFolded(dst, "BEGIN:"+c.Name)
	for i := range c.Lines {
		dst = appendFolded(dst, c.Lines[i].String())
	}
	for _, child := range c.Children {
		dst = child.Append(dst)
	}
	return appendFolded(dst, "END:"+c.Name)
}

// String returns the line as it is written, but for folding and the end of line.
func (l *Line) String() string {
	var b strings.Builder
	if l.Group != "" {
		b.WriteString(l.Group)
		b.WriteByte('.')
	}
	b.WriteString(l.Name)
	for _, p := range l.Params {
		b.WriteByte(';')
		b.WriteString(p.Name)
		for i, v := range p.Values {
			b.WriteByte("=,"[min(i, 1)])
			writeParam(&b, v)
		}
	}
	b.WriteByte(':')
	b.WriteString(l.Value)
	return b.String()
}

// writeParam writes a value of a parameter, in quotes where they are needed and
// without what no line may hold.
func writeParam(b *strings.Builder, v string) {
	if unfit(v) != "" {
		v = clean(v)
	}
	if strings.ContainsAny(v, "^\n\"") {
		v = paramEncoder.Replace(v)
	}
	if strings.ContainsAny(v, ",;:") {
		b.WriteByte('"')
		b.WriteString(v)
		b.WriteByte('"')
		return
	}
	b.WriteString(v)
}

// appendFolded appends s as one or more physical lines.
func appendFolded(dst []byte, s string) []byte {
	room := foldAt
	for len(s) > room {
		cut := room
		for cut > 1 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		dst = append(dst, s[:cut]...)
		dst = append(dst, "\r\n "...)
		s, room = s[cut:], foldAt-1
	}
	dst = append(dst, s...)
	return append(dst, "\r\n"...)
}
