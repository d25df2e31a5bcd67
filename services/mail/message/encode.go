package message

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// EncodeWords returns text as it may stand in a header field that is not folded yet:
// itself when it is printable ASCII that can be folded, otherwise in encoded words of UTF-8.
func EncodeWords(s string) string {
	s = clean(s)
	if plain(s) && !strings.Contains(s, "=?") && foldable(s) {
		return s
	}
	const room = 39 // bytes; 52 characters of base64
	var out strings.Builder
	for s != "" {
		n := 0
		for n < len(s) {
			_, size := utf8.DecodeRuneInString(s[n:])
			if n+size > room {
				break
			}
			n += size
		}
		if out.Len() > 0 {
			out.WriteByte(' ')
		}
		out.WriteString("=?utf-8?B?" + base64.StdEncoding.EncodeToString([]byte(s[:n])) + "?=")
		s = s[n:]
	}
	return out.String()
}

// foldable reports whether no word is so long that its line would be (RFC 5322 §2.1.1).
func foldable(s string) bool {
	for word := range strings.FieldsSeq(s) {
		if len(word) > 900 {
			return false
		}
	}
	return true
}

// EncodeBase64 encodes a body in lines of 76 characters that end in CRLF (RFC 2045 §6.8).
func EncodeBase64(b []byte) []byte {
	const perLine = 57
	out := make([]byte, 0, (len(b)/perLine+1)*78)
	for len(b) > 0 {
		n := min(len(b), perLine)
		out = append(base64.StdEncoding.AppendEncode(out, b[:n]), "\r\n"...)
		b = b[n:]
	}
	return out
}
