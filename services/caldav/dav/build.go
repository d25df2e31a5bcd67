package dav

import "unicode/utf8"

const (
	xmlHead     = `<?xml version="1.0" encoding="utf-8"?>` + "\n"
	contentType = "application/xml; charset=utf-8"
)

// Builder makes XML text by appending. The namespaces of name.go have prefixes that every answer of this package
// declares at its root, so what one Builder made fits into any answer. The zero value is ready.
type Builder struct{ buf []byte }

// Build returns the XML text that make makes; for content that is the same each time.
func Build(make func(b *Builder)) string {
	var b Builder
	make(&b)
	return string(b.buf)
}

// Attr is an attribute. Space is empty for nearly all.
type Attr struct {
	Name  Name
	Value string
}

// At returns an attribute without a namespace.
func At(name, value string) Attr { return Attr{Name{Local: name}, value} }

// Lang returns the attribute that says in which language a text for people is (xml:lang).
func Lang(tag string) Attr { return Attr{nameLang, tag} }

// Start opens an element.
func (b *Builder) Start(n Name, attrs ...Attr) {
	b.open(n, attrs)
	b.buf = append(b.buf, '>')
}

// Empty writes an element without content.
func (b *Builder) Empty(n Name, attrs ...Attr) {
	b.open(n, attrs)
	b.buf = append(b.buf, '/', '>')
}

// End closes the element that Start opened by the same name.
func (b *Builder) End(n Name) {
	b.buf = append(b.buf, '<', '/')
	b.tag(n)
	b.buf = append(b.buf, '>')
}

// Element writes an element that holds only text.
func (b *Builder) Element(n Name, text string, attrs ...Attr) {
	b.Start(n, attrs...)
	b.Text(text)
	b.End(n)
}

// Href writes a DAV:href. href is a URL, escaped already (EscapeName).
func (b *Builder) Href(href string) {
	b.raw("<d:href>")
	b.Text(href)
	b.raw("</d:href>")
}

// Text writes character data, escaped. What XML cannot hold (most control characters, bytes that are not UTF-8) becomes
// U+FFFD; carriage returns survive as references, because parsers normalise plain ones away (XML §2.11).
func (b *Builder) Text(s string) { b.buf = appendEscaped(b.buf, s, &textSpecial) }

func (b *Builder) raw(s string) { b.buf = append(b.buf, s...) }

func (b *Builder) open(n Name, attrs []Attr) {
	b.buf = append(b.buf, '<')
	b.tag(n)
	if n.Space != "" && prefix(n.Space) == "" {
		b.raw(` xmlns:x="`)
		b.attribute(n.Space)
		b.raw(`"`)
	}
	for _, a := range attrs {
		b.raw(" ")
		if a.Name.Space == spaceXML {
			b.raw("xml:")
		}
		b.local(a.Name.Local)
		b.raw(`="`)
		b.attribute(a.Value)
		b.raw(`"`)
	}
}

// tag writes the name of an element as tags spell it.
func (b *Builder) tag(n Name) {
	if p := prefix(n.Space); p != "" {
		b.raw(p)
	} else if n.Space != "" {
		b.raw("x:")
	}
	b.local(n.Local)
}

// local writes a name without its prefix. Names come from our own tables, from bodies that were parsed, and from files that
// people edit: what is no name is written as "_" and what can be kept of it, so that the answer stays well-formed.
func (b *Builder) local(s string) {
	if isNCName(s) {
		b.raw(s)
		return
	}
	b.raw("_")
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf && inName[c] {
			b.buf = append(b.buf, c)
		}
	}
}

// inName says which ASCII characters can stand in a name without a prefix.
var inName = func() (t [utf8.RuneSelf]bool) {
	for c := range t {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
	}
	return t
}()

func (b *Builder) attribute(s string) { b.buf = appendEscaped(b.buf, s, &attributeSpecial) }

// special says of each byte whether it needs a look before it is copied.
type special [256]bool

var textSpecial, attributeSpecial = func() (text, attr special) {
	for i := range 256 {
		text[i] = i < ' ' && i != '\n' && i != '\t' || i == '&' || i == '<' || i == '>' || i >= utf8.RuneSelf
		attr[i] = text[i] || i == '"' || i == '\n' || i == '\t'
	}
	return text, attr
}()

// appendEscaped copies runs of bytes that need no escape at once.
func appendEscaped[T string | []byte](dst []byte, s T, look *special) []byte {
	from := 0
	for i := 0; i < len(s); {
		if !look[s[i]] {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		with, ok := escape(r, n)
		if ok {
			dst = append(dst, s[from:i]...)
			dst = append(dst, with...)
			from = i + n
		}
		i += n
	}
	return append(dst, s[from:]...)
}

// escape returns what stands for a rune that was n bytes long, or false if it can stand for itself.
func escape(r rune, n int) (string, bool) {
	switch r {
	case '&':
		return "&amp;", true
	case '<':
		return "&lt;", true
	case '>':
		return "&gt;", true
	case '"':
		return "&quot;", true
	case '\r':
		return "&#13;", true
	case '\n':
		return "&#10;", true
	case '\t':
		return "&#9;", true
	}
	if r == utf8.RuneError && n == 1 || !isChar(r) {
		return "\uFFFD", true
	}
	return "", false
}

// isChar reports whether XML can hold r (XML §2.2, Char).
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}
