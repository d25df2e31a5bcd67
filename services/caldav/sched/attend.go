package sched

import (
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// Attend says what follows when somebody who is invited changes their copy of a meeting:
// old is nil when they make it, new when they remove it. With answer false the
// organizer is not told of a removal (the header Schedule-Reply: F).
func Attend(old, new *ical.Calendar, own Own, answer bool, now time.Time) (*Plan, error) {
	was, is, p := setOf(old), setOf(nil), &Plan{}
	if new != nil {
		p.Root = new.Root.Clone()
		is = setOf(ical.New(p.Root))
		if old != nil {
			if err := allowed(was, is, own); err != nil {
				return nil, err
			}
		}
	}
	org := is.organizer()
	if org == nil {
		org = was.organizer()
	}
	if org == nil || !byServer(org) || !answer {
		return p, nil
	}
	answers := was.answers(is, own, forced(is, only(org.Value), Reply))
	if len(answers) == 0 {
		return p, nil
	}
	of := new
	if of == nil {
		of = old
	}
	from := attendee(answers[0], own).Value
	p.Messages = append(p.Messages, message(Reply, from, org.Value, of, now, answers...))
	p.Changed = p.Root != nil
	return p, nil
}

// allowed holds CALDAV:allowed-attendee-scheduling-object-change (RFC 6638
// §3.2.2.1): who is invited may answer, and note what concerns only them, but not
// change when and where the meeting is, or who else is invited.
func allowed(was, is *set, own Own) error {
	refuse := func(what string) error {
		return &Refusal{"allowed-attendee-scheduling-object-change", "only the organizer may change " + what}
	}
	for _, c := range is.all() {
		key := ""
		if l := c.First("RECURRENCE-ID"); l != nil {
			key = is.key(l)
		}
		before, fresh := was.like(key), was.overrides[key] == nil && key != ""
		if before == nil {
			return refuse("which instances somebody is invited to")
		}
		for _, name := range fixed {
			if fresh && slices.Contains(when, name) {
				continue // an instance has times of its own
			}
			if name != "EXDATE" && is.value(c, name) != was.value(before, name) {
				return refuse("the meeting's " + name)
			}
		}
		if fresh && is.value(c, "DTSTART") != key+"\n" {
			return refuse("the meeting's DTSTART")
		}
		if others(c, own) != others(before, own) {
			return refuse("who is invited")
		}
	}
	if was.master != nil && is.master == nil {
		return refuse("the series")
	}
	return nil
}

// fixed are the properties that are the organizer's.
var fixed = append([]string{"SUMMARY", "LOCATION"}, when...)

// others lists whom a component names besides the person.
func others(c *line.Component, own Own) string {
	var list []string
	for i := range c.Lines {
		if l := &c.Lines[i]; (l.Name == "ATTENDEE" || l.Name == "ORGANIZER") && !own(l.Value) {
			list = append(list, l.Name+Address(l.Value))
		}
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// answers returns what a reply says: of each component in which the person now takes
// part otherwise than before, the little that a reply needs.
func (was *set) answers(is *set, own Own, all bool) (list []*line.Component) {
	if is.cal == nil { // removed: no to everything not refused already
		for _, c := range was.all() {
			a := attendee(c, own)
			if a != nil && !strings.EqualFold(c.Value("STATUS"), "CANCELLED") && status(a) != declined {
				list = append(list, answer(c, a, declined))
			}
		}
		return list
	}
	for _, c := range is.all() {
		a := attendee(c, own)
		if a == nil {
			continue
		}
		before := ""
		key := ""
		if l := c.First("RECURRENCE-ID"); l != nil {
			key = is.key(l)
		}
		if like := was.like(key); like != nil {
			if b := attendee(like, own); b != nil {
				before = status(b)
			}
		} else {
			before = needsAction
		}
		if status(a) != before || all {
			list = append(list, answer(c, a, status(a)))
		}
	}
	already := was.excluded()
	for key, id := range is.excluded() {
		like := was.like(key)
		if _, ok := already[key]; ok || like == nil {
			continue
		}
		if a := attendee(like, own); a != nil {
			c := answer(like, a, declined)
			c.Set(id)
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b *line.Component) int {
		return strings.Compare(a.Value("RECURRENCE-ID"), b.Value("RECURRENCE-ID"))
	})
	return list
}

// status is an attendee's, in upper case.
func status(a *line.Line) string {
	v, ok := a.Param("PARTSTAT")
	if !ok {
		return needsAction
	}
	return strings.ToUpper(v)
}

// answer makes a component of a reply (RFC 5546 §3.2.3).
func answer(c *line.Component, a *line.Line, status string) *line.Component {
	r := &line.Component{Name: c.Name}
	for _, l := range c.Clone().Lines {
		if slices.Contains(answered, l.Name) {
			r.Add(l)
		}
	}
	mine := *a
	mine.Params = slices.Clone(a.Params)
	mine.SetParam("PARTSTAT", status)
	mine.DelParam("RSVP")
	r.Add(mine)
	r.Add(line.Line{Name: "REQUEST-STATUS", Value: "2.0;Success"})
	return r
}

var answered = []string{"UID", "ORGANIZER", "RECURRENCE-ID", "SEQUENCE", "DTSTART", "DTEND", "DURATION", "DUE", "SUMMARY", "COMMENT"}
