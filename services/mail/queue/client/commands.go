package client

import (
	"fmt"
	"strings"
)

// commands returns those that come before the message, one each.
func (c *Conn) commands(t *Transaction) ([]string, error) {
	for _, r := range t.To {
		if err := CheckAddress(r.Address); err != nil {
			return nil, err
		}
	}
	if t.From != "" {
		if err := CheckAddress(t.From); err != nil {
			return nil, err
		}
	}
	commands := []string{c.mail(t)}
	for _, r := range t.To {
		commands = append(commands, c.rcpt(r))
	}
	if _, ok := c.Has("PIPELINING"); ok && !t.Binary {
		commands = append(commands, "DATA\r\n")
	}
	return commands, nil
}

func (c *Conn) mail(t *Transaction) string {
	var b strings.Builder
	fmt.Fprintf(&b, "MAIL FROM:<%s>", path(t.From))
	_, eight := c.Has("8BITMIME")
	switch {
	case t.Binary:
		b.WriteString(" BODY=BINARYMIME")
	case t.EightBit && eight:
		b.WriteString(" BODY=8BITMIME")
	}
	if _, ok := c.Has("SIZE"); ok {
		fmt.Fprintf(&b, " SIZE=%d", len(t.Data))
	}
	if t.UTF8 {
		b.WriteString(" SMTPUTF8")
	}
	if t.RequireTLS {
		b.WriteString(" REQUIRETLS")
	}
	if _, ok := c.Has("DSN"); ok {
		if t.Return != "" {
			b.WriteString(" RET=" + t.Return)
		}
		if t.EnvID != "" {
			b.WriteString(" ENVID=" + xtext(t.EnvID))
		}
	}
	return b.String() + "\r\n"
}

func (c *Conn) rcpt(r Recipient) string {
	s := fmt.Sprintf("RCPT TO:<%s>", path(r.Address))
	if _, ok := c.Has("DSN"); ok {
		if r.Notify != "" {
			s += " NOTIFY=" + r.Notify
		}
		if r.Original != "" {
			s += " ORCPT=" + EncodeOriginal(r.Original)
		}
	}
	return s + "\r\n"
}
