package caldav

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"cairn/services/accounts"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/sched"
	"cairn/services/caldav/shelf"
	"cairn/store"
)

// deliver carries out a plan of somebody's change, and notes in it what became of the
// messages.
func (m *meeting) deliver(from *accounts.User, p *sched.Plan) error {
	for _, msg := range p.Messages {
		status, err := m.one(from, msg)
		if err != nil {
			return err
		}
		if p.Root != nil {
			sched.SetStatus(p.Root, msg.To, status)
		}
	}
	return nil
}

// one delivers a message and returns what became of it.
func (m *meeting) one(from *accounts.User, msg sched.Message) (status string, err error) {
	to, err := m.x.local(msg.To)
	switch {
	case err != nil:
		return "", err
	case to == nil && m.x.Invite == nil:
		return sched.NoWay, nil
	case to == nil:
		if !msg.Quiet {
			m.out = append(m.out, outgoing{from, msg})
		}
		return sched.Sent, nil
	case m.edits[to.Name] == nil:
		m.needs[to.Name] = true
		return sched.Delivered, nil
	}
	err = m.receive(to, msg)
	var no *sched.Refusal
	switch {
	case errors.As(err, &no):
		return sched.NoAuthority, nil
	case notTheirs(err):
		return sched.Undeliverable, nil
	}
	return sched.Delivered, err
}

// notTheirs says that a message cannot be delivered for a reason that is no reason to
// refuse the sender's change.
func notTheirs(err error) bool {
	var (
		uid  *shelf.UIDError
		name *shelf.NameError
		data *ical.Error
	)
	return errors.Is(err, shelf.ErrQuota) || errors.Is(err, shelf.ErrTooManyProps) || errors.Is(err, store.ErrTooLarge) ||
		errors.As(err, &uid) || errors.As(err, &name) || errors.As(err, &data)
}

// receive brings a receiver's calendar up to date and puts the message into their
// inbox, where their programs see what has happened.
func (m *meeting) receive(to *accounts.User, msg sched.Message) error {
	e := m.edits[to.Name]
	c, r, err := find(e, msg.UID)
	if err != nil {
		return err
	}
	var old *ical.Calendar
	at := shelf.Path{Kind: shelf.Calendars, Name: objectName(msg.UID)}
	if c != nil {
		at.Collection, at.Name = c.Name, r.Name
		if old, err = readObject(c, r); err != nil {
			return err
		}
	} else if at.Collection, err = defaultCalendar(e); err != nil {
		return err
	}
	root, err := msg.Deliver(old, ownBy(to))
	if err != nil || root == nil {
		return err
	}
	o, err := m.x.Shelf.Parse(shelf.Calendars, root.Encode())
	if err != nil {
		return err
	}
	if _, err := e.Put(at, o); err != nil {
		return err
	}
	if msg.Quiet {
		return nil
	}
	if err := m.announce(e, msg); err != nil {
		return err
	}
	if msg.Method == sched.Reply {
		return m.tellOthers(to, msg.From, old, o.Calendar)
	}
	return nil
}

// readObject reads an object of any kind.
func readObject(c *shelf.Collection, r shelf.Resource) (*ical.Calendar, error) {
	data, err := c.Read(r)
	if err != nil {
		return nil, err
	}
	return ical.Parse(data)
}

// announce puts a message into an inbox.
func (m *meeting) announce(e *shelf.Edit, msg sched.Message) error {
	data := msg.Root.Encode()
	o, err := m.x.Shelf.Parse(shelf.Inbox, data)
	if err != nil {
		return err
	}
	_, err = e.Put(shelf.Path{Kind: shelf.Inbox, Name: objectName(msg.Method + string(data))}, o)
	return err
}

// tellOthers brings the copies of those who have not just answered up to date with who
// has.
func (m *meeting) tellOthers(organizer *accounts.User, but string, old, new *ical.Calendar) error {
	p, err := sched.Organize(old, new, ownBy(organizer), m.x.now())
	if err != nil {
		return err
	}
	for _, msg := range p.Messages {
		if !msg.Quiet || sched.Address(msg.To) == sched.Address(but) {
			continue
		}
		if _, err := m.one(organizer, msg); err != nil {
			return err
		}
	}
	return nil
}

// objectName makes the name of an object that no client has named.
func objectName(of string) string {
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:16]) + ".ics"
}

// defaultCalendar is where a person's invitations go: the calendar that they chose,
// if it is there, or their first that takes events.
func defaultCalendar(in shelves) (string, error) {
	list, err := in.Collections(shelf.Calendars)
	if err != nil {
		return "", err
	}
	chosen := ""
	if box, err := in.Collection(shelf.Inbox, ""); err == nil {
		chosen = box.Props().Default
	}
	first := ""
	for _, c := range list {
		p := c.Props()
		if c.Conflicts() || c.ReadOnly() || len(p.Components) > 0 && !slices.Contains(p.Components, "VEVENT") {
			continue
		}
		if c.Name == chosen {
			return c.Name, nil
		}
		if first == "" || c.Name == "home" {
			first = c.Name
		}
	}
	if first == "" {
		return "", shelf.ErrQuota
	}
	return first, nil
}
