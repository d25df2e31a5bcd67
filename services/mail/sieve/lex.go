package sieve

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxScript is how long a script may be, in bytes.
const MaxScript = 64 << 10

// An Error says what is wrong with a script, and where; Line and Column, in characters, count
// from 1.
type Error struct {
	Line, Column int
	Reason       string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// errorAt makes an Error of an offset in a script.
func errorAt(src string, at int, format string, args ...any) *Error {
	before := src[:min(at, len(src))]
	start := strings.LastIndexByte(before, '\n') + 1
	return &Error{
		Line:   strings.Count(before, "\n") + 1,
		Column: utf8.RuneCountInString(before[start:]) + 1,
		Reason: fmt.Sprintf(format, args...),
	}
}

type kind int

const (
	none kind = iota // the end, or nothing
	word
	tag
	number
	text
	texts // only as what an argument is to be
	mark  // one of []{}(),;
)

var kinds = map[kind]string{number: "a number", text: "a string", texts: "a string or a list of them"}

// A token is the smallest part of a script (RFC 5228 §8.1).
type token struct {
	kind   kind
	at     int    // offset in the script
	text   string // of a word or a tag in lower case, of a string without its quotes
	number uint64
}

// what names a token in an error.
func (t token) what() string {
	switch t.kind {
	case none:
		return "the script ends"
	case text:
		return "there is a string"
	case number:
		return "there is a number"
	}
	return "there is " + strconv.Quote(t.text)
}

// A lexer cuts a script into tokens.
type lexer struct {
	src string
	at  int
}

func (l *lexer) errorf(at int, format string, args ...any) error {
	return errorAt(l.src, at, format, args...)
}

func (l *lexer) next() (token, error) {
	if err := l.space(); err != nil {
		return token{}, err
	}
	at := l.at
	if at == len(l.src) {
		return token{at: at}, nil
	}
	switch c := l.src[at]; {
	case strings.IndexByte("[]{}(),;", c) >= 0:
		l.at++
		return token{kind: mark, at: at, text: string(c)}, nil
	case c == '"':
		return l.quoted()
	case isDigit(c):
		return l.number()
	case c == ':':
		l.at++
		name := l.name()
		if name == "" {
			return token{}, l.errorf(at, "behind a colon there is the name of an option, as in :is")
		}
		return token{kind: tag, at: at, text: ":" + name}, nil
	}
	name := l.name()
	switch {
	case name == "text" && strings.HasPrefix(l.src[l.at:], ":"):
		return l.lines(at)
	case name == "":
		r, _ := utf8.DecodeRuneInString(l.src[at:])
		return token{}, l.errorf(at, "%q has no meaning here", r)
	}
	return token{kind: word, at: at, text: name}, nil
}

// space passes over white space and comments.
func (l *lexer) space() error {
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.at++
		case rest[0] == '#':
			if n := strings.IndexByte(rest, '\n'); n >= 0 {
				l.at += n + 1
			} else {
				l.at = len(l.src)
			}
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return l.errorf(l.at, "this comment has no end: it ends with */")
			}
			l.at += n + 4
		default:
			return nil
		}
	}
	return nil
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// name reads an identifier, "" when there is none.
func (l *lexer) name() string {
	start := l.at
	for l.at < len(l.src) && (isLetter(l.src[l.at]) || l.at > start && isDigit(l.src[l.at])) {
		l.at++
	}
	return lower(l.src[start:l.at])
}

// number reads digits, and K, M or G behind them.
func (l *lexer) number() (token, error) {
	at := l.at
	for l.at < len(l.src) && isDigit(l.src[l.at]) {
		l.at++
	}
	n, err := strconv.ParseUint(l.src[at:l.at], 10, 63)
	if l.at < len(l.src) {
		if shift := strings.IndexByte("kmg", l.src[l.at]|0x20); shift >= 0 {
			l.at++
			shift = 10 * (shift + 1)
			if n > math.MaxInt64>>shift {
				err = strconv.ErrRange
			}
			n <<= shift
		}
	}
	if err != nil {
		return token{}, l.errorf(at, "this number is too large")
	}
	if l.at < len(l.src) && isLetter(l.src[l.at]) {
		return token{}, l.errorf(l.at, "behind a number there may be K, M or G, and nothing else")
	}
	return token{kind: number, at: at, number: n}, nil
}

// quoted reads a string in quotation marks.
func (l *lexer) quoted() (token, error) {
	at := l.at
	var b strings.Builder
	for i := at + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '"':
			l.at = i + 1
			return token{kind: text, at: at, text: b.String()}, nil
		case c == '\\' && i+1 < len(l.src):
			i++
			b.WriteByte(l.src[i])
		default:
			b.WriteByte(c)
		}
	}
	return token{}, l.errorf(at, "this string has no end: it ends with a quotation mark")
}

// lines reads a string of several lines, which begins with text: and ends with a line that is
// a dot. Its lines end in CRLF, however the script's do.
func (l *lexer) lines(at int) (token, error) {
	l.at++
	rest := l.src[l.at:]
	first, rest, found := strings.Cut(rest, "\n")
	if s := strings.TrimLeft(strings.TrimSuffix(first, "\r"), " \t"); s != "" && s[0] != '#' {
		return token{}, l.errorf(l.at, "the text begins on the line behind text:")
	}
	var b strings.Builder
	for found {
		var line string
		line, rest, found = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "." {
			l.at = len(l.src) - len(rest)
			return token{kind: text, at: at, text: b.String()}, nil
		}
		if strings.HasPrefix(line, "..") {
			line = line[1:]
		}
		b.WriteString(line + "\r\n")
	}
	return token{}, l.errorf(at, "this text has no end: it ends with a line that is a dot")
}

// lower turns the letters of ASCII into small ones, and leaves all others alone (RFC 4790 §9.2.1).
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}
