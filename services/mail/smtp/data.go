package smtp

import (
	"context"
	"strconv"
	"strings"

	"cairn/services/mail"
)

// cmdData takes the message in one piece (RFC 5321 §4.1.1.4).
func (c *session) cmdData(ctx context.Context, arg string) reply {
	e := c.envelope
	switch {
	case arg != "":
		return say(501, "5.5.4", "DATA takes nothing")
	case e == nil:
		return say(503, "5.5.1", "say MAIL first")
	case len(e.To) == 0:
		return say(554, "5.5.1", "there are no recipients")
	case e.text != nil:
		return say(503, "5.5.1", "the message has been begun with BDAT")
	case e.binary:
		return say(503, "5.5.1", "a message with BODY=BINARYMIME is sent with BDAT")
	}
	e.text = c.newText()
	c.say(say(354, "", "send it, and then a line with a dot alone"))
	if err := c.receive(e.text, func() error { return e.text.readData(c.r) }); err != nil {
		return c.lost(err)
	}
	return c.deliver(ctx)
}

// cmdBdat takes a chunk of the message (RFC 3030 §2).
func (c *session) cmdBdat(ctx context.Context, arg string) reply {
	number, last, more := strings.Cut(arg, " ")
	size, err := strconv.ParseInt(number, 10, 63)
	if err != nil || size < 0 || more && !strings.EqualFold(last, "LAST") {
		// Where the chunk ends nobody knows, and it must not be taken for commands.
		return reply{code: 501, status: "5.5.4", text: []string{"this is not BDAT and a number of bytes"}, hangup: true}
	}
	e := c.envelope
	var wrong reply
	switch {
	case e == nil:
		wrong = say(503, "5.5.1", "say MAIL first")
	case len(e.To) == 0:
		wrong = say(554, "5.5.1", "there are no recipients")
	}
	if wrong.code != 0 {
		return c.passOver(size, wrong)
	}
	if e.text == nil {
		e.text = c.newText()
	}
	if err := c.receive(e.text, func() error { return e.text.readChunk(c.r, size) }); err != nil {
		return c.lost(err)
	}
	switch {
	case more:
		return c.deliver(ctx)
	case e.text.flaw != noFlaw:
		return flawReplies[e.text.flaw]
	}
	return say(250, "2.0.0", strconv.FormatInt(size, 10)+" bytes")
}

// passOver reads a chunk that belongs to no message.
func (c *session) passOver(size int64, r reply) reply {
	if size > c.server.Limits.Message {
		r.hangup = true
		return r
	}
	none := &text{memory: c.server.memory, limit: size, flaw: tooLarge, binary: true}
	if err := c.receive(none, func() error { return none.readChunk(c.r, size) }); err != nil {
		return c.lost(err)
	}
	return r
}

// deliver hands the message on, now that it is here.
func (c *session) deliver(ctx context.Context) reply {
	defer c.reset()
	e := c.envelope
	if flaw := e.text.finish(); flaw != noFlaw {
		c.server.Log.Info("smtp: message refused", "client", c.remote, "from", e.From, "why", flawReplies[flaw].text[0])
		return flawReplies[flaw]
	}
	e.ID = mail.NewID()
	e.Raw = e.text.bytes
	e.Client, e.Helo, e.TLS, e.User = c.remote, c.helo, c.tls, c.user
	e.Protocol = c.protocol()
	e.Binary = e.binary
	if facts := c.facts.get(); facts != nil {
		e.Reverse, e.Listed = facts.reverse, facts.listed
	}
	if err := c.accept(ctx, &e.Incoming); err != nil {
		r := refused(err)
		c.server.Log.Info("smtp: message refused", "id", e.ID, "client", c.remote, "from", e.From, "err", err)
		return r
	}
	c.server.Log.Info("smtp: message taken", "id", e.ID, "client", c.remote, "from", e.From, "to", len(e.To), "bytes", len(e.Raw))
	return say(250, "2.0.0", "taken as "+e.ID)
}

// copies is how much memory the delivery of a message takes, at most, in its size.
const copies = 4

// accept delivers, when there is memory for it. What was received whole is delivered also when the server is
// going down meanwhile.
func (c *session) accept(ctx context.Context, in *mail.Incoming) error {
	ctx = context.WithoutCancel(ctx)
	s := c.server
	weight := min(copies*int64(len(in.Raw)), s.Limits.Memory)
	if err := s.work.Acquire(ctx, weight); err != nil {
		return err
	}
	defer s.work.Release(weight)
	return s.Mail.Accept(ctx, in)
}
