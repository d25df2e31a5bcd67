package message

import "strings"

// DecodeWords decodes the encoded words of RFC 2047 in an unfolded value. Words
// that cannot be decoded stay as they are; raw bytes that are not UTF-8 are taken as
// windows-1252. The result is valid UTF-8 without control characters.
func DecodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return clean(s)
	}
	var out strings.Builder
	var run words
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		w, n := cutWord(s[i:])
		if n == 0 {
			out.WriteString(run.flush())
			out.WriteString(clean(s[:i+2]))
			s = s[i+2:]
			continue
		}
		// White space between two encoded words is not shown (RFC 2047 §6.2).
		if gap := s[:i]; strings.Trim(gap, " \t\r\n") != "" || !run.open {
			out.WriteString(run.flush())
			out.WriteString(clean(gap))
		}
		if !run.add(w) {
			out.WriteString(run.flush())
			run.add(w)
		}
		s = s[i+n:]
	}
	out.WriteString(run.flush())
	out.WriteString(clean(s))
	return out.String()
}

// A word is an encoded word with its transfer encoding undone.
type word struct {
	charset string
	data    []byte
}

// words are adjacent encoded words in one charset: a character may begin in one
// and end in the next, which is forbidden and common.
type words struct {
	open bool
	word
}

func (r *words) add(w word) bool {
	if r.open && !strings.EqualFold(r.charset, w.charset) {
		return false
	}
	r.open, r.charset, r.data = true, w.charset, append(r.data, w.data...)
	return true
}

func (r *words) flush() string {
	if !r.open {
		return ""
	}
	s := clean(toUTF8(r.data, r.charset, 3*len(r.data)+16))
	*r = words{}
	return s
}

// maxWord bounds an encoded word. RFC 2047 says 75; some put whole subjects in one.
const maxWord = 2048

// cutWord decodes the encoded word that s, which begins with "=?", begins with and
// returns its length; 0 if it is none.
func cutWord(s string) (w word, n int) {
	limit := s[:min(len(s), maxWord)]
	charset, rest, ok := strings.Cut(limit[2:], "?")
	if !ok || charset == "" || strings.ContainsAny(charset, " \t=") || len(rest) < 2 || rest[1] != '?' {
		return word{}, 0
	}
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231 §5: a language
	coded := rest[2:]
	end := strings.Index(coded, "?=")
	if end < 0 {
		return word{}, 0
	}
	switch rest[0] {
	case 'b', 'B':
		w.data = decodeBase64([]byte(coded[:end]), end)
	case 'q', 'Q':
		w.data = decodeQ(coded[:end])
	default:
		return word{}, 0
	}
	w.charset = charset
	return w, len(limit) - len(coded) + end + 2
}

// decodeQ undoes the encoding "Q" of RFC 2047 §4.2.
func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(s) && unhex(s[i+1]) < 16 && unhex(s[i+2]) < 16:
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

// unhex returns the value of a hexadecimal digit; 255 for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
