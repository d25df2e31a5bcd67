package object

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// A Header is a line before a commit's or tag's message. A Value of several lines
// is written with a space before each line after the first.
type Header struct {
	Key, Value string
}

// A headerReader takes the header lines of a commit or tag from the front.
type headerReader struct {
	rest []byte
}

// line returns the next line's value when its key is this one.
func (r *headerReader) line(key string) (value []byte, ok bool) {
	rest, ok := bytes.CutPrefix(r.rest, []byte(key))
	if !ok || len(rest) == 0 || rest[0] != ' ' {
		return nil, false
	}
	value, r.rest, _ = bytes.Cut(rest[1:], []byte("\n"))
	return value, true
}

func (r *headerReader) hash(key string) (h Hash, ok bool, err error) {
	value, ok := r.line(key)
	if !ok {
		return h, false, nil
	}
	if len(value) != 2*len(h) {
		return h, true, fmt.Errorf("%s: %q is not a hash", key, short(value))
	}
	if _, err := hex.Decode(h[:], value); err != nil {
		return h, true, fmt.Errorf("%s: %q is not a hash", key, short(value))
	}
	return h, true, nil
}

func (r *headerReader) signature(key string) (Signature, bool, error) {
	value, ok := r.line(key)
	if !ok {
		return Signature{}, false, nil
	}
	s, err := parseSignature(value)
	if err != nil {
		err = fmt.Errorf("%s: %w", key, err)
	}
	return s, true, err
}

// extra takes the remaining headers and leaves the message.
func (r *headerReader) extra() []Header {
	var headers []Header
	for len(r.rest) > 0 && r.rest[0] != '\n' {
		var line []byte
		line, r.rest, _ = bytes.Cut(r.rest, []byte("\n"))
		key, value, _ := strings.Cut(string(line), " ")
		h := Header{key, value}
		if len(r.rest) > 0 && r.rest[0] == ' ' {
			h.Value += r.continuation()
		}
		headers = append(headers, h)
	}
	return headers
}

// continuation takes the lines that begin with a space, in time that
// is linear in their number.
func (r *headerReader) continuation() string {
	var b strings.Builder
	for len(r.rest) > 0 && r.rest[0] == ' ' {
		var line []byte
		line, r.rest, _ = bytes.Cut(r.rest[1:], []byte("\n"))
		b.WriteByte('\n')
		b.Write(line)
	}
	return b.String()
}

func (r *headerReader) message() string {
	return string(bytes.TrimPrefix(r.rest, []byte("\n")))
}

func appendHeader(dst []byte, key, value string) []byte {
	dst = append(dst, key...)
	for line := range strings.SplitSeq(value, "\n") {
		dst = append(dst, ' ')
		dst = append(dst, line...)
		dst = append(dst, '\n')
	}
	return dst
}

func appendHash(dst []byte, key string, h Hash) []byte {
	dst = append(dst, key...)
	dst = append(dst, ' ')
	dst = hex.AppendEncode(dst, h[:])
	return append(dst, '\n')
}

func appendSignature(dst []byte, key string, s Signature) []byte {
	dst = append(dst, key...)
	dst = append(dst, ' ')
	dst = s.append(dst)
	return append(dst, '\n')
}

// short keeps hostile text out of error messages beyond a glimpse.
func short(b []byte) []byte {
	return b[:min(len(b), 64)]
}
