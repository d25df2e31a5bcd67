package sched

import (
	"slices"
	"strings"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// Deliver says what becomes of the receiver's copy of a meeting, nil when they have none:
// the calendar to store, or nil when nothing changes, because the message is older than
// the copy or concerns nobody here. What another organizer's message would change is a
// *Refusal.
func (m *Message) Deliver(old *ical.Calendar, own Own) (*line.Component, error) {
	msg := setOf(ical.New(m.Root.Clone()))
	was := setOf(nil)
	if old != nil {
		was = setOf(ical.New(old.Root.Clone()))
	}
	if m.Method != Reply && was.cal != nil && !was.isOf(m.From) {
		return nil, &Refusal{"organizer-allowed", "the receiver has something else of that UID, which is not the sender's"}
	}
	if m.Method == Reply && was.cal != nil && !was.organizedBy(own) {
		return nil, &Refusal{"organizer-allowed", "the receiver has something else of that UID, which is not theirs to note answers in"}
	}
	switch m.Method {
	case Request:
		if m.Foreign {
			msg.ownAnswers(was, own)
		}
		return msg.request(was), nil
	case Cancel:
		return msg.cancel(was), nil
	case Reply:
		return msg.reply(was)
	}
	return nil, &Refusal{"valid-scheduling-message", "messages of the kind " + m.Method + " are not understood"}
}

// isOf says whether a meeting is that of an organizer.
func (s *set) isOf(organizer string) bool {
	l := s.organizer()
	return l != nil && Address(l.Value) == Address(organizer)
}

// organizedBy says whether a meeting is that of a person.
func (s *set) organizedBy(own Own) bool {
	l := s.organizer()
	return l != nil && own(l.Value)
}

// bare returns the root of a set without METHOD, with these components besides
// its time zones.
func (s *set) bare(comps ...*line.Component) *line.Component {
	root := s.cal.Root
	root.Del("METHOD")
	zones := slices.DeleteFunc(slices.Clone(root.Children), func(c *line.Component) bool { return c.Name != "VTIMEZONE" })
	root.Children = append(zones, comps...)
	return root
}

// request puts what an organizer says in the place of what was said before, and keeps
// what is the receiver's own. A message about some instances leaves the
// others.
func (msg *set) request(was *set) *line.Component {
	if was.cal == nil {
		return msg.bare(msg.all()...)
	}
	if msg.sequence() < was.sequence() && msg.master != nil {
		return nil
	}
	list := msg.all()
	for _, c := range list {
		key := ""
		if l := c.First("RECURRENCE-ID"); l != nil {
			key = msg.key(l)
		}
		keep(was.like(key), c)
	}
	if msg.master == nil {
		for _, c := range was.all() {
			if l := c.First("RECURRENCE-ID"); l == nil || msg.overrides[was.key(l)] == nil {
				list = append(list, c)
			}
		}
	}
	msg.zones(was)
	return msg.bare(list...)
}

// zones adds the time zones that only the other has.
func (s *set) zones(from *set) {
	have := map[string]bool{}
	for z := range s.cal.Root.Sub("VTIMEZONE") {
		have[z.Value("TZID")] = true
	}
	for z := range from.cal.Root.Sub("VTIMEZONE") {
		if !have[z.Value("TZID")] {
			s.cal.Root.Children = append(s.cal.Root.Children, z)
		}
	}
}

// keep takes over what is a person's own from their copy: alarms, and whether the
// time counts as busy.
func keep(from, to *line.Component) {
	if from == nil {
		return
	}
	to.Children = slices.DeleteFunc(to.Children, func(c *line.Component) bool { return c.Name == "VALARM" })
	for alarm := range from.Sub("VALARM") {
		to.Children = append(to.Children, alarm.Clone())
	}
	if l := from.First("TRANSP"); l != nil {
		to.Set(*l)
	}
}

// cancel marks as cancelled what an organizer has called off: it stays to be seen
// until the receiver removes it.
func (msg *set) cancel(was *set) *line.Component {
	if was.cal == nil || msg.sequence() < was.sequence() {
		return nil
	}
	next := *msg.all()[0].First("SEQUENCE")
	if msg.master != nil {
		for _, c := range was.all() {
			c.Set(line.Line{Name: "STATUS", Value: "CANCELLED"})
			c.Set(next)
		}
		return was.bare(was.all()...)
	}
	changed := false
	for _, key := range msg.order {
		if c := was.overrides[key]; c != nil {
			c.Set(line.Line{Name: "STATUS", Value: "CANCELLED"})
			c.Set(next)
			changed = true
		} else if was.master != nil {
			l := *msg.overrides[key].First("RECURRENCE-ID")
			l.Name = "EXDATE"
			was.master.Add(l)
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return was.bare(was.all()...)
}

// reply notes in an organizer's copy how somebody has answered. An answer about an
// instance that was nothing special makes it an exception. Somebody who was not
// invited, perhaps by way of somebody who was, is not let in.
func (msg *set) reply(was *set) (*line.Component, error) {
	if was.cal == nil {
		return nil, nil
	}
	changed := false
	for _, c := range msg.all() {
		from := c.First("ATTENDEE")
		if from == nil {
			return nil, &Refusal{"valid-scheduling-message", "the reply says nobody's answer"}
		}
		ok, err := was.note(msg, c, from)
		if err != nil {
			return nil, err
		}
		changed = changed || ok
	}
	if !changed {
		return nil, nil
	}
	return was.bare(was.all()...), nil
}

func (was *set) note(msg *set, c *line.Component, from *line.Line) (changed bool, err error) {
	who := only(from.Value)
	if l := c.First("RECURRENCE-ID"); l != nil {
		to, err := was.instance(msg.key(l), l)
		if to == nil || err != nil {
			return false, err
		}
		return take(to, who, from), nil
	}
	// An answer about a series is one about each instance that was not answered by
	// itself, too.
	before := needsAction
	if was.master != nil {
		if a := attendee(was.master, who); a != nil {
			before = status(a)
		}
	}
	for _, to := range was.all() {
		if a := attendee(to, who); a != nil && (to == was.master || status(a) == before) {
			changed = take(to, who, from) || changed
		}
	}
	return changed, nil
}

// take copies an answer.
func take(to *line.Component, who Own, from *line.Line) bool {
	a := attendee(to, who)
	if a == nil {
		return false
	}
	before := a.String()
	a.SetParam("PARTSTAT", status(from))
	a.SetParam("SCHEDULE-STATUS", "2.0")
	if status(from) != needsAction {
		a.DelParam("RSVP")
	}
	if cn, ok := a.Param("CN"); !ok || cn == "" {
		if cn, ok := from.Param("CN"); ok {
			a.SetParam("CN", cn)
		}
	}
	return a.String() != before
}

// instance returns the component of an instance, and makes it an exception if it is
// none yet; nil if there is no such instance.
func (s *set) instance(key string, id *line.Line) (*line.Component, error) {
	if c := s.overrides[key]; c != nil {
		return c, nil
	}
	if s.master == nil {
		return nil, nil
	}
	if _, gone := s.excluded()[key]; gone {
		return nil, nil
	}
	c, err := exception(s.cal, s.master, id)
	if c == nil || err != nil {
		return nil, err
	}
	s.overrides[key] = c
	s.order = append(s.order, key)
	return c, nil
}

// exception makes the component of one instance of a series, at the time at which
// the series puts it; nil if it does not.
func exception(cal *ical.Calendar, master *line.Component, id *line.Line) (*line.Component, error) {
	at, err := cal.Time(id)
	if err != nil {
		return nil, err
	}
	begin := master.First("DTSTART")
	if begin == nil {
		return nil, nil
	}
	moment := at.In(nil)
	found := false
	for inst, err := range cal.Instances(ical.TimeRange{Start: moment, End: moment.Add(1e9)}, nil, 100) {
		if err != nil {
			break
		}
		found = found || inst.Recurring && inst.RecurrenceID.Equal(moment)
	}
	if !found {
		return nil, nil
	}
	c := master.Clone()
	c.Del("RRULE", "RDATE", "EXDATE", "EXRULE")
	own := *id
	own.DelParam("RANGE")
	first, err := cal.Time(begin)
	if err != nil {
		return nil, err
	}
	shift := moment.Sub(first.In(nil))
	for _, name := range []string{"DTEND", "DUE"} {
		l := c.First(name)
		if l == nil {
			continue
		}
		t, err := cal.Time(l)
		if err != nil {
			return nil, err
		}
		end := line.Line{Name: name}
		if t.IsDate() {
			end.SetParam("VALUE", "DATE")
			end.Value = t.In(nil).Add(shift).Format("20060102")
		} else {
			end.Value = t.In(nil).Add(shift).UTC().Format(utc)
		}
		if t.Floating() {
			end.Value = strings.TrimSuffix(end.Value, "Z")
		}
		c.Set(end)
	}
	own.Name = "DTSTART"
	c.Set(own)
	own.Name = "RECURRENCE-ID"
	c.Set(own)
	return c, nil
}
