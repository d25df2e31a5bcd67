package unipi

import (
	"bytes"
	"errors"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Limits of a request's head.
const (
	maxHeadBytes  = 16 << 10
	maxHeadFields = 100
)

var (
	errHeadMore     = errors.New("the head is not complete yet")
	errHeadBad      = errors.New("malformed request head")
	errHeadTooLarge = errors.New("request head too large")
	errHeadVersion  = errors.New("not HTTP/1")
)

// A requestHead is the head of an HTTP/1 request, read strictly: whoever reads
// it differently is wrong. It refuses what net/http lets through, because
// between two readers who disagree a second request can be hidden: bare CR or
// LF, folded lines, empty names, white space before the colon, several lengths,
// a length together with Transfer-Encoding, codings other than chunked.
type requestHead struct {
	size    int    // bytes, with the empty line
	method  string // these point into the text that was parsed
	target  string
	minor   byte // 0 or 1
	host    string
	fields  [wantedFields]string
	present [wantedFields]bool

	length  int64 // of the body; -1: chunked
	special bool  // has a field that net/http should look after: Connection, Expect, Upgrade, a body
}

// The fields that an answer can depend on.
const (
	fieldAcceptEncoding = iota
	fieldAuthorization
	fieldIfMatch
	fieldIfModifiedSince
	fieldIfNoneMatch
	fieldIfRange
	fieldIfUnmodifiedSince
	fieldRange
	fieldReferer
	fieldUserAgent
	wantedFields
)

var wantedNames = [wantedFields]string{
	"Accept-Encoding", "Authorization", "If-Match", "If-Modified-Since", "If-None-Match",
	"If-Range", "If-Unmodified-Since", "Range", "Referer", "User-Agent",
}

// parseHead reads one head from the start of b. errHeadMore asks for more
// bytes; from is how many there were when it last did.
func parseHead(b []byte, from int) (h requestHead, err error) {
	from = max(from-3, 0)
	end := bytes.Index(b[from:], []byte("\r\n\r\n"))
	if end >= 0 {
		end += from
	}
	switch {
	case end < 0 && len(b) >= maxHeadBytes || end > maxHeadBytes:
		return h, errHeadTooLarge
	case end < 0:
		return h, hopeless(b, from)
	}
	h.size = end + 4
	text := string(b[:end+2])
	line, rest, _ := strings.Cut(text, "\r\n")
	if err := h.requestLine(line); err != nil {
		return h, err
	}
	hosts := 0
	lengths, codings := 0, 0
	for n := 0; rest != ""; n++ {
		if n == maxHeadFields {
			return h, errHeadTooLarge
		}
		line, rest, _ = strings.Cut(rest, "\r\n")
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) || !isValue(value) {
			return h, errHeadBad
		}
		value = strings.Trim(value, " \t")
		switch len(name) {
		case 4:
			if strings.EqualFold(name, "Host") {
				hosts++
				if h.host = value; !httpguts.ValidHostHeader(value) {
					return h, errHeadBad
				}
			}
		case 14:
			if strings.EqualFold(name, "Content-Length") {
				lengths++
				if value == "" || len(value) > 18 || !digits(value) {
					return h, errHeadBad
				}
				h.length = number(value)
			}
		case 17:
			if strings.EqualFold(name, "Transfer-Encoding") {
				codings++
				if !strings.EqualFold(value, "chunked") {
					return h, errHeadBad
				}
			}
		}
		h.note(name, value)
	}
	switch {
	case hosts > 1 || hosts == 0 && h.minor == 1,
		lengths > 1 || codings > 1 || lengths+codings > 1,
		codings > 0 && h.minor == 0:
		return h, errHeadBad
	case codings > 0:
		h.length = -1
	}
	h.special = h.special || h.length != 0
	return h, nil
}

// hopeless reports whether an incomplete head can be refused already.
func hopeless(b []byte, from int) error {
	for i := from; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\n' && (i == 0 || b[i-1] != '\r'), c == 0:
			return errHeadBad
		case c == '\r' && i+1 < len(b) && b[i+1] != '\n':
			return errHeadBad
		}
	}
	return errHeadMore
}

// requestLine reads "GET /path HTTP/1.1".
func (h *requestHead) requestLine(line string) error {
	var version string
	var ok1, ok2 bool
	h.method, line, ok1 = strings.Cut(line, " ")
	h.target, version, ok2 = strings.Cut(line, " ")
	if !ok1 || !ok2 || !isToken(h.method) || !printable(h.target) || len(h.method) > 32 {
		return errHeadBad
	}
	switch version {
	case "HTTP/1.1":
		h.minor = 1
	case "HTTP/1.0":
	default:
		return errHeadVersion
	}
	return nil
}

// note keeps the fields that answers depend on and notices those that are
// net/http's business. A wanted field that comes twice is, too.
func (h *requestHead) note(name, value string) {
	switch name[0] | 0x20 {
	case 'c', 'e', 't', 'u':
		h.special = h.special || strings.EqualFold(name, "Connection") && !strings.EqualFold(value, "keep-alive") ||
			strings.EqualFold(name, "Expect") || strings.EqualFold(name, "Upgrade") || strings.EqualFold(name, "Trailer")
	}
	switch name[0] | 0x20 {
	case 'a', 'i', 'r', 'u':
		for i, want := range wantedNames {
			if len(want) == len(name) && strings.EqualFold(name, want) {
				h.special = h.special || h.present[i]
				h.fields[i], h.present[i] = value, true
			}
		}
	}
}

// printable reports whether s can be a request's target: neither empty nor with
// white space or control characters.
func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s != ""
}

// isToken reports whether s is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenByte[s[i]] {
			return false
		}
	}
	return s != ""
}

var tokenByte = func() (t [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		t[c] = true
	}
	return t
}()

// isValue reports whether s can be a field's value: no control characters but
// tabs.
func isValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
