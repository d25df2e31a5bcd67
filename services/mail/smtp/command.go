package smtp

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
)

// commands are what a client may say. What they take stands behind the verb.
var commands = map[string]func(*session, context.Context, string) reply{
	"HELO":     (*session).cmdHelo,
	"EHLO":     (*session).cmdEhlo,
	"STARTTLS": (*session).cmdStartTLS,
	"AUTH":     (*session).cmdAuth,
	"MAIL":     (*session).cmdMail,
	"RCPT":     (*session).cmdRcpt,
	"DATA":     (*session).cmdData,
	"BDAT":     (*session).cmdBdat,
	"RSET":     (*session).cmdRset,
	"NOOP":     always(say(250, "2.0.0", "yes")),
	"VRFY":     always(say(252, "2.5.0", "send it, and you will see")),
	"EXPN":     always(say(502, "5.5.1", "this server does not do that")),
	"HELP":     always(say(214, "2.0.0", "this is SMTP as in RFC 5321")),
	"QUIT":     always(reply{code: 221, status: "2.0.0", text: []string{"good bye"}, hangup: true}),
}

// always is a command that has one reply.
func always(r reply) func(*session, context.Context, string) reply {
	return func(*session, context.Context, string) reply { return r }
}

// obey does what a line says.
func (c *session) obey(ctx context.Context, line string) reply {
	verb, arg, _ := strings.Cut(line, " ")
	do, ok := commands[strings.ToUpper(verb)]
	if !ok {
		return say(500, "5.5.2", "this is not a command of SMTP")
	}
	return do(c, ctx, strings.TrimSpace(arg))
}

func (c *session) cmdRset(context.Context, string) reply {
	c.reset()
	return say(250, "2.0.0", "forgotten")
}

func (c *session) cmdHelo(ctx context.Context, name string) reply {
	if r, ok := c.hello(ctx, name, false); !ok {
		return r
	}
	return say(250, "", c.host)
}

func (c *session) cmdEhlo(ctx context.Context, name string) reply {
	r, ok := c.hello(ctx, name, true)
	if !ok {
		return r
	}
	l := c.server.Limits
	text := []string{
		c.host,
		"PIPELINING",
		fmt.Sprintf("SIZE %d", l.Message),
		"8BITMIME",
		"SMTPUTF8",
		"CHUNKING",
		"DSN",
		"ENHANCEDSTATUSCODES",
		fmt.Sprintf("LIMITS RCPTMAX=%d", l.Recipients),
	}
	if c.kind == Relay {
		text = append(text, "BINARYMIME")
	}
	if c.tls != nil {
		text = append(text, "REQUIRETLS")
	} else if c.server.TLS != nil {
		text = append(text, "STARTTLS")
	}
	if mechanisms := c.mechanisms(); len(mechanisms) > 0 {
		text = append(text, "AUTH "+strings.Join(mechanisms, " "))
	}
	return reply{code: 250, text: text}
}

// hello notes what the client calls itself, unless it is nonsense.
func (c *session) hello(ctx context.Context, name string, extended bool) (reply, bool) {
	name, _, _ = strings.Cut(name, " ")
	if !validDomain(name) {
		return say(501, "5.5.2", "say who you are: a host name, or an address in brackets"), false
	}
	if c.kind == Relay && !c.remote.IsLoopback() && strings.EqualFold(name, c.host) && c.host != "localhost" {
		return say(550, "5.7.1", "this is my name, not yours"), false
	}
	c.helo, c.extended = name, extended
	c.reset()
	return reply{}, true
}

func (c *session) cmdStartTLS(ctx context.Context, arg string) reply {
	switch {
	case arg != "":
		return say(501, "5.5.4", "STARTTLS takes nothing")
	case c.tls != nil:
		return say(503, "5.5.1", "the connection is encrypted already")
	case c.server.TLS == nil:
		return say(502, "5.5.1", "there is no certificate here")
	case c.r.Buffered() > 0: // what was sent in the clear must not count as said under TLS
		return reply{code: 501, status: "5.5.1", text: []string{"nothing may be sent along with STARTTLS"}, hangup: true}
	}
	c.say(say(220, "2.0.0", "go ahead"))
	if err := c.startTLS(ctx); err != nil {
		return reply{code: 421, status: "4.7.5", text: []string{"there is no TLS to be had with you"}, hangup: true}
	}
	c.helo, c.user = "", nil // as if the client had just come (RFC 3207 §4.2)
	c.reset()
	return reply{}
}

// startTLS makes the connection an encrypted one.
func (c *session) startTLS(ctx context.Context) error {
	if err := c.w.Flush(); err != nil {
		return err
	}
	conn := tls.Server(c.raw, c.server.TLS)
	ctx, cancel := context.WithTimeout(ctx, shakeTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	state := conn.ConnectionState()
	c.tls = &state
	c.use(conn)
	return nil
}
