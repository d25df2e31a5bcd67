package message

import "strings"

// A scanner reads structured header values: comments, quoted strings, words.
type scanner struct {
	s   string
	pos int
}

func (s *scanner) done() bool { return s.pos >= len(s.s) }

// peek returns the next byte; 0 at the end.
func (s *scanner) peek() byte {
	if s.done() {
		return 0
	}
	return s.s[s.pos]
}

// skip passes over white space and comments and then over c, if that is next.
func (s *scanner) skip(c string) bool {
	s.space()
	if strings.HasPrefix(s.s[s.pos:], c) {
		s.pos += len(c)
		return true
	}
	return false
}

// space passes over white space and comments and returns the last comment's text.
func (s *scanner) space() (comment string) {
	for !s.done() {
		switch s.peek() {
		case ' ', '\t', '\r', '\n':
			s.pos++
		case '(':
			comment = s.comment()
		default:
			return comment
		}
	}
	return comment
}

// comment reads a comment, which may hold others, and returns what is in it. One
// that is never closed ends with the value.
func (s *scanner) comment() string {
	var b strings.Builder
	depth := 0
	for ; !s.done(); s.pos++ {
		switch c := s.peek(); {
		case c == '\\' && s.pos+1 < len(s.s):
			s.pos++
			b.WriteByte(s.peek())
			continue
		case c == '(':
			if depth++; depth == 1 {
				continue
			}
		case c == ')':
			if depth--; depth == 0 {
				s.pos++
				return b.String()
			}
		}
		b.WriteByte(s.peek())
	}
	return b.String()
}

// quoted reads a quoted string and returns what is in it.
func (s *scanner) quoted() string {
	s.pos++
	start := s.pos
	for ; !s.done(); s.pos++ {
		switch s.peek() {
		case '"':
			text := s.s[start:s.pos]
			s.pos++
			return text
		case '\\':
			s.pos = start
			return s.escaped()
		}
	}
	return s.s[start:]
}

// escaped is quoted from behind the quotation mark, for strings with backslashes.
func (s *scanner) escaped() string {
	var b strings.Builder
	for ; !s.done(); s.pos++ {
		c := s.peek()
		if c == '"' {
			s.pos++
			break
		}
		if c == '\\' && s.pos+1 < len(s.s) {
			s.pos++
			c = s.peek()
		}
		b.WriteByte(c)
	}
	return b.String()
}

// until reads up to one of the stops or the end and leaves comments out.
func (s *scanner) until(stops string) string {
	var b strings.Builder
	for !s.done() && strings.IndexByte(stops, s.peek()) < 0 {
		if s.peek() == '(' {
			s.comment()
			continue
		}
		b.WriteByte(s.peek())
		s.pos++
	}
	return b.String()
}

// paramValue reads a parameter's value: a quoted string, or up to the next
// semicolon, spaces and all, because file names are written so.
func (s *scanner) paramValue() string {
	s.space()
	if s.peek() == '"' {
		v := s.quoted()
		s.until(";")
		return v
	}
	start := s.pos
	for !s.done() && s.peek() != ';' {
		s.pos++
	}
	return strings.TrimSpace(s.s[start:s.pos])
}
