package caldav

import (
	"strings"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/shelf"
)

// schedulingProperties are those of RFC 6638 §9 and of principals, §2.
var schedulingProperties = []property{
	{name: dav.Cal("schedule-inbox-URL"), on: of(principal), value: boxURL(inboxName)},
	{name: dav.Cal("schedule-outbox-URL"), on: of(principal), value: boxURL(outboxName)},
	{name: dav.Cal("schedule-default-calendar-URL"), on: of(inbox), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		c, err := defaultCalendar(n.in)
		if err != nil {
			return false
		}
		r.Hrefs(name, homeHref(calendarSpace, n.owner)+dav.EscapeName(c)+"/")
		return true
	}, set: setDefaultCalendar},
	{name: dav.Cal("schedule-tag"), on: of(event), value: func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		tag, err := n.scheduleTag()
		if err != nil || tag == "" {
			return false
		}
		r.Text(name, tag)
		return true
	}},
}

// boxURL leads to a person's own inbox or outbox.
func boxURL(box string) func(*exchange, *node, *dav.Response, dav.Name) bool {
	return func(x *exchange, n *node, r *dav.Response, name dav.Name) bool {
		if n.person.Name != x.user.Name {
			return false
		}
		r.Hrefs(name, homeHref(calendarSpace, n.person.Name)+box+"/")
		return true
	}
}

// setDefaultCalendar chooses where invitations go. That the calendar exists is not
// looked at: one that is gone is as good as none.
func setDefaultCalendar(p *shelf.Props, value *dav.Element, making bool) *dav.Error {
	p.Default = ""
	if value == nil {
		return nil
	}
	hrefs := value.Hrefs()
	if len(hrefs) != 1 {
		return dav.Violated(403, dav.Cal("valid-schedule-default-calendar-URL"), "name one calendar")
	}
	at, err := parsePath(principalPath(hrefs[0]))
	if err != nil || at.kind != calendar || strings.HasPrefix(at.names[0], "~") {
		return dav.Violated(403, dav.Cal("valid-schedule-default-calendar-URL"), "this is no calendar of yours")
	}
	p.Default = at.names[0]
	return nil
}

// scheduleTag is the Schedule-Tag of an event, "" for one that is no meeting.
func (n *node) scheduleTag() (string, error) {
	if n.kind != event {
		return "", nil
	}
	c, err := meetingOf(n.col, n.res)
	if err != nil {
		return "", err
	}
	return scheduleTag(c, n.person), nil
}
