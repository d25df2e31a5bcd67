package smtp

import (
	"context"
	"time"
	"unicode/utf8"

	"cairn/services/mail"
)

// cmdMail begins a message (RFC 5321 §4.1.1.2).
func (c *session) cmdMail(ctx context.Context, arg string) reply {
	arg, ok := cutPrefixFold(arg, "FROM:")
	switch {
	case c.helo == "":
		return say(503, "5.5.1", "say EHLO first")
	case c.envelope != nil:
		return say(503, "5.5.1", "a message has been begun already: RSET ends it")
	case c.kind != Relay && c.user == nil && !c.from().Private():
		return say(530, "5.7.0", "use STARTTLS and log in first")
	case c.kind != Relay && c.user == nil:
		return say(530, "5.7.0", "log in first")
	case !ok:
		return say(501, "5.5.2", "this is not MAIL FROM:<address>")
	}
	from, params, ok := cutPath(arg)
	if !ok {
		return say(501, "5.1.7", "the sender's address is not one: MAIL FROM:<alice@example.org>")
	}
	e := &envelope{}
	e.From = from
	if r, ok := cutParams(params, func(name, value string) (reply, bool) { return c.mailParam(e, name, value) }); !ok {
		return r
	}
	if r, ok := e.needsUTF8(from); !ok {
		return r
	}
	if r, ok := c.mayBegin(ctx, from); !ok {
		return r
	}
	c.envelope, c.begun = e, time.Time{}
	return say(250, "2.1.0", "go on")
}

// needsUTF8 refuses an address in another script where that was not asked for (RFC 6531 §3.5).
func (e *envelope) needsUTF8(address string) (reply, bool) {
	switch {
	case isUTF8(address) && !utf8.ValidString(address):
		return say(501, "5.1.3", "the address is not in UTF-8"), false
	case isUTF8(address) && !e.UTF8:
		return say(553, "5.6.7", "an address in this script needs MAIL with SMTPUTF8"), false
	}
	return reply{}, true
}

// mayBegin says whether the client may send one more message from this sender.
func (c *session) mayBegin(ctx context.Context, from string) (reply, bool) {
	l, now := c.server.Limits, c.server.Mail.Now()
	if c.user == nil {
		if !c.remote.IsLoopback() && !c.server.rates.take(tallied{what: "messages", from: network(c.remote)}, 1, l.Messages, time.Minute, now) {
			return say(450, "4.7.1", "too many messages from your address: try again in a minute"), false
		}
		return reply{}, true
	}
	if err := c.server.Mail.MaySend(ctx, c.user, from); err != nil {
		return refused(err), false
	}
	if !c.server.rates.take(tallied{what: "messages", user: c.user.Name}, 1, l.UserMessages, time.Hour, now) {
		return say(450, "4.7.1", "you have sent very many messages: try again later"), false
	}
	return reply{}, true
}

// cmdRcpt adds a recipient (RFC 5321 §4.1.1.3).
func (c *session) cmdRcpt(ctx context.Context, arg string) reply {
	arg, ok := cutPrefixFold(arg, "TO:")
	e := c.envelope
	switch {
	case e == nil:
		return say(503, "5.5.1", "say MAIL first")
	case e.text != nil:
		return say(503, "5.5.1", "the message has been begun")
	case !ok:
		return say(501, "5.5.2", "this is not RCPT TO:<address>")
	case len(e.To) >= c.server.Limits.Recipients:
		return say(452, "4.5.3", "that is as many recipients as one message may have")
	}
	to, params, ok := cutPath(arg)
	if !ok || to == "" {
		return say(501, "5.1.3", "the recipient's address is not one: RCPT TO:<alice@example.org>")
	}
	notify, orcpt, r, ok := rcptParams(params)
	if !ok {
		return r
	}
	if r, ok := e.needsUTF8(to); !ok {
		return r
	}
	if r, ok := c.mayReach(ctx, to); !ok {
		return r
	}
	e.To = append(e.To, mail.Recipient{Address: to, Notify: notify, ORcpt: orcpt})
	return say(250, "2.1.5", "go on")
}

// mayReach says whether the client may send to an address.
func (c *session) mayReach(ctx context.Context, to string) (reply, bool) {
	l, now := c.server.Limits, c.server.Mail.Now()
	if c.user != nil {
		if !c.server.rates.take(tallied{what: "recipients", user: c.user.Name}, 1, l.UserRecipients, time.Hour, now) {
			return say(450, "4.7.1", "you have sent to very many people: try again later"), false
		}
		if err := c.server.Mail.Admit(ctx, to, c.envelope.size, c.user); err != nil {
			return refused(err), false
		}
		return reply{}, true
	}
	strangers := tallied{what: "strangers", from: network(c.remote)}
	receivers := tallied{what: "receivers", from: network(c.remote)}
	switch {
	case c.remote.IsLoopback():
	case !c.server.rates.take(strangers, 0, l.Strangers, time.Hour, now):
		return say(450, "4.7.1", "too many recipients that nobody is, from your address: try again later"), false
	case !c.server.rates.take(receivers, 1, l.Receivers, time.Minute, now):
		return say(450, "4.7.1", "too many recipients from your address: try again in a minute"), false
	}
	err := c.server.Mail.Admit(ctx, to, c.envelope.size, nil)
	if err == nil {
		return reply{}, true
	}
	r := refused(err)
	if r.code == 550 {
		c.server.rates.take(strangers, 1, l.Strangers, time.Hour, now)
	}
	return r, false
}
