package vcard

import (
	"bytes"
	"iter"
	"strings"
	"unicode/utf8"

	"cairn/services/caldav/line"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Import yields the cards of a file as programs and telephones export them: any
// number of cards, also of version 2.1, which become 3.0, also without UID, which
// they get by their content, so that the same file imported twice makes no
// card twice. A line that cannot be read is kept as the text of a property
// X-UNREADABLE. The error, for a card that does not end or a file that holds none, is
// of type *Error and says where; it is the last thing that is yielded.
func Import(data []byte) iter.Seq2[*Card, error] {
	return func(yield func(*Card, error) bool) {
		s := &splitter{rest: toUTF8(data)}
		for count := 0; ; count++ {
			lines, err := s.card()
			if err == nil && lines == nil && count == 0 {
				err = invalid("there is no vCard in it")
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if lines == nil || !yield(mend(lines), nil) {
				return
			}
		}
	}
}

// toUTF8 decodes UTF-16 with a byte order mark, and Windows-1252 where the text is
// not UTF-8.
func toUTF8(data []byte) string {
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		from = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	case !utf8.Valid(data):
		from = charmap.Windows1252
	default:
		return strings.TrimPrefix(string(data), "\ufeff")
	}
	text, err := from.NewDecoder().Bytes(data)
	if err != nil {
		text = bytes.ToValidUTF8(data, []byte("\ufffd"))
	}
	return string(text)
}

// A splitter takes a file apart into cards, and those into lines as they are
// meant: unfolded.
type splitter struct {
	rest string
	at   int // physical lines read
}

// physical takes the next line, without its end. Old Macs ended lines in CR, and
// files that were converted twice have CR CR LF.
func (s *splitter) physical() (string, bool) {
	if s.rest == "" {
		return "", false
	}
	s.at++
	end := strings.IndexAny(s.rest, "\r\n")
	if end < 0 {
		text := s.rest
		s.rest = ""
		return text, true
	}
	text := s.rest[:end]
	s.rest = strings.TrimLeft(s.rest[end:], "\r")
	s.rest = strings.TrimPrefix(s.rest, "\n")
	return text, true
}

// card returns the lines between the next BEGIN:VCARD and its END; nil when there
// is none. A card within another, which 2.1 has for AGENT, is one line: its text.
func (s *splitter) card() ([]string, error) {
	for {
		text, ok := s.physical()
		if !ok {
			return nil, nil
		}
		if isMark(text, "BEGIN") {
			break
		}
	}
	begin := s.at
	lines := []string{}
	var inner []string // of a card within
	for depth := 1; ; {
		text, ok := s.logical()
		if !ok {
			return nil, &Error{Precondition: "valid-address-data", Line: begin, Reason: "this card does not end"}
		}
		switch {
		case isMark(text, "BEGIN"):
			depth++
		case isMark(text, "END"):
			depth--
		}
		switch {
		case depth == 0:
			return lines, nil
		case depth > 1:
			inner = append(inner, text)
		case inner != nil:
			head := agent(&lines)
			lines = append(lines, head+line.Escape(strings.Join(append(inner, text), "\n")))
			inner = nil
		case text != "":
			lines = append(lines, text)
		}
	}
}

// agent takes the line that announces a card within from the end of lines.
func agent(lines *[]string) string {
	if n := len(*lines); n > 0 && strings.HasPrefix(strings.ToUpper((*lines)[n-1]), "AGENT") && strings.HasSuffix((*lines)[n-1], ":") {
		head := (*lines)[n-1]
		*lines = (*lines)[:n-1]
		return head
	}
	return "AGENT:"
}

func isMark(text, word string) bool {
	name, value, _ := strings.Cut(strings.TrimSpace(text), ":")
	return strings.EqualFold(strings.TrimSpace(name), word) && strings.EqualFold(strings.TrimSpace(value), "VCARD")
}

// logical takes the next line and those that go on with it.
func (s *splitter) logical() (string, bool) {
	text, ok := s.physical()
	if !ok {
		return "", false
	}
	head, _, _ := strings.Cut(strings.ToUpper(text), ":")
	var b strings.Builder
	b.WriteString(text)
	soft := strings.Contains(head, "QUOTED-PRINTABLE") && strings.HasSuffix(text, "=")
	b64 := strings.Contains(head, "BASE64") || strings.Contains(head, "ENCODING=B;") || strings.HasSuffix(head, "ENCODING=B")
	for s.rest != "" {
		indented := s.rest[0] == ' ' || s.rest[0] == '\t'
		if !soft && !indented && !(b64 && s.goesOn()) {
			break
		}
		more, _ := s.physical()
		switch {
		case soft:
			b.WriteString("\n" + more) // "=\n" is what ends the line for quoted-printable
			soft = strings.HasSuffix(more, "=")
		case indented:
			b.WriteString(more[1:])
		default:
			b.WriteString(more)
		}
	}
	return b.String(), true
}

// goesOn reports whether the next line is base64 and no property.
func (s *splitter) goesOn() bool {
	next := s.rest
	if end := strings.IndexAny(next, "\r\n"); end >= 0 {
		next = next[:end]
	}
	return next != "" && strings.IndexFunc(next, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '+' || r == '/' || r == '=')
	}) < 0
}
