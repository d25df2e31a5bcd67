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
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			end := i
			for end < len(s) && s[end] >= utf8.RuneSelf {
				end++
			}
			out = foldUnicode(out, s[i:end])
			i = end - 1
		case c <= ' ':
			if n := len(out); n == 0 || out[n-1] != ' ' {
				out = append(out, ' ')
			}
		case 'A' <= c && c <= 'Z':
			out = append(out, c+'a'-'A')
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

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
