package caldav

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"slices"

	"cairn/services/accounts"
	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/sched"
	"cairn/services/caldav/shelf"
	"cairn/store"
)

// An Inviter sends scheduling messages to people who have no account here, by mail
// (iMIP, RFC 6047). It is called after the change that makes the message necessary
// is durable, with the person in whose name it goes out.
type Inviter func(ctx context.Context, from *accounts.User, m sched.Message) error

// A meeting is the implicit scheduling (RFC 6638 §3) that goes with one request: it is
// part of the request's commit, so that nobody's copy ever lags behind another's.
type meeting struct {
	x     *exchange
	of    views
	edits map[string]*shelf.Edit
	needs map[string]bool // people on whose branches something is to be written, too
	out   []outgoing
}

// An outgoing message is for somebody who has no account here.
type outgoing struct {
	from *accounts.User
	m    sched.Message
}

// errMorePeople says that an update needs more branches than it has.
var errMorePeople = errors.New("more people are concerned")

// meet makes one commit, as change does, that may bring other people's calendars up to
// date too; their branches are added as it turns out who they are.
func (x *exchange) meet(what string, owners []string, f func(of views, edits map[string]*shelf.Edit, m *meeting) error) error {
	for {
		var m *meeting
		err := x.change(what, owners, func(of views, edits map[string]*shelf.Edit) error {
			m = &meeting{x: x, of: of, edits: edits, needs: map[string]bool{}}
			if err := f(of, edits, m); err != nil {
				return err
			}
			if len(m.needs) > 0 {
				return errMorePeople
			}
			return nil
		})
		switch {
		case err == nil:
			m.send()
			return nil
		case !errors.Is(err, errMorePeople):
			return err
		}
		owners = append(owners, slices.Sorted(maps.Keys(m.needs))...)
	}
}

// send hands on what goes out by mail.
func (m *meeting) send() {
	for _, o := range m.out {
		if err := m.x.Invite(m.x.ctx(), o.from, o.m); err != nil {
			m.x.log().Error("invitation", "method", o.m.Method, "from", o.m.From, "to", o.m.To, "err", err)
		}
	}
}

// put says what is to be stored when an object is put at a place where was is, nil for
// nothing: the object itself or, when scheduling changes it, another. What concerns
// others is done.
func (m *meeting) put(to, was *node, o *shelf.Object) (*shelf.Object, error) {
	if to.kind != event || to.col.Conflicts() {
		return o, nil
	}
	own := ownBy(to.person)
	old, err := m.calendar(was)
	if err != nil {
		return nil, err
	}
	if err := m.sameTag(old, own); err != nil {
		return nil, err
	}
	if o, err = m.refresh(old, o, own); err != nil {
		return nil, err
	}
	before, now := sched.RoleOf(old, own), sched.RoleOf(o.Calendar, own)
	if now != sched.None {
		if err := m.unique(to, o.UID); err != nil {
			return nil, err
		}
	}
	p, err := plan(old, o.Calendar, before, now, own, m.x)
	if err != nil {
		return nil, refused(err)
	}
	if p == nil {
		return o, nil
	}
	if err := m.deliver(to.person, p); err != nil || !p.Changed {
		return o, err
	}
	return m.x.Shelf.Parse(shelf.Calendars, p.Root.Encode())
}

// refresh keeps the answers that have come since the client has seen the meeting, as it
// asks for by If-Schedule-Tag-Match: the tag does not change with them (RFC 6638
// §3.2.10).
func (m *meeting) refresh(old *ical.Calendar, o *shelf.Object, own sched.Own) (*shelf.Object, error) {
	if m.x.r.Header.Get("If-Schedule-Tag-Match") == "" || old == nil {
		return o, nil
	}
	root := sched.Refresh(old, o.Calendar, own)
	if root == nil {
		return o, nil
	}
	return m.x.Shelf.Parse(shelf.Calendars, root.Encode())
}

// plan says what follows from a change; nil when it is nobody's meeting.
func plan(old, new *ical.Calendar, before, now sched.Role, own sched.Own, x *exchange) (*sched.Plan, error) {
	answer := x.r.Header.Get("Schedule-Reply") != "F"
	switch {
	case now == sched.Organizer || now == sched.None && before == sched.Organizer:
		if before != sched.Organizer {
			old = nil
		}
		return sched.Organize(old, new, own, x.now())
	case now == sched.Attendee:
		if before != sched.Attendee {
			old = nil
		}
		return sched.Attend(old, new, own, true, x.now())
	case before == sched.Attendee: // gone, or no meeting any more
		p, err := sched.Attend(old, nil, own, answer, x.now())
		if err == nil && new != nil {
			p.Root = new.Root.Clone()
		}
		return p, err
	}
	return nil, nil
}

