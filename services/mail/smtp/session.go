package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"cairn/services/accounts"
	"cairn/services/mail"
	"cairn/services/mail/login"
)

const (
	maxCommand = 2048      // bytes of a command line: those of RFC 5321 §4.5.3.1.4, and room for what extensions add
	maxAuth    = 12288 + 2 // bytes of a line within AUTH (RFC 4954 §4)
	blockTime  = 3 * time.Minute
	dataTime   = 10 * time.Minute // for a message, and slowest more for each byte
	slowest    = 4 << 10          // bytes of a message in a second
	writeTime  = 2 * time.Minute
	shakeTime  = time.Minute // for a TLS handshake

	lingerTime  = 2 * time.Second
	lingerBytes = 1 << 20
)

// A session is one dialogue.
type session struct {
	server *Server
	kind   Kind
	host   string // what this server calls itself
	remote netip.Addr
	raw    net.Conn // below TLS
	conn   net.Conn
	tls    *tls.ConnectionState
	r      *bufio.Reader
	w      *bufio.Writer
	over   atomic.Bool // the server is going down
	hungUp bool        // we have ended the dialogue
	facts  *facts      // what the DNS says of the client

	helo     string
	extended bool // EHLO
	user     *accounts.User
	faults   int
	envelope *envelope // nil before MAIL

	command time.Time // when the client was asked for the next command
	text    *text     // the message that is being read, nil between messages
	begun   time.Time // when that was
}

// An envelope is what MAIL and RCPT said, and what BDAT has brought so far.
type envelope struct {
	mail.Incoming
	size   int64 // declared; 0 when not
	binary bool
	text   *text // nil before the first BDAT
}

func newSession(s *Server, conn net.Conn, kind Kind, remote netip.Addr) *session {
	c := &session{server: s, kind: kind, raw: conn, remote: remote, command: time.Now()}
	c.use(conn)
	return c
}

// use makes conn what is spoken on.
func (c *session) use(conn net.Conn) {
	c.conn = conn
	c.r = bufio.NewReader(filler{c})
	c.w = bufio.NewWriter(conn)
}

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

// interrupt ends whatever the session waits for.
func (c *session) interrupt() {
	c.over.Store(true)
	c.raw.SetReadDeadline(time.Unix(1, 0))
}

// end closes the connection. When it is we who hang up, what the client is still saying is read for a
// moment: otherwise it might never see why (RFC 1122 §4.2.2.13).
func (c *session) end() {
	c.reset()
	c.facts.stop()
	linger := lingerTime
	if c.over.Load() {
		linger /= 10
	}
	c.raw.SetDeadline(time.Now().Add(linger))
	c.w.Flush()
	half, ok := c.conn.(interface{ CloseWrite() error })
	if ok && c.hungUp && half.CloseWrite() == nil {
		if tcp, ok := c.raw.(interface{ CloseWrite() error }); ok && c.tls != nil {
			tcp.CloseWrite()
		}
		io.CopyN(io.Discard, c.raw, lingerBytes)
	}
	c.conn.Close()
}

// run holds the dialogue.
func (c *session) run(ctx context.Context) {
	c.host = c.server.Mail.Host(ctx)
	if c.kind == Submissions {
		if err := c.startTLS(ctx); err != nil {
			return
		}
	}
	if c.kind == Relay {
		c.facts = c.server.look(ctx, c.remote)
	}
	c.say(say(220, "", c.host+" ESMTP at your service"))
	for {
		c.command = time.Now()
		line, err := c.readLine(maxCommand)
		var r reply
		if err != nil {
			r = c.unread(err)
		} else {
			r = c.obey(ctx, line)
		}
		if !c.answer(ctx, r) {
			return
		}
	}
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

// reset forgets the message that was begun.
func (c *session) reset() {
	if c.envelope != nil && c.envelope.text != nil {
		c.envelope.text.free()
	}
	c.envelope = nil
}

// newText begins a message.
func (c *session) newText() *text {
	l := c.server.Limits
	return &text{limit: l.Message, line: l.Line, binary: c.envelope.binary, memory: c.server.memory}
}

// receive reads a part of a message.
func (c *session) receive(t *text, read func() error) error {
	if c.begun.IsZero() {
		c.begun = time.Now()
	}
	c.text = t
	err := read()
	c.text = nil
	return err
}

// protocol is what Received calls the dialogue (RFC 3848, RFC 6531 §4.3).
func (c *session) protocol() string {
	p := "SMTP"
	switch {
	case c.envelope.UTF8:
		p = "UTF8SMTP"
	case c.extended || c.tls != nil:
		p = "ESMTP"
	}
	if c.tls != nil {
		p += "S"
	}
	if c.user != nil {
		p += "A"
	}
	return p
}

// from is the connection as log-ins see it.
func (c *session) from() login.Conn { return login.Conn{Remote: c.remote, TLS: c.tls} }
