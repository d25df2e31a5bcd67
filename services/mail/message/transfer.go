package message

import (
	"bytes"
	"strings"
)

// decodeTransfer undoes a Content-Transfer-Encoding, up to limit bytes. What is in no encoding, or
// an unknown one, is returned as it is, and shares b's memory.
func decodeTransfer(b []byte, encoding string, limit int) []byte {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "base64":
		return decodeBase64(b, limit)
	case "quoted-printable":
		return decodeQuotedPrintable(b, limit)
	}
	return b[:min(len(b), limit)]
}

// base64Value maps the alphabet of RFC 4648, and that for URLs, to values; 255 elsewhere.
var base64Value = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = byte(i)
	}
	t['-'], t['_'] = 62, 63
	return t
}()

// decodeBase64 decodes up to limit bytes. It passes over what is not of the
// alphabet (RFC 2045 §6.8), and goes on behind padding: some join two texts.
func decodeBase64(b []byte, limit int) []byte {
	out := make([]byte, 0, min(limit, len(b)/4*3+3))
	var acc uint32
	n := 0
	for _, c := range b {
		if len(out) >= limit {
			break
		}
		v := base64Value[c]
		if v == 255 {
			if c == '=' {
				out = appendRest(out, acc, n)
				acc, n = 0, 0
			}
			continue
		}
		acc = acc<<6 | uint32(v)
		if n++; n == 4 {
			out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
			acc, n = 0, 0
		}
	}
	out = appendRest(out, acc, n)
	return out[:min(len(out), limit)]
}

// appendRest appends the bytes of an incomplete group of n characters.
func appendRest(out []byte, acc uint32, n int) []byte {
	switch n {
	case 2:
		return append(out, byte(acc>>4))
	case 3:
		return append(out, byte(acc>>10), byte(acc>>2))
	}
	return out
}

// decodeQuotedPrintable decodes up to limit bytes (RFC 2045 §6.7). An equals sign
// that begins no escape stays.
func decodeQuotedPrintable(b []byte, limit int) []byte {
	out := make([]byte, 0, min(limit, len(b)))
	for len(b) > 0 && len(out) < limit {
		next := lineEnd(b, 0)
		line := b[:next]
		b = b[next:]
		text := bytes.TrimRight(line, " \t\r\n")
		soft := len(text) > 0 && text[len(text)-1] == '='
		if soft {
			text = text[:len(text)-1]
		}
		for i := 0; i < len(text); i++ {
			if c := text[i]; c == '=' && i+2 < len(text) && unhex(text[i+1]) < 16 && unhex(text[i+2]) < 16 {
				out = append(out, unhex(text[i+1])<<4|unhex(text[i+2]))
				i += 2
			} else {
				out = append(out, c)
			}
		}
		if !soft {
			switch {
			case bytes.HasSuffix(line, []byte("\r\n")):
				out = append(out, '\r', '\n')
			case bytes.HasSuffix(line, []byte("\n")):
				out = append(out, '\n')
			default: // the last line: its white space may be all that is left of a cut text
			}
		}
	}
	return out[:min(len(out), limit)]
}
