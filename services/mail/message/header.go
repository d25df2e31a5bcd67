package message

import (
	"bytes"
	"iter"
	"strings"
)

// Bounds of what is read of a header.
const (
	MaxHeader = 1 << 20 // bytes
	MaxFields = 10_000
)

// Split cuts a message into its header, which ends with the blank line, and its
// body. A message without a blank line is all header.
func Split(raw []byte) (head, body []byte) {
	for pos := 0; pos < len(raw); {
		next := lineEnd(raw, pos)
		if blank(raw[pos:next]) {
			return raw[:next:next], raw[next:]
		}
		pos = next
	}
	return raw, raw[len(raw):]
}

// lineEnd returns the offset behind the line that begins at pos.
func lineEnd(b []byte, pos int) int {
	if i := bytes.IndexByte(b[pos:], '\n'); i >= 0 {
		return pos + i + 1
	}
	return len(b)
}

// blank reports whether a line, with its end, is the one that ends a header.
func blank(line []byte) bool {
	return string(line) == "\r\n" || string(line) == "\n"
}

// A Header is the fields of a message or of a part, in their order. The zero
// Header is empty. Names are compared without regard to case.
type Header struct {
	raw    []byte
	fields []span
}

// A span says where a field lies in Header.raw.
type span struct{ start, colon, end int32 }

// A Field is one field of a header.
type Field struct {
	Name   string // as written, without the colon
	Offset int    // of Raw in the header
	Raw    []byte // the whole field with its folding and the line's end
}

// ParseHeader indexes the fields of a header, with or without its blank line. Lines that are
// no field ("From " of an mbox, text in the wrong place) are passed over.
func ParseHeader(head []byte) Header { return parseHeader(head, MaxFields) }

func parseHeader(head []byte, fields int) Header {
	h := Header{raw: head[:min(len(head), MaxHeader)]}
	b := h.raw
	for pos := 0; pos < len(b) && len(h.fields) < fields; {
		next := lineEnd(b, pos)
		if blank(b[pos:next]) {
			break
		}
		for next < len(b) && wsp(b[next]) {
			next = lineEnd(b, next)
		}
		if colon := bytes.IndexByte(b[pos:next], ':'); colon > 0 && fieldName(b[pos:pos+colon]) != nil {
			h.fields = append(h.fields, span{int32(pos), int32(pos + colon), int32(next)})
		}
		pos = next
	}
	return h
}

// fieldName returns what stands before a colon without the white space that RFC
// 5322 §4.5.3 tolerates there, nil if it is no field name.
func fieldName(b []byte) []byte {
	b = bytes.TrimRight(b, " \t")
	for _, c := range b {
		if c <= ' ' || c >= 127 {
			return nil
		}
	}
	if len(b) == 0 {
		return nil
	}
	return b
}

func wsp(c byte) bool { return c == ' ' || c == '\t' }

// Raw returns the header's bytes, as far as they were read.
func (h Header) Raw() []byte { return h.raw }

// Len returns the number of fields.
func (h Header) Len() int { return len(h.fields) }

// Fields yields the fields in their order.
func (h Header) Fields() iter.Seq[Field] {
	return func(yield func(Field) bool) {
		for _, s := range h.fields {
			if !yield(h.field(s)) {
				return
			}
		}
	}
}

func (h Header) field(s span) Field {
	return Field{string(fieldName(h.raw[s.start:s.colon])), int(s.start), h.raw[s.start:s.end:s.end]}
}

// values yields the raw values of the fields of a name.
func (h Header) values(name string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, s := range h.fields {
			if b := h.raw[s.start:s.colon]; len(b) >= len(name) && equalFold(b[:len(name)], name) && len(bytes.TrimRight(b, " \t")) == len(name) {
				if !yield(h.raw[s.colon+1 : s.end]) {
					return
				}
			}
		}
	}
}

// equalFold compares ASCII; both are of one length.
func equalFold(b []byte, s string) bool {
	for i, c := range b {
		if lower(c) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// Value returns the field's value, unfolded and trimmed but not decoded.
func (f Field) Value() string {
	_, value, _ := bytes.Cut(f.Raw, []byte(":"))
	return unfold(value)
}

// unfold takes the line ends out of a value (RFC 5322 §2.2.3).
func unfold(value []byte) string {
	value = bytes.Trim(value, " \t\r\n")
	if !bytes.ContainsAny(value, "\r\n") {
		return string(value)
	}
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, string(value))
}

// Has reports whether there is a field of this name.
func (h Header) Has(name string) bool {
	for range h.values(name) {
		return true
	}
	return false
}

// Get returns the value of the first field of this name, unfolded but not
// decoded; "" if there is none.
func (h Header) Get(name string) string {
	for v := range h.values(name) {
		return unfold(v)
	}
	return ""
}

// All returns the values of all fields of this name, as Get does of the first.
func (h Header) All(name string) []string {
	var all []string
	for v := range h.values(name) {
		all = append(all, unfold(v))
	}
	return all
}

// Text returns the value of the first field of this name for people to read: RFC
// 2047 decoded, in valid UTF-8, on one line.
func (h Header) Text(name string) string { return DecodeWords(h.Get(name)) }
