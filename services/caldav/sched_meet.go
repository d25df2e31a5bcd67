package caldav

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"cairn/services/accounts"
	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/sched"
	"cairn/services/caldav/shelf"
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

// refused is what the protocol calls a change that scheduling does not allow.
func refused(err error) error {
	var r *sched.Refusal
	if errors.As(err, &r) {
		return dav.Violated(http.StatusForbidden, dav.Cal(r.Precondition), "%s", r.Reason)
	}
	return err
}
