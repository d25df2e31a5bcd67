package smtp

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"time"
)

const (
	maxCommand = 2048      // bytes of a command line: those of RFC 5321 §4.5.3.1.4, and room for what extensions add
	maxAuth    = 12288 + 2 // bytes of a line within AUTH (RFC 4954 §4)
	blockTime  = 3 * time.Minute
	dataTime   = 10 * time.Minute // for a message, and slowest more for each byte
	slowest    = 4 << 10          // bytes of a message in a second
	writeTime  = 2 * time.Minute
	shakeTime  = time.Minute // for a TLS handshake
)

// A filler reads for a session. Before it waits, the client has all replies.
type filler struct{ *session }

func (c filler) Read(p []byte) (int, error) {
	if err := c.w.Flush(); err != nil {
		return 0, err
	}
	c.raw.SetReadDeadline(c.deadline(time.Now()))
	if c.over.Load() {
		c.raw.SetReadDeadline(time.Unix(1, 0))
	}
	return c.conn.Read(p)
}

// deadline is until when something has to come.
func (c *session) deadline(now time.Time) time.Time {
	if c.text == nil {
		return c.command.Add(c.server.Limits.Idle)
	}
	block, whole := now.Add(blockTime), c.begun.Add(dataTime+time.Duration(c.text.seen/slowest)*time.Second)
	if whole.Before(block) {
		return whole
	}
	return block
}

var (
	errLongLine = errors.New("the line is too long")
	errLineEnd  = errors.New("the line has a control character")
)

// readLine reads one line of at most limit bytes and returns it without its end.
func (c *session) readLine(limit int) (string, error) {
	var line []byte
	for {
		part, err := c.r.ReadSlice('\n')
		if len(line)+len(part) > limit {
			return "", errLongLine
		}
		line = append(line, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
	s, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return "", errLineEnd
	}
	return s, nil
}

// unread is the reply to a line that could not be read.
func (c *session) unread(err error) reply {
	switch {
	case errors.Is(err, errLongLine):
		return reply{code: 500, status: "5.5.6", text: []string{"the line is too long"}, hangup: true}
	case errors.Is(err, errLineEnd):
		return say(500, "5.5.2", "a line ends with CR LF, both of them, and has no control characters")
	}
	return c.lost(err)
}

// lost is the reply to an error of the connection.
func (c *session) lost(err error) reply {
	var timeout net.Error
	switch {
	case c.over.Load():
		return busy("the server is going down: try again later")
	case errors.As(err, &timeout) && timeout.Timeout():
		return reply{code: 421, status: "4.4.2", text: []string{"nothing came for too long: good bye"}, hangup: true}
	case errors.Is(err, errEndless):
		return reply{code: 552, status: "5.3.4", text: []string{"the message is larger than this server takes"}, hangup: true}
	}
	return reply{code: 421, status: "4.4.2", text: []string{"the connection is broken"}, hangup: true}
}
