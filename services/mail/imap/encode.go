package imap

import "strconv"

// appendString writes a string (RFC 9051 §4.3): in quotes if it can stand there, else as a
// literal. utf8 says that quotes may hold more than ASCII.
func appendString(b []byte, s string, utf8 bool) []byte {
	if !quotable(s, utf8) {
		return appendLiteral(b, s)
	}
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// maxQuoted is the longest string that is written in quotes, in bytes.
const maxQuoted = 4 << 10

func quotable(s string, utf8 bool) bool {
	if len(s) > maxQuoted {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c == 0 || c == '\r' || c == '\n' || c >= 0x80 && !utf8 {
			return false
		}
	}
	return true
}

func appendLiteral(b []byte, s string) []byte {
	b = strconv.AppendInt(append(b, '{'), int64(len(s)), 10)
	return append(append(b, "}\r\n"...), s...)
}

// appendNString writes NIL for "".
func appendNString(b []byte, s string, utf8 bool) []byte {
	if s == "" {
		return append(b, "NIL"...)
	}
	return appendString(b, s, utf8)
}
