package message

import "encoding/base64"

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
