package imap

import (
	"strconv"
	"strings"
)

// A syntaxError says what a command should have had where it had something else.
type syntaxError string

func (e syntaxError) Error() string { return "Syntax error: " + string(e) }

func expected(what string) error { return syntaxError("there should be " + what) }

// A scanner reads the arguments of a command (RFC 9051 §9): the bytes as they came, with
// literals in place, without the last line's end.
type scanner struct {
	b     []byte
	depth int // of parentheses
}

// maxDepth bounds how deep parentheses, and NOT and OR of searches, may lie in each other.
const maxDepth = 50

func (s *scanner) peek() byte {
	if len(s.b) == 0 {
		return 0
	}
	return s.b[0]
}

// is takes a byte if it is there.
func (s *scanner) is(c byte) bool {
	if s.peek() != c || len(s.b) == 0 {
		return false
	}
	s.b = s.b[1:]
	return true
}

func (s *scanner) want(c byte) error {
	if !s.is(c) {
		return expected(strconv.QuoteRune(rune(c)))
	}
	return nil
}

func (s *scanner) space() error {
	if !s.is(' ') {
		return expected("a space")
	}
	return nil
}

// end makes sure that nothing follows.
func (s *scanner) end() error {
	s.is(' ') // some clients leave one there
	if len(s.b) > 0 {
		return expected("nothing more")
	}
	return nil
}

func (s *scanner) while(ok func(byte) bool) string {
	n := 0
	for n < len(s.b) && ok(s.b[n]) {
		n++
	}
	word := string(s.b[:n])
	s.b = s.b[n:]
	return word
}

func atomChar(c byte) bool    { return c > ' ' && c != 0x7f && !strings.ContainsRune(`(){%*"\]`, rune(c)) }
func astringChar(c byte) bool { return atomChar(c) || c == ']' }
func digit(c byte) bool       { return '0' <= c && c <= '9' }

// attribute reads the name of a FETCH item, in upper case: an atom without a bracket.
func (s *scanner) attribute() string {
	return strings.ToUpper(s.while(func(c byte) bool { return atomChar(c) && c != '[' && c != '<' }))
}

// atom reads an atom.
func (s *scanner) atom() (string, error) {
	word := s.while(atomChar)
	if word == "" {
		return "", expected("a word")
	}
	return word, nil
}

// keyword reads an atom in upper case.
func (s *scanner) keyword() (string, error) {
	word, err := s.atom()
	return strings.ToUpper(word), err
}

// astring reads an atom, a quoted string or a literal.
func (s *scanner) astring() (string, error) {
	if c := s.peek(); c == '"' || c == '{' || c == '~' {
		return s.text()
	}
	word := s.while(astringChar)
	if word == "" {
		return "", expected("a string")
	}
	return word, nil
}

// text reads a quoted string or a literal.
func (s *scanner) text() (string, error) {
	switch s.peek() {
	case '"':
		return s.quoted()
	case '{', '~':
		return s.literal()
	}
	return "", expected("a string in quotes")
}

func (s *scanner) quoted() (string, error) {
	var out []byte
	for i := 1; i < len(s.b); i++ {
		switch c := s.b[i]; c {
		case '"':
			s.b = s.b[i+1:]
			return string(out), nil
		case '\r', '\n':
			return "", expected("a quote")
		case '\\':
			if i++; i == len(s.b) {
				return "", expected("a quote")
			}
			out = append(out, s.b[i])
		default:
			out = append(out, c)
		}
	}
	return "", expected("a quote")
}

// literal reads a literal that has been read from the connection already.
func (s *scanner) literal() (string, error) {
	line, _, ok := strings.Cut(string(s.b[:min(len(s.b), 40)]), "\n")
	if !ok {
		return "", expected("a literal")
	}
	n, _, ok := literalSize([]byte(line + "\n"))
	if at := len(line) + 1; ok && n <= int64(len(s.b)-at) && strings.IndexByte(line, '{') <= 1 {
		text := string(s.b[at : at+int(n)])
		s.b = s.b[at+int(n):]
		return text, nil
	}
	return "", expected("a literal")
}

// nstring reads NIL, as "", or a string.
func (s *scanner) nstring() (string, error) {
	if c := s.peek(); c == '"' || c == '{' {
		return s.text()
	}
	if word, err := s.keyword(); err != nil || word != "NIL" {
		return "", expected("a string or NIL")
	}
	return "", nil
}

// number reads a number of at most max.
func (s *scanner) number(max uint64) (uint64, error) {
	n, err := strconv.ParseUint(s.while(digit), 10, 64)
	if err != nil || n > max {
		return 0, expected("a number")
	}
	return n, nil
}

// list reads what is in parentheses, with f for each of the members.
func (s *scanner) list(f func() error) error {
	if err := s.want('('); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return syntaxError("parentheses lie too deep in each other")
	}
	defer func() { s.depth-- }()
	for !s.is(')') {
		if err := f(); err != nil {
			return err
		}
		if s.is(')') {
			return nil
		}
		if err := s.space(); err != nil {
			return err
		}
	}
	return nil
}
