package image

import (
	"bytes"
	"io"
)

// CodeLines counts the lines of a file in Go, C or Go's assembly that hold anything but
// blanks and comments. A line of a string that spans lines is code.
func CodeLines(r io.Reader) (int, error) {
	data, err := io.ReadAll(r)
	n := 0
	for _, code := range codeLines(data) {
		if code {
			n++
		}
	}
	return n, err
}

// codeLines says of each line of a file whether it holds code.
func codeLines(data []byte) []bool {
	var lines []bool
	s := scanner{}
	for line := range bytes.Lines(data) {
		s.code, s.last = s.in == '`' && len(bytes.TrimSpace(line)) > 0, 0
		for _, x := range line {
			s.next(x)
		}
		if s.last == '/' && s.in == 0 {
			s.code = true
		}
		if s.in != '*' && s.in != '`' {
			s.in = 0 // nothing else goes on in the next line
		}
		lines = append(lines, s.code)
	}
	return lines
}

// A scanner reads a file a byte at a time.
type scanner struct {
	code bool // there is some in this line
	in   byte // 0, or what we are in: / a comment to the line's end, * one to its mark, or a quote
	last byte // the byte before, 0 if it cannot begin or end anything
}

func (s *scanner) next(x byte) {
	last := s.last
	s.last = x
	switch {
	case s.in == '/' || x == '\n' || x == '\r':
		s.last = last
	case s.in == '*':
		if last == '*' && x == '/' {
			s.in, s.last = 0, 0
		}
	case s.in != 0:
		s.quoted(x, last)
	case last == '/' && (x == '/' || x == '*'):
		s.in, s.last = x, 0
	default:
		s.code = s.code || last == '/' || x > ' ' && x != '/'
		if x == '"' || x == '\'' || x == '`' {
			s.in, s.last = x, 0
		}
	}
}

// quoted reads a byte of a string or a character.
func (s *scanner) quoted(x, last byte) {
	s.code = true
	escaped := last == '\\' && s.in != '`'
	switch {
	case escaped:
		s.last = 0
	case x == s.in:
		s.in, s.last = 0, 0
	}
}
