package caldav

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"

	"cairn/services/accounts"
	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/sched"
	"cairn/services/caldav/shelf"
)

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

// scheduleTag is the Schedule-Tag of an object, "" for one that is no meeting.
func scheduleTag(c *ical.Calendar, u *accounts.User) string {
	own := ownBy(u)
	if c == nil || sched.RoleOf(c, own) == sched.None {
		return ""
	}
	return entityTag(sched.Tag(c, own))
}
