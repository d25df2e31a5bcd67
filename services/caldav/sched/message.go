package sched

import (
	"strings"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// The methods of messages (RFC 5546 §1.4).
const (
	Request = "REQUEST"
	Cancel  = "CANCEL"
	Reply   = "REPLY"
)

// A Message goes from one calendar user to another.
type Message struct {
	Method   string
	From, To string // calendar user addresses, as the meeting writes them
	UID      string
	// Root is the message: a VCALENDAR with a METHOD.
	Root *line.Component
	// Quiet says that nothing has changed but who takes part: the receiver's copy is
	// brought up to date, and nobody need be told.
	Quiet bool
	// Foreign says that it came from outside (Incoming).
	Foreign bool
}

// Text is what the message is about, for a subject line; it may be "".
func (m *Message) Text() string {
	for _, c := range meetings(m.Root) {
		if l := c.First("SUMMARY"); l != nil {
			return line.Unescape(l.Value)
		}
	}
	return ""
}

const prodID = "-//Cairn//Calendar//EN"

// message makes one of copies of the components, with the time zones that they may
// name.
func message(method, from, to string, of *ical.Calendar, now time.Time, comps ...*line.Component) Message {
	root := &line.Component{Name: "VCALENDAR"}
	root.Add(line.Line{Name: "VERSION", Value: "2.0"}, line.Line{Name: "PRODID", Value: prodID},
		line.Line{Name: "METHOD", Value: method})
	for zone := range of.Root.Sub("VTIMEZONE") {
		root.Children = append(root.Children, zone.Clone())
	}
	for _, c := range comps {
		c = c.Clone()
		stamp(c, now)
		for i := range c.Lines {
			strip(&c.Lines[i])
		}
		root.Children = append(root.Children, c)
	}
	return Message{Method: method, From: from, To: to, UID: of.UID, Root: root}
}

// serverParams are between a client and its server, and in no message (RFC 6638 §7).
var serverParams = []string{"SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"}

func strip(l *line.Line) {
	if l.Name != "ATTENDEE" && l.Name != "ORGANIZER" {
		return
	}
	for _, p := range serverParams {
		l.DelParam(p)
	}
}

// Delivery states, for SetStatus (RFC 6638 §3.2.9).
const (
	Sent          = "1.1" // handed on, for instance to the mail service
	Delivered     = "1.2"
	InvalidUser   = "3.7"
	NoAuthority   = "3.8"
	Undeliverable = "5.1"
	NoWay         = "5.2" // it cannot be sent: nobody here, and no mail service
)

// SetStatus notes in a calendar what became of a message to somebody: in the
// ATTENDEE lines, or the ORGANIZER's, that have the address.
func SetStatus(root *line.Component, address, status string) {
	is := only(address)
	for _, c := range meetings(root) {
		for i := range c.Lines {
			if l := &c.Lines[i]; (l.Name == "ATTENDEE" || l.Name == "ORGANIZER") && is(l.Value) {
				l.SetParam("SCHEDULE-STATUS", status)
				l.DelParam("SCHEDULE-FORCE-SEND")
			}
		}
	}
}

// forced says whether a client wants a message of a method sent to an address whatever
// has changed (RFC 6638 §7.2).
func forced(s *set, is Own, method string) bool {
	for _, c := range s.all() {
		for i := range c.Lines {
			if l := &c.Lines[i]; (l.Name == "ATTENDEE" || l.Name == "ORGANIZER") && is(l.Value) {
				if v, ok := l.Param("SCHEDULE-FORCE-SEND"); ok && strings.EqualFold(v, method) {
					return true
				}
			}
		}
	}
	return false
}
