package line

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Collation says which texts are the same (RFC 4790).
type Collation string

// The collations that RFC 4791 §7.5 and RFC 6352 §8.3 ask for.
const (
	ASCIICasemap   Collation = "i;ascii-casemap"
	Octet          Collation = "i;octet"
	UnicodeCasemap Collation = "i;unicode-casemap" // RFC 5051
)

// Known reports whether c is one of the collations above.
func (c Collation) Known() bool { return c == ASCIICasemap || c == Octet || c == UnicodeCasemap }

// Fold returns what is compared octet by octet in the place of s.
func (c Collation) Fold(s string) string {
	switch c {
	case ASCIICasemap:
		return upperASCII(s)
	case UnicodeCasemap:
		if isASCII(s) {
			return upperASCII(s)
		}
		return norm.NFKD.String(strings.Map(unicode.ToTitle, s))
	}
	return s
}

// A MatchType says how a text must be found in another (RFC 6352 §10.5.4). The
// zero value is Contains, which is all that CalDAV knows.
type MatchType uint8

const (
	Contains MatchType = iota
	Equals
	StartsWith
	EndsWith
)

// A TextMatch is a condition on text (RFC 4791 §9.7.5, RFC 6352 §10.5.4).
type TextMatch struct {
	Text      string
	Collation Collation // "" is i;ascii-casemap
	Type      MatchType
	Negate    bool
}

// Match reports whether s, which is not escaped, meets the condition.
func (m *TextMatch) Match(s string) bool { return m.found(s) != m.Negate }

func (m *TextMatch) found(s string) bool {
	c := m.Collation
	if c == "" {
		c = ASCIICasemap
	}
	text, s := c.Fold(m.Text), c.Fold(s)
	switch m.Type {
	case Equals:
		return s == text
	case StartsWith:
		return strings.HasPrefix(s, text)
	case EndsWith:
		return strings.HasSuffix(s, text)
	}
	return strings.Contains(s, text)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// upperASCII turns a to z into A to Z and leaves the rest.
func upperASCII(s string) string {
	for i := range len(s) {
		if 'a' <= s[i] && s[i] <= 'z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'a' <= b[i] && b[i] <= 'z' {
					b[i] -= 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
