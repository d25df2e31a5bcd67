package sched

import (
	"strconv"
	"strings"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// A Plan is what follows from a change.
type Plan struct {
	Messages []Message
	// Root is what is to be stored in place of what the client sent; nil when it
	// removed the meeting.
	Root *line.Component
	// Changed says that Root is not what the client sent, so its bytes, and its
	// ETag, will not do.
	Changed bool
}

// A Refusal says which rule of RFC 6638 §3.2.4 a change breaks.
type Refusal struct {
	Precondition string // its element's name in the namespace of CalDAV
	Reason       string
}

func (e *Refusal) Error() string { return e.Reason }

// Organize says what follows when an organizer changes a meeting: old is nil when
// it is new, new when it is removed.
func Organize(old, new *ical.Calendar, own Own, now time.Time) (*Plan, error) {
	was, p := setOf(old), &Plan{}
	is := setOf(nil)
	if new != nil {
		if err := sameOrganizer(setOf(new)); err != nil {
			return nil, err
		}
		p.Root = new.Root.Clone()
		is = setOf(ical.New(p.Root))
		p.Changed = was.ask(is, own)
	}
	from := organizerOf(is, was)
	for _, address := range invited(is, own) {
		who := only(address)
		p.invite(was, is, from, address, who, now)
	}
	for _, address := range invited(was, own) {
		who := only(address)
		if len(is.look(who).comps) == 0 {
			p.Messages = append(p.Messages, cancel(was, is, from, address, was.view(who), now))
		}
	}
	p.Changed = p.Changed || p.Root != nil && len(p.Messages) > 0
	return p, nil
}

func organizerOf(is, was *set) string {
	for _, s := range []*set{is, was} {
		if l := s.organizer(); l != nil {
			return l.Value
		}
	}
	return ""
}

// sameOrganizer holds CALDAV:same-organizer-in-all-components.
func sameOrganizer(s *set) error {
	first := ""
	for _, c := range s.all() {
		l := c.First("ORGANIZER")
		if l == nil {
			continue
		}
		if first != "" && Address(l.Value) != first {
			return &Refusal{"same-organizer-in-all-components", "the components have different organizers"}
		}
		first = Address(l.Value)
	}
	return nil
}

// invited returns the addresses that the server shall write to, each once, in the order in
// which they stand.
func invited(s *set, own Own) (list []string) {
	seen := map[string]bool{}
	for _, c := range s.all() {
		for a := range c.All("ATTENDEE") {
			if key := Address(a.Value); !seen[key] && !own(a.Value) && byServer(a) {
				seen[key] = true
				list = append(list, a.Value)
			}
		}
	}
	return list
}

// ask readies a meeting that takes place at another time than before: everybody is
// asked anew, and SEQUENCE grows (RFC 5546 §2.1.4). It says whether it changed
// anything.
func (was *set) ask(is *set, own Own) (changed bool) {
	if was.master == nil && len(was.order) == 0 {
		return false
	}
	for _, c := range is.all() {
		before, key := was.master, ""
		if l := c.First("RECURRENCE-ID"); l != nil {
			key = is.key(l)
			before = was.overrides[key]
			if before == nil && is.value(c, "DTSTART") == key+"\n" {
				continue // a new exception that is not another time
			}
		}
		if before != nil && !was.moved(before, is, c) {
			continue
		}
		if n := sequence(was.like(key)); before != nil && sequence(c) <= n {
			c.Set(line.Line{Name: "SEQUENCE", Value: strconv.Itoa(n + 1)})
			changed = true
		}
		for a := range c.All("ATTENDEE") {
			if v, ok := a.Param("PARTSTAT"); !own(a.Value) && ok && !strings.EqualFold(v, needsAction) {
				a.SetParam("PARTSTAT", needsAction)
				changed = true
			}
		}
	}
	return changed
}

const (
	needsAction = "NEEDS-ACTION"
	declined    = "DECLINED"
)

// invite adds what one who is invited is to be told.
func (p *Plan) invite(was, is *set, from, address string, who Own, now time.Time) {
	saw, sees := was.look(who), is.look(who)
	before, after := saw.comps, sees.comps
	if len(after) == 0 {
		return
	}
	if len(before) == 0 || saw.takers != sees.takers || forced(is, who, Request) {
		m := message(Request, from, address, is.cal, now, after...)
		m.Quiet = len(before) > 0 && saw.all == sees.all && !forced(is, who, Request)
		p.Messages = append(p.Messages, m)
	}
	// Who was invited to some instances only must be told of each that is gone; of a
	// series EXDATE tells it.
	if after[0].First("RECURRENCE-ID") == nil {
		return
	}
	var gone []*line.Component
	for _, c := range before {
		l := c.First("RECURRENCE-ID")
		if l == nil {
			continue
		}
		if now := is.overrides[was.key(l)]; now == nil || attendee(now, who) == nil {
			gone = append(gone, c)
		}
	}
	if len(gone) > 0 {
		p.Messages = append(p.Messages, cancel(was, is, from, address, gone, now))
	}
}

// cancel tells somebody that components do not concern them any more, or nobody.
func cancel(was, is *set, from, address string, comps []*line.Component, now time.Time) Message {
	next := max(was.sequence()+1, is.sequence())
	var list []*line.Component
	for _, c := range comps {
		c = c.Clone()
		c.Set(line.Line{Name: "SEQUENCE", Value: strconv.Itoa(next)})
		c.Set(line.Line{Name: "STATUS", Value: "CANCELLED"})
		c.Children = nil
		list = append(list, c)
	}
	return message(Cancel, from, address, was.cal, now, list...)
}
