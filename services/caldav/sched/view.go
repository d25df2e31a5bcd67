package sched

import (
	"slices"
	"strings"

	"cairn/services/caldav/line"
)

// view returns what of a meeting somebody is invited to (RFC 6638 §3.2.6): the
// series without the instances that do not concern them, or some instances
// alone. It is empty when nothing concerns them. The components are copies.
func (s *set) view(is Own) (list []*line.Component) {
	whole := s.master != nil && attendee(s.master, is) != nil
	var gone []line.Line
	for _, key := range s.order {
		c := s.overrides[key]
		switch {
		case attendee(c, is) != nil:
			list = append(list, c.Clone())
		case whole:
			l := *c.First("RECURRENCE-ID")
			l.Name = "EXDATE"
			l.Params = slices.Clone(l.Params)
			l.DelParam("RANGE")
			gone = append(gone, l)
		}
	}
	if whole {
		m := s.master.Clone()
		m.Add(gone...)
		list = append([]*line.Component{m}, list...)
	}
	return list
}

// A look is a view and what it says. Its components are not to be changed.
type look struct {
	comps       []*line.Component
	takers, all string // what it says with who takes part, and without
}

// look returns the view of somebody. Most of those who are invited share one.
func (s *set) look(is Own) *look {
	which := make([]byte, 1, 1+len(s.order))
	if s.master != nil && attendee(s.master, is) != nil {
		which[0] = 1
	}
	for _, key := range s.order {
		one := byte(0)
		if attendee(s.overrides[key], is) != nil {
			one = 1
		}
		which = append(which, one)
	}
	l := s.looks[string(which)]
	if l == nil {
		comps := s.view(is)
		l = &look{comps, say(comps, true), say(comps, false)}
		if s.looks == nil {
			s.looks = map[string]*look{}
		}
		s.looks[string(which)] = l
	}
	return l
}

// say is what components say to those who are invited, for comparing: without
// what changes with every message and what concerns only the organizer. With
// takers, who takes part counts too.
func say(comps []*line.Component, takers bool) string {
	var b strings.Builder
	for _, c := range comps {
		b.WriteString(c.Name + "\n")
		var lines []string
		for i := range c.Lines {
			l := c.Lines[i]
			if slices.Contains(fleeting, l.Name) {
				continue
			}
			l.Params = slices.Clone(l.Params)
			strip(&l)
			if l.Name == "ATTENDEE" && !takers {
				for _, p := range partaking {
					l.DelParam(p)
				}
			}
			lines = append(lines, l.String())
		}
		slices.Sort(lines)
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	return b.String()
}

// fleeting properties change without anything having changed.
var fleeting = []string{"DTSTAMP", "LAST-MODIFIED", "CREATED", "SEQUENCE", "TRANSP", "REQUEST-STATUS"}

// partaking are the parameters that answers change.
var partaking = []string{"PARTSTAT", "RSVP"}
