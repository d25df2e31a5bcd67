package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"cairn/services/accounts"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/sched"
	mailservice "cairn/services/mail"
	"cairn/services/mail/imip"
	"cairn/services/mail/message"
)

// Invite sends a scheduling message to somebody elsewhere; it is a caldav.Inviter.
func (m *Mail) Invite(ctx context.Context, from *accounts.User, msg sched.Message) error {
	to, ok := strings.CutPrefix(strings.ToLower(msg.To), "mailto:")
	if !ok || !strings.Contains(to, "@") {
		return errors.New("the address is not one of mail: " + msg.To)
	}
	sender, err := m.address(ctx, from, msg.From)
	if err != nil {
		return err
	}
	list := message.ParseAddresses(to)
	if len(list) != 1 {
		return errors.New("the address is not one of mail: " + msg.To)
	}
	subject, text := words(from, msg)
	_, host, _ := strings.Cut(sender, "@")
	local, _, _ := strings.Cut(sender, "@")
	mail := &imip.Invitation{
		From: message.Address{Name: from.DisplayName, Local: local, Domain: host}, To: list[0],
		Method: msg.Method, Subject: subject, Text: text, Calendar: msg.Root.Encode(),
		ID: rand.Text() + "@" + host, Date: m.service.Now(),
	}
	raw, err := mail.Compose(rand.Reader)
	if err != nil {
		return err
	}
	return m.service.Send(ctx, sender, []string{list[0].Addr()}, raw)
}

// address is the one under which somebody writes: the one in the meeting if it is theirs.
func (m *Mail) address(ctx context.Context, u *accounts.User, uri string) (string, error) {
	address := strings.TrimPrefix(strings.ToLower(uri), "mailto:")
	if strings.Contains(address, "@") {
		if own, err := m.service.Owns(ctx, u, address); err != nil || own {
			return address, err
		}
	}
	return m.Address(ctx, u), nil
}

// Address is a user's own: the first of their record, or NAME at the first domain that is served.
func (m *Mail) Address(ctx context.Context, u *accounts.User) string {
	if len(u.Addresses) > 0 {
		return u.Addresses[0]
	}
	if domains, _ := m.Config.Domains(ctx); len(domains) > 0 { // what can be read of them
		return u.Name + "@" + domains[0].Name
	}
	return u.Name + "@localhost"
}

// words say what a message is about.
func words(from *accounts.User, msg sched.Message) (subject, text string) {
	name, what := from.Signature().Name, msg.Text()
	if what == "" {
		what = "a meeting"
	}
	switch msg.Method {
	case sched.Cancel:
		return "Cancelled: " + what, name + " has cancelled: " + what + "\r\n"
	case sched.Reply:
		return "Re: " + what, name + " has answered your invitation: " + what + "\r\n"
	}
	return "Invitation: " + what, name + " invites you: " + what + "\r\n\r\nA calendar program shows when and where, and lets you answer.\r\n"
}

// delivered looks for invitations in what somebody has got. It is there already: what cannot be
// understood is for people to read.
func (m *Mail) delivered(ctx context.Context, d *mailservice.Delivery) {
	from := d.Author()
	if m.Receive == nil || d.Junk || from == "" {
		return
	}
	calendars := imip.Find(d.Raw)
	if len(calendars) == 0 {
		return
	}
	if sealed, err := m.isSealed(ctx, d.User); err != nil || sealed {
		return // nothing of their mail can be read in a calendar, either
	}
	u, err := m.Accounts.User(ctx, d.User)
	if err != nil {
		m.Env.Log.Error("invitation by mail", "user", d.User, "err", err)
		return
	}
	for _, c := range calendars {
		err := m.Receive(ctx, u, from, c.Data)
		_, refused := errors.AsType[*sched.Refusal](err)
		_, spoilt := errors.AsType[*ical.Error](err)
		switch {
		case refused, spoilt:
			m.Env.Log.Info("invitation by mail was left alone", "user", d.User, "from", from, "why", err)
		case err != nil:
			m.Env.Log.Error("invitation by mail", "user", d.User, "from", from, "err", err)
		}
	}
}
