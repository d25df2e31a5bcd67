package sieve

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxVariables = 256
	maxName      = 64      // characters of a variable's name
	maxValue     = 8 << 10 // bytes that a variable holds; what is beyond is cut off (RFC 5229 §6)
	maxPhrase    = 1 << 20 // bytes that become of one string of a script
)

// A phrase is a string of a script, with the references to variables in it (RFC 5229 §3).
type phrase struct {
	at    int
	parts []part
}

// A part is as it stands there, or a variable: one by name, or else by the number of what a
// wildcard has matched.
type part struct {
	literal string
	name    string
	number  int
	refers  bool
}

// constant returns the phrase if it is always the same.
func (p phrase) constant() (string, bool) {
	switch {
	case len(p.parts) == 0:
		return "", true
	case len(p.parts) == 1 && !p.parts[0].refers:
		return p.parts[0].literal, true
	}
	return "", false
}

// in returns what the phrase is at the moment.
func (p phrase) in(r *run) (string, error) {
	if s, ok := p.constant(); ok {
		return s, nil
	}
	var b strings.Builder
	for _, part := range p.parts {
		switch {
		case !part.refers:
			b.WriteString(part.literal)
		case part.name != "":
			b.WriteString(r.variables[part.name])
		case part.number < len(r.matched):
			b.WriteString(r.matched[part.number])
		}
		if b.Len() > maxPhrase {
			return "", r.errorf(p.at, "the variables make this string too long")
		}
	}
	return b.String(), r.spend(p.at, b.Len())
}

// allIn returns what phrases are at the moment.
func allIn(r *run, list []phrase) ([]string, error) {
	all := make([]string, len(list))
	for i, p := range list {
		var err error
		if all[i], err = p.in(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// phrase reads a string as the extensions that the script requires say.
func (b *builder) phrase(t token) (phrase, error) {
	s := t.text
	if b.has["encoded-character"] {
		var err error
		if s, err = b.encoded(t); err != nil {
			return phrase{}, err
		}
	}
	p := phrase{at: t.at}
	if !b.has["variables"] {
		if s != "" {
			p.parts = []part{{literal: s}}
		}
		return p, nil
	}
	for s != "" {
		start, end, ref := b.reference(s)
		if end == 0 {
			start = len(s)
		}
		if start > 0 {
			p.parts = append(p.parts, part{literal: s[:start]})
		}
		if end == 0 {
			break
		}
		if strings.Contains(ref.name, ".") {
			return p, b.errorf(t.at, "there is no variable %q: names with a dot belong to extensions, and none that is here has any", ref.name)
		}
		p.parts = append(p.parts, ref)
		s = s[end:]
	}
	return p, nil
}

// reference finds the first reference in s, which is s[start:end]; without one end is 0. What
// only looks like one is as it is.
func (b *builder) reference(s string) (start, end int, ref part) {
	for from := 0; ; {
		i := strings.Index(s[from:], "${")
		if i < 0 {
			return 0, 0, part{}
		}
		start = from + i
		from = start + 2
		n := strings.IndexByte(s[from:], '}')
		if n < 0 {
			return 0, 0, part{}
		}
		name := lower(s[from : from+n])
		if isNumber(name) {
			number, err := strconv.Atoi(name)
			if err != nil {
				number = maxCaptures // there is no such match: it is empty
			}
			return start, from + n + 1, part{refers: true, number: number}
		}
		if validName(name) {
			return start, from + n + 1, part{refers: true, name: name}
		}
	}
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// validName reports whether s is an identifier, or several with dots between them.
func validName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || isDigit(label[0]) {
			return false
		}
		for i := range len(label) {
			if !isLetter(label[i]) && !isDigit(label[i]) {
				return false
			}
		}
	}
	return true
}

// encoded replaces characters that are written as numbers, as in ${hex:40} and ${unicode:20ac}
// (RFC 5228 §2.4.2.4).
func (b *builder) encoded(t token) (string, error) {
	s := t.text
	var out strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			break
		}
		n := strings.IndexByte(s[i:], '}')
		if n < 0 {
			break
		}
		which, digits, _ := strings.Cut(s[i+2:i+n], ":")
		var chars string
		var ok bool
		switch lower(which) {
		case "hex":
			chars, ok = byHex(digits)
		case "unicode":
			var err error
			if chars, ok, err = b.byUnicode(digits, t.at); err != nil {
				return "", err
			}
		}
		if !ok {
			out.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		out.WriteString(s[:i] + chars)
		s = s[i+n+1:]
	}
	out.WriteString(s)
	return out.String(), nil
}

func byHex(digits string) (string, bool) {
	var b []byte
	for f := range strings.FieldsSeq(digits) {
		n, err := strconv.ParseUint(f, 16, 8)
		if err != nil || len(f) > 2 {
			return "", false
		}
		b = append(b, byte(n))
	}
	return string(b), b != nil
}

func (b *builder) byUnicode(digits string, at int) (string, bool, error) {
	var out []rune
	for f := range strings.FieldsSeq(digits) {
		n, err := strconv.ParseUint(f, 16, 64)
		if err != nil {
			if isHex(f) {
				n = utf8.MaxRune + 1
			} else {
				return "", false, nil
			}
		}
		if n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
			return "", false, b.errorf(at, "there is no character %s in Unicode", f)
		}
		out = append(out, rune(n))
	}
	return string(out), out != nil, nil
}

func isHex(s string) bool { return s != "" && strings.Trim(lower(s), "0123456789abcdef") == "" }
