package sched

import (
	"strconv"
	"time"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// A set is a meeting taken apart: the series, or the one event, and what is
// different about some of its instances. It shares its components with the
// calendar.
type set struct {
	cal       *ical.Calendar
	master    *line.Component // nil: somebody is invited to some instances only
	overrides map[string]*line.Component
	order     []string // keys of overrides, as they come
	looks     map[string]*look
}

// setOf takes a calendar apart; nil is an empty set.
func setOf(c *ical.Calendar) *set {
	s := &set{cal: c, overrides: map[string]*line.Component{}}
	if c == nil {
		return s
	}
	for _, comp := range meetings(c.Root) {
		l := comp.First("RECURRENCE-ID")
		if l == nil {
			s.master = comp
			continue
		}
		key := s.key(l)
		if s.overrides[key] == nil {
			s.order = append(s.order, key)
		}
		s.overrides[key] = comp
	}
	return s
}

// key is the same for lines that name the same moment, however they write it.
func (s *set) key(l *line.Line) string {
	t, err := s.cal.Time(l)
	switch {
	case err != nil:
		return l.Value
	case t.IsDate(), t.Floating():
		return t.String()
	}
	return t.In(nil).UTC().Format(utc)
}

const utc = "20060102T150405Z"

// all returns the components, the master first.
func (s *set) all() (list []*line.Component) {
	if s.master != nil {
		list = append(list, s.master)
	}
	for _, key := range s.order {
		list = append(list, s.overrides[key])
	}
	return list
}

// like returns the component that says what an instance is: its override, or else
// the master, which may be nil.
func (s *set) like(key string) *line.Component {
	if c := s.overrides[key]; c != nil {
		return c
	}
	return s.master
}

// excluded returns the instances that EXDATE takes out of the series, by key.
func (s *set) excluded() map[string]line.Line {
	m := map[string]line.Line{}
	if s.master == nil {
		return m
	}
	for l := range s.master.All("EXDATE") {
		for _, value := range line.Split(l.Value, ',') {
			one := line.Line{Name: "RECURRENCE-ID", Value: value}
			for _, p := range l.Params {
				if p.Name == "TZID" || p.Name == "VALUE" {
					one.SetParam(p.Name, p.Values...)
				}
			}
			m[s.key(&one)] = one
		}
	}
	return m
}

// organizer is the line of the first component that has one.
func (s *set) organizer() *line.Line {
	for _, c := range s.all() {
		if l := c.First("ORGANIZER"); l != nil {
			return l
		}
	}
	return nil
}

// sequence of a component; 0 when it has none (RFC 5545 §3.8.7.4).
func sequence(c *line.Component) int {
	if c == nil {
		return 0
	}
	n, err := strconv.Atoi(c.Value("SEQUENCE"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// sequence is the greatest of its components.
func (s *set) sequence() (n int) {
	for _, c := range s.all() {
		n = max(n, sequence(c))
	}
	return n
}

// stamp sets the time at which a message was made.
func stamp(c *line.Component, now time.Time) {
	c.Set(line.Line{Name: "DTSTAMP", Value: now.UTC().Format(utc)})
}

// when are the properties that say when a component takes place. A change of
// them asks everybody anew (RFC 6638 §3.2.8).
var when = []string{"DTSTART", "DTEND", "DURATION", "DUE", "RRULE", "RDATE", "EXDATE"}

// moved says whether two components take place at different times.
func (s *set) moved(c *line.Component, in *set, d *line.Component) bool {
	for _, name := range when {
		if s.value(c, name) != in.value(d, name) {
			return true
		}
	}
	return false
}

// value is what lines of a name say, so that it can be compared.
func (s *set) value(c *line.Component, name string) (text string) {
	for l := range c.All(name) {
		switch name {
		case "DTSTART", "DTEND", "DUE":
			text += s.key(l) + "\n"
		default:
			text += l.Value + "\n"
		}
	}
	return text
}
