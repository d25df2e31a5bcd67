package sched

import (
	"strings"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// Own says whether a calendar user address is one of a person's own.
type Own func(address string) bool

// Address returns the form in which calendar user addresses are compared: mail
// addresses in lower case, other URIs without a slash at the end.
func Address(uri string) string {
	uri = strings.TrimSpace(uri)
	if len(uri) >= 7 && strings.EqualFold(uri[:7], "mailto:") {
		return strings.ToLower(uri)
	}
	return strings.TrimSuffix(uri, "/")
}

// A Role is what somebody is in a meeting.
type Role uint8

const (
	None      Role = iota // it is no meeting, or somebody else's affair
	Organizer             // whose meeting it is
	Attendee              // who is invited
)

// RoleOf returns the role of the person whose addresses own knows. It is None for what has
// no organizer or nobody invited, and where the client said that the server
// shall keep out of it (SCHEDULE-AGENT, RFC 6638 §7.1).
func RoleOf(c *ical.Calendar, own Own) Role {
	if c == nil || TooLarge(c) {
		return None
	}
	invited, attends := false, false
	for _, comp := range meetings(c.Root) {
		o := comp.First("ORGANIZER")
		if o == nil {
			continue
		}
		mine := own(o.Value)
		for a := range comp.All("ATTENDEE") {
			invited = true
			attends = attends || own(a.Value)
		}
		if mine && invited {
			return Organizer
		}
		if !mine && !byServer(o) {
			return None
		}
	}
	if attends {
		return Attendee
	}
	return None
}

// maxWork bounds the attendees of a meeting times its lines: so much is compared for
// each change, and kept in messages until they are delivered.
const maxWork = 3 << 20

// TooLarge says that a meeting is too much to be scheduled: there are a thousand
// attendees of a series with many exceptions, say. It is nobody's meeting.
func TooLarge(c *ical.Calendar) bool {
	people := map[string]bool{}
	for _, comp := range meetings(c.Root) {
		for a := range comp.All("ATTENDEE") {
			people[Address(a.Value)] = true
		}
	}
	return len(people)*count(c.Root) > maxWork
}

// count is how many lines and components there are.
func count(c *line.Component) int {
	n := 1 + len(c.Lines)
	for _, child := range c.Children {
		n += count(child)
	}
	return n
}

// byServer says whether the server does the scheduling with the calendar user of a line.
func byServer(l *line.Line) bool {
	agent, given := l.Param("SCHEDULE-AGENT")
	return !given || strings.EqualFold(agent, "SERVER")
}

// meetings returns the components of a calendar that people are invited to.
func meetings(root *line.Component) (list []*line.Component) {
	for _, c := range root.Children {
		if c.Name == "VEVENT" || c.Name == "VTODO" || c.Name == "VJOURNAL" {
			list = append(list, c)
		}
	}
	return list
}

// attendee returns the line that invites somebody to a component, nil if none does.
func attendee(c *line.Component, is Own) *line.Line {
	for a := range c.All("ATTENDEE") {
		if is(a.Value) {
			return a
		}
	}
	return nil
}

// only is an Own of one address.
func only(address string) Own {
	address = Address(address)
	return func(a string) bool { return Address(a) == address }
}
