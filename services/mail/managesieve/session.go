package managesieve

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"cairn/services/accounts"
	"cairn/services/mail/login"
	"cairn/services/mail/sieve"
)

// A session is the dialogue with one client.
type session struct {
	server *Server
	wire   *wire
	remote netip.Addr
	ctx    context.Context // of the connection
	began  time.Time       // the time to log in

	user    *accounts.User // nil before the log-in
	bad     int            // commands without meaning in a row
	refused int            // log-ins
	done    bool           // the last answer has been given
}

// A verb is a command: what it takes and does. It returns the last line of its answer.
type verb struct {
	takes []string // what its arguments are, for people; "number" is one
	more  int      // of them how many may be left out
	known bool     // only for who has logged in
	do    func(*session, []string) string
}

var verbs = map[string]verb{
	"AUTHENTICATE":   {takes: []string{"mechanism", "response"}, more: 1, do: (*session).authenticate},
	"STARTTLS":       {do: (*session).startTLS},
	"CAPABILITY":     {do: (*session).capability},
	"NOOP":           {takes: []string{"tag"}, more: 1, do: noop},
	"LOGOUT":         {do: (*session).logout},
	"UNAUTHENTICATE": {known: true, do: (*session).unauthenticate},
	"HAVESPACE":      {takes: []string{"name", number}, known: true, do: (*session).haveSpace},
	"PUTSCRIPT":      {takes: []string{"name", "script"}, known: true, do: (*session).putScript},
	"CHECKSCRIPT":    {takes: []string{"script"}, known: true, do: (*session).checkScript},
	"LISTSCRIPTS":    {known: true, do: (*session).listScripts},
	"SETACTIVE":      {takes: []string{"name"}, known: true, do: (*session).setActive},
	"GETSCRIPT":      {takes: []string{"name"}, known: true, do: (*session).getScript},
	"DELETESCRIPT":   {takes: []string{"name"}, known: true, do: (*session).deleteScript},
	"RENAMESCRIPT":   {takes: []string{"old name", "new name"}, known: true, do: (*session).renameScript},
}

const number = "number"

// run holds the dialogue.
func (c *session) run() {
	c.greet("Say AUTHENTICATE")
	for !c.done {
		if c.wire.flush() != nil {
			return
		}
		limit, until := maxEarly, c.began.Add(loginTime)
		if c.user != nil {
			limit, until = maxString, time.Now().Add(idleTime)
		}
		name, args, err := c.wire.command(until, limit)
		var bad *badError
		switch {
		case c.ctx.Err() != nil:
			c.wire.bye("(TRYLATER)", "The server is going down: come back soon")
			return
		case errors.As(err, &bad):
			c.wire.say(c.senseless(bad.reason))
		case err != nil:
			c.lost(err)
			return
		default:
			c.wire.say(c.obey(name, args))
		}
		if c.bad >= maxBad || c.refused >= maxRefused {
			c.wire.bye("", "That is enough: come back when you know what to say")
			return
		}
	}
	c.wire.flush()
}

// lost ends a dialogue that cannot go on.
func (c *session) lost(err error) {
	var late net.Error
	switch {
	case errors.As(err, &late) && late.Timeout() && c.user == nil:
		c.wire.bye("(TRYLATER)", "Log in within a minute")
	case errors.As(err, &late) && late.Timeout():
		c.wire.bye("(TRYLATER)", "Nothing was heard for too long")
	case errors.Is(err, errLong), errors.Is(err, errLiteral):
		c.wire.bye("", err.Error())
	}
}

// senseless answers what means nothing.
func (c *session) senseless(why string) string {
	c.bad++
	return answer("NO", "", why)
}

// obey does what a command says and returns the last line of the answer.
func (c *session) obey(name string, args []argument) string {
	v, ok := verbs[name]
	switch {
	case !ok:
		return c.senseless("there is no command " + name)
	case len(args) > len(v.takes) || len(args) < len(v.takes)-v.more:
		return c.senseless(v.usage(name))
	case v.known && c.user == nil:
		return c.senseless("log in first, with AUTHENTICATE")
	}
	texts := make([]string, len(args))
	for i, a := range args {
		if a.number != (v.takes[i] == number) {
			return c.senseless(v.usage(name))
		}
		texts[i] = a.text
	}
	c.bad = 0
	return v.do(c, texts)
}

func (v verb) usage(name string) string {
	if len(v.takes) == 0 {
		return name + " stands alone"
	}
	return name + " takes: " + strings.Join(v.takes, ", ")
}

// peer is what the log-in has to know of the connection.
func (c *session) peer() login.Conn {
	p := login.Conn{Remote: c.remote}
	if c.wire.tls != nil {
		state := c.wire.tls.ConnectionState()
		p.TLS = &state
	}
	return p
}

// capabilities says what there is (RFC 5804 §1.7).
func (c *session) capabilities() {
	c.wire.say(`"IMPLEMENTATION" "Cairn"`, `"VERSION" "1.0"`)
	c.wire.say(`"SASL" `+quote(strings.Join(c.server.Login.Mechanisms(c.peer()), " ")), `"SIEVE" `+quote(strings.Join(sieve.Capabilities(), " ")))
	c.wire.say(`"MAXREDIRECTS" "5"`, `"UNAUTHENTICATE"`)
	if c.server.TLS != nil && c.wire.tls == nil {
		c.wire.say(`"STARTTLS"`)
	}
	if c.user != nil {
		c.wire.say(`"OWNER" ` + quote(c.user.Name))
	}
}

// greet says what there is to a client that has just come.
func (c *session) greet(text string) {
	c.capabilities()
	c.wire.say(answer("OK", "", text))
}

func (c *session) capability([]string) string {
	c.capabilities()
	return `OK`
}

func noop(_ *session, args []string) string {
	if len(args) == 0 {
		return answer("OK", "", "Done")
	}
	return answer("OK", "(TAG "+quote(args[0])+")", "Done")
}

func (c *session) logout([]string) string {
	c.done = true
	return answer("OK", "", "Goodbye")
}

func (c *session) unauthenticate([]string) string {
	c.user, c.began = nil, time.Now()
	return answer("OK", "", "Say AUTHENTICATE")
}

// startTLS is STARTTLS (§2.2). What a client has sent ahead of it in the clear, somebody else may have sent.
func (c *session) startTLS([]string) string {
	switch {
	case c.server.TLS == nil || c.wire.tls != nil:
		return c.senseless("there is no TLS to begin")
	case c.user != nil:
		return c.senseless("TLS begins before the log-in")
	case c.wire.r.Buffered() > 0:
		c.done = true
		return answer("BYE", "", "nothing may follow STARTTLS before TLS has begun")
	}
	c.wire.say(answer("OK", "", "Begin TLS"))
	err := c.wire.flush()
	if err == nil {
		err = c.wire.startTLS(c.server.TLS, c.began.Add(loginTime))
	}
	if err != nil {
		return c.gone()
	}
	c.capabilities()
	return answer("OK", "", "TLS has begun")
}

// gone ends the dialogue without another word: there is nobody to talk to.
func (c *session) gone() string {
	c.done = true
	c.wire.w.Reset(io.Discard)
	return ""
}
