package managesieve

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// An argument is a string or a number.
type argument struct {
	text   string
	number bool
}

// command reads a command: its name in upper case and what it takes. The first byte has until
// first, the rest restTime; no string is longer than limit.
func (w *wire) command(first time.Time, limit int) (name string, args []argument, err error) {
	w.wait(first)
	if _, err := w.r.Peek(1); err != nil {
		return "", nil, err
	}
	w.wait(earlier(first, time.Now().Add(restTime)))
	w.left = maxLine
	if name, err = w.atom(); err != nil {
		return "", nil, err
	}
	for {
		c, err := w.byte()
		switch {
		case err != nil:
			return "", nil, err
		case c == '\n':
			return strings.ToUpper(name), args, w.unknown(name)
		case c == '\r':
			continue
		case c != ' ' || len(args) == maxArgs:
			return "", nil, w.skip("between what a command takes is one space, and no command takes so much")
		}
		a, err := w.argument(limit)
		if err != nil {
			return "", nil, err
		}
		args = append(args, a)
	}
}

func (w *wire) unknown(name string) error {
	if name == "" {
		return &badError{"a command has a name"}
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// byte reads a byte of the line.
func (w *wire) byte() (byte, error) {
	if w.left--; w.left < 0 {
		return 0, errLong
	}
	return w.r.ReadByte()
}

// skip passes over the rest of the line, which means nothing.
func (w *wire) skip(why string) error {
	w.r.UnreadByte()
	for {
		c, err := w.byte()
		if err != nil {
			return err
		}
		if c == '\n' {
			return &badError{why}
		}
	}
}

// atom reads letters and digits.
func (w *wire) atom() (string, error) {
	var b strings.Builder
	for {
		c, err := w.byte()
		if err != nil {
			return "", err
		}
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"{}()`, c) >= 0 {
			return b.String(), w.r.UnreadByte()
		}
		b.WriteByte(c)
	}
}

func (w *wire) argument(limit int) (argument, error) {
	c, err := w.byte()
	switch {
	case err != nil:
		return argument{}, err
	case c == '"':
		s, err := w.quoted(limit)
		return argument{text: s}, err
	case c == '{':
		s, err := w.literal(limit)
		return argument{text: s}, err
	case c >= '0' && c <= '9':
		w.r.UnreadByte()
		s, err := w.atom()
		if _, bad := strconv.ParseUint(s, 10, 32); err == nil && bad != nil {
			err = w.skip(fmt.Sprintf("%q is no number", s))
		}
		return argument{text: s, number: true}, err
	}
	return argument{}, w.skip("a command takes strings and numbers")
}

// quoted reads a string in quotation marks, behind the first of them.
func (w *wire) quoted(limit int) (string, error) {
	var b strings.Builder
	for {
		c, err := w.byte()
		if err == nil && c == '\\' {
			if c, err = w.byte(); err == nil && c != '"' && c != '\\' {
				return "", w.skip("in a string a backslash stands before a quotation mark or another one")
			}
		} else if err == nil && c == '"' {
			return w.valid(b.String())
		}
		switch {
		case err != nil:
			return "", err
		case c == '\r' || c == '\n' || c == 0:
			return "", w.skip("a string in quotation marks has one line: use a literal")
		case b.Len() == limit:
			return "", w.skip("the string is too long")
		}
		b.WriteByte(c)
	}
}

// valid refuses what is not UTF-8 (RFC 5804 §4).
func (w *wire) valid(s string) (string, error) {
	if !utf8.ValidString(s) {
		if _, err := w.byte(); err != nil {
			return "", err
		}
		return "", w.skip("a string is written in UTF-8")
	}
	return s, nil
}

// literal reads {SIZE+}, behind the brace, and as many bytes behind the line's end.
func (w *wire) literal(limit int) (string, error) {
	digits, err := w.atom()
	if err != nil {
		return "", err
	}
	size, bad := strconv.ParseUint(strings.TrimSuffix(digits, "+"), 10, 32)
	if c, err := w.byte(); err != nil || c != '}' || bad != nil || !strings.HasSuffix(digits, "+") {
		return "", errors.Join(err, errLiteral)
	}
	c, err := w.byte()
	if err == nil && c == '\r' {
		c, err = w.byte()
	}
	switch {
	case err != nil:
		return "", err
	case c != '\n' || size > uint64(limit):
		return "", errLiteral
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(w.r, b); err != nil {
		return "", err
	}
	return w.valid(string(b))
}

// errLiteral ends the connection: where the next command begins is not known, or too far away.
var errLiteral = fmt.Errorf("a literal is written as {SIZE+} at the end of the line, and has at most %d bytes, %d before the log-in", maxString, maxEarly)

// line reads a line that is one string: what a client answers while it logs in.
func (w *wire) line(deadline time.Time) (string, error) {
	w.wait(deadline)
	w.left = maxLine
	a, err := w.argument(maxEarly)
	if err != nil {
		return "", err
	}
	for {
		switch c, err := w.byte(); {
		case err != nil:
			return "", err
		case c == '\n':
			return a.text, nil
		case c != '\r':
			return "", w.skip("behind the string the line ends")
		}
	}
}
