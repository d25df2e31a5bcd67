package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns text in the form in which it is compared: without differences of
// case, compatibility characters and accents taken apart (RFC 5051 §2), white space as one space.
func Fold(s string) string {
	out := make([]byte, 0, len(s)+1)
	last := byte(0)
	for i := 0; i < len(s); i++ {
		c := folded[s[i]]
		if c >= utf8.RuneSelf {
			end := i + 1
			for end < len(s) && s[end] >= utf8.RuneSelf {
				end++
			}
			out = foldUnicode(out, s[i:end])
			last = out[len(out)-1]
			i = end - 1
			continue
		}
		if c != ' ' || last != ' ' {
			out = append(out, c)
		}
		last = c
	}
	return string(out)
}

// folded maps ASCII to lower case, and white space and control characters to the space.
var folded = func() (t [256]byte) {
	for i := range t {
		c := byte(i)
		switch {
		case c <= ' ':
			c = ' '
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		t[i] = c
	}
	return t
}()

func foldUnicode(out []byte, s string) []byte {
	for _, r := range norm.NFKD.String(strings.ToValidUTF8(s, "\uFFFD")) {
		if unicode.IsSpace(r) {
			r = ' '
			if n := len(out); n > 0 && out[n-1] == ' ' {
				continue
			}
		}
		out = utf8.AppendRune(out, unicode.ToLower(unicode.ToTitle(r)))
	}
	return out
}