// remove does what concerns others when an object is removed, or a calendar with
// all that is in it.
func (m *meeting) remove(n *node) error {
	switch {
	case n.kind == calendar && !n.col.Conflicts() && n.col.Props().Source == nil:
		return n.eachObject(m.remove)
	case n.kind != event || n.col.Conflicts():
		return nil
	}
	own := ownBy(n.person)
	old, err := m.calendar(n)
	if err == nil && n.href == m.x.at.href() {
		err = m.sameTag(old, own)
	}
	if err != nil || old == nil {
		return err
	}
	p, err := plan(old, nil, sched.RoleOf(old, own), sched.None, own, m.x)
	if err != nil || p == nil {
		return err
	}
	return m.deliver(n.person, p)
}

// calendar reads a meeting; nil if there is none or it cannot be understood.
func (m *meeting) calendar(n *node) (*ical.Calendar, error) {
	if n == nil {
		return nil, nil
	}
	return meetingOf(n.col, n.res)
}

// meetingOf reads an object. What names no organizer is no meeting and not looked
// into.
func meetingOf(c *shelf.Collection, r shelf.Resource) (*ical.Calendar, error) {
	data, err := c.Read(r)
	if err != nil || !bytes.Contains(bytes.ToUpper(data), []byte("ORGANIZER")) {
		return nil, err
	}
	cal, err := ical.Parse(data)
	if err != nil {
		return nil, nil
	}
	return cal, nil
}

// sameTag holds the header If-Schedule-Tag-Match (RFC 6638 §8.3).
func (m *meeting) sameTag(old *ical.Calendar, own sched.Own) error {
	want := m.x.r.Header.Get("If-Schedule-Tag-Match")
	if want == "" || old != nil && entityTag(sched.Tag(old, own)) == want {
		return nil
	}
	return dav.Errorf(http.StatusPreconditionFailed, "the meeting has changed since you saw it")
}

// unique holds CALDAV:unique-scheduling-object-resource: a meeting is in one of a
// person's calendars.
func (m *meeting) unique(to *node, uid string) error {
	c, r, err := find(m.edits[to.owner], uid)
	if err != nil || c == nil || c.Name == to.path.Collection {
		return err // in the same calendar it is for no-uid-conflict to judge
	}
	e := dav.Violated(http.StatusForbidden, dav.Cal("unique-scheduling-object-resource"), "the meeting is in another calendar already")
	if to.owner == m.x.user.Name { // whom the calendar is shared with need not know of others
		e.Hrefs = []string{homeHref(calendarSpace, to.owner) + dav.EscapeName(c.Name) + "/" + dav.EscapeName(r.Name)}
	}
	return e
}

// meetingOnce holds the same of a meeting that is copied, or moved to somebody else's.
func (x *exchange) meetingOnce(t *transfer, src *node, in *shelf.Edit) error {
	if src.kind != event || t.move && t.from.owner == t.to.owner {
		return nil
	}
	cal, err := meetingOf(src.col, src.res)
	if err != nil || cal == nil {
		return err
	}
	u, err := x.Accounts.User(x.ctx(), t.to.owner)
	if err != nil || sched.RoleOf(cal, ownBy(u)) == sched.None {
		return hidden(err)
	}
	m := meeting{x: x, edits: map[string]*shelf.Edit{t.to.owner: in}}
	return m.unique(&node{place: t.at, spot: t.to}, cal.UID)
}

// find returns the object of a UID in a person's own calendars; nil if there is none.
func find(e *shelf.Edit, uid string) (*shelf.Collection, shelf.Resource, error) {
	list, err := e.Collections(shelf.Calendars)
	if err != nil {
		return nil, shelf.Resource{}, err
	}
	for _, c := range list {
		if c.Conflicts() || c.ReadOnly() {
			continue
		}
		r, err := c.ByUID(uid)
		if err == nil {
			return c, r, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, shelf.Resource{}, err
		}
	}
	return nil, shelf.Resource{}, nil
}

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

// refused is what the protocol calls a change that scheduling does not allow.
func refused(err error) error {
	var r *sched.Refusal
	if errors.As(err, &r) {
		return dav.Violated(http.StatusForbidden, dav.Cal(r.Precondition), "%s", r.Reason)
	}
	return err
}

// scheduleTag is the Schedule-Tag of an object, "" for one that is no meeting.
func scheduleTag(c *ical.Calendar, u *accounts.User) string {
	own := ownBy(u)
	if c == nil || sched.RoleOf(c, own) == sched.None {
		return ""
	}
	return entityTag(sched.Tag(c, own))
}
