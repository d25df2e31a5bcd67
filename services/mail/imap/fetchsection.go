package imap

import (
	"math"
	"strconv"
	"strings"
)

// section reads [section]<partial>.
func (f *fetch) section(s *scanner, sec section) error {
	start := s.b
	if err := s.want('['); err != nil {
		return err
	}
	if err := sec.inside(s); err != nil {
		return err
	}
	if err := s.want(']'); err != nil {
		return err
	}
	sec.item += echo(start[:len(start)-len(s.b)])
	sec.length = -1
	if err := sec.partial(s); err != nil {
		return err
	}
	return f.add(sec)
}

// echo is a section as the response repeats it: names in upper case, literals as strings in quotes.
func echo(b []byte) string {
	s := &scanner{b: b}
	var out strings.Builder
	for len(s.b) > 0 {
		if c := s.peek(); c != '"' && c != '{' {
			out.WriteString(strings.ToUpper(string(c)))
			s.b = s.b[1:]
		} else if text, err := s.text(); err == nil {
			out.Write(appendString(nil, text, false))
		} else {
			break
		}
	}
	return out.String()
}

func (sec *section) inside(s *scanner) error {
	for digit(s.peek()) {
		n, err := s.number(math.MaxInt32)
		if err != nil || n == 0 || len(sec.path) == maxSectionPath {
			return expected("the number of a part")
		}
		sec.path = append(sec.path, int(n))
		if !s.is('.') {
			return nil
		}
	}
	if s.peek() == ']' && len(sec.path) == 0 {
		return nil
	}
	sec.what = strings.ToUpper(s.while(func(c byte) bool { return atomChar(c) }))
	switch {
	case sec.kind != bodySection:
		return expected("the number of a part")
	case sec.what == "HEADER", sec.what == "TEXT", sec.what == "MIME" && len(sec.path) > 0:
		return nil
	case sec.what != "HEADER.FIELDS" && sec.what != "HEADER.FIELDS.NOT":
		return expected("HEADER, TEXT or the like")
	}
	if err := s.space(); err != nil {
		return err
	}
	err := s.list(func() error {
		name, err := s.astring()
		sec.fields = append(sec.fields, name)
		return err
	})
	if err == nil && len(sec.fields) == 0 {
		err = expected("names of fields")
	}
	return err
}

func (sec *section) partial(s *scanner) (err error) {
	if sec.kind == binarySize || !s.is('<') {
		return nil
	}
	offset, err := s.number(math.MaxInt64)
	if err == nil {
		err = s.want('.')
	}
	if err != nil {
		return err
	}
	length, err := s.number(math.MaxInt64)
	if err == nil {
		err = s.want('>')
	}
	if length == 0 && err == nil {
		err = expected("a number above 0")
	}
	sec.offset, sec.length = int64(offset), int64(length)
	sec.item += "<" + strconv.FormatUint(offset, 10) + ">"
	return err
}
