package client

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what a server says, in bytes: a line and a reply on the wire, and the text that is
// kept of one.
const (
	maxLine  = 4 << 10
	maxReply = 64 << 10
	maxText  = 500
)

// A Reply is what a server has answered.
type Reply struct {
	Code     int    // 200 to 599
	Enhanced string // such as "5.1.1" (RFC 3463); "" when the server gives none
	Text     string // one printable line of at most 500 bytes
}

func (r *Reply) Error() string { return "the server answered: " + r.String() }

// String returns the reply as one line.
func (r Reply) String() string {
	s := fmt.Sprintf("%d", r.Code)
	for _, part := range []string{r.Enhanced, r.Text} {
		if part != "" {
			s += " " + part
		}
	}
	return s
}

// Good reports whether the answer was yes.
func (r Reply) Good() bool { return r.Code/100 == 2 }

// Final reports whether the same again would be answered the same (RFC 5321 §4.2.1).
func (r Reply) Final() bool { return r.Code/100 == 5 }

// A ProtocolError says that a server does not speak SMTP.
type ProtocolError struct{ Got string }

func (e *ProtocolError) Error() string { return "the server does not speak SMTP: it sent " + e.Got }

// readReply reads one reply (RFC 5321 §4.2).
func (c *Conn) readReply() (Reply, []string, error) {
	var (
		code  int
		lines []string
		size  int
	)
	for {
		line, err := c.r.ReadSlice('\n')
		size += len(line)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return Reply{}, nil, &ProtocolError{"a line of more than 4096 bytes"}
		case err != nil:
			return Reply{}, nil, fmt.Errorf("wait for an answer: %w", err)
		case size > maxReply:
			return Reply{}, nil, &ProtocolError{"an answer of more than 64 KiB"}
		}
		n, text, more, ok := parseLine(strings.TrimRight(string(line), "\r\n"))
		if !ok || code != 0 && n != code {
			return Reply{}, nil, &ProtocolError{fmt.Sprintf("%.60q", line)}
		}
		code = n
		lines = append(lines, text)
		if !more {
			return newReply(code, lines), lines, nil
		}
	}
}

// parseLine takes "250-text" apart. A code alone will do.
func parseLine(line string) (code int, text string, more, ok bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' {
		return 0, "", false, false
	}
	for _, d := range []byte(line[:3]) {
		if d < '0' || d > '9' {
			return 0, "", false, false
		}
		code = 10*code + int(d-'0')
	}
	switch {
	case len(line) == 3:
		return code, "", false, true
	case line[3] == ' ' || line[3] == '-':
		return code, line[4:], line[3] == '-', true
	}
	return 0, "", false, false
}

func newReply(code int, lines []string) Reply {
	r := Reply{Code: code}
	var text []string
	for _, line := range lines {
		status, rest, _ := strings.Cut(line, " ")
		if validStatus(status) && int(status[0]-'0') == code/100 {
			r.Enhanced, line = status, rest
		}
		text = append(text, line)
	}
	r.Text = Printable(strings.Join(text, " "), maxText)
	return r
}

// validStatus reports whether s is a status code of RFC 3463, such as 5.1.1.
func validStatus(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || len(parts[0]) != 1 {
		return false
	}
	for _, p := range parts {
		if len(p) == 0 || len(p) > 3 || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return true
}

// Printable returns s as one line of at most limit bytes, in valid UTF-8 without anything that
// a terminal or a mail's header would obey.
func Printable(s string, limit int) string {
	var b strings.Builder
	space := true // so that there is none in front
	for _, r := range s {
		switch {
		case r == utf8.RuneError:
			r = '?'
		case unicode.IsSpace(r) || !unicode.IsPrint(r):
			r = ' '
		}
		if r == ' ' && space {
			continue
		}
		space = r == ' '
		if b.Len()+utf8.RuneLen(r) > limit {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ")
}
