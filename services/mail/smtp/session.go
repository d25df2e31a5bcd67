package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"cairn/services/accounts"
	"cairn/services/mail"
	"cairn/services/mail/login"
)

// How long a client that we hang up on is listened to, and how much it may say.
const (
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
	return &text{limit: l.Message, line: l.Line, binary: c.envelope.binary, memory: c.server.memory, from: c.share()}
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

// share is the network of whose share of the memory messages are received; what is on this machine, and who
// has logged in, has none.
func (c *session) share() netip.Prefix {
	if c.remote.IsLoopback() || c.user != nil {
		return netip.Prefix{}
	}
	return network(c.remote)
}
