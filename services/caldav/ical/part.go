package ical

import (
	"strings"

	"cairn/services/caldav/line"
)

// part reads when one component takes place, recurrences aside.
func (k *compiled) part(c *line.Component, comp int32) part {
	p := part{comp: comp}
	switch c.Name {
	case "VEVENT":
		k.event(&p, c)
	case "VTODO":
		k.todo(&p, c)
	case "VJOURNAL":
		k.journal(&p, c)
	}
	return p
}

func (k *compiled) event(p *part, c *line.Component) {
	start, ok := k.first(c, "DTSTART")
	if !ok {
		return
	}
	p.start, p.busy = start, busyOf(c)
	end, hasEnd := k.first(c, "DTEND")
	length, hasLength := k.duration(c)
	switch {
	case hasEnd:
		p.span = start.until(end)
	case hasLength:
		p.span = length
	}
	if start.form == dateForm {
		if p.span.onWall = true; p.span.days*day+p.span.secs <= 0 {
			p.span = span{days: 1, onWall: true}
		}
	}
	p.shape = lasting
	if p.span.days*day+p.span.secs <= 0 {
		p.shape, p.span = instant, span{}
	}
}

// busyOf says how a VEVENT counts in free-busy (RFC 4791 §7.10).
func busyOf(c *line.Component) busy {
	status := strings.ToUpper(c.Value("STATUS"))
	switch {
	case strings.EqualFold(c.Value("TRANSP"), "TRANSPARENT"), status == "CANCELLED":
		return free
	case status == "TENTATIVE":
		return tentative
	}
	return occupied
}

func (k *compiled) todo(p *part, c *line.Component) {
	start, hasStart := k.first(c, "DTSTART")
	end, hasDue := k.first(c, "DUE")
	length, hasLength := k.duration(c)
	completed, hasCompleted := k.first(c, "COMPLETED")
	created, hasCreated := k.first(c, "CREATED")
	switch {
	case hasStart && hasDue:
		p.shape, p.start, p.span = dueTask, start, start.until(end)
	case hasStart && hasLength:
		p.shape, p.start, p.span = task, start, length
	case hasStart:
		p.shape, p.start = instant, start
	case hasDue:
		p.shape, p.start = due, end
	case hasCompleted && hasCreated:
		p.shape, p.start, p.span = madeAndDone, created, created.until(completed)
	case hasCompleted:
		p.shape, p.start = done, completed
	case hasCreated:
		p.shape, p.start = sinceCreated, created
	default:
		p.shape = always
	}
}

func (k *compiled) journal(p *part, c *line.Component) {
	start, ok := k.first(c, "DTSTART")
	if !ok {
		return
	}
	p.shape, p.start = instant, start
	if start.form == dateForm {
		p.shape, p.span = lasting, span{days: 1, onWall: true}
	}
}

// duration reads DURATION, which must not be negative here.
func (k *compiled) duration(c *line.Component) (span, bool) {
	l := c.First("DURATION")
	if l == nil {
		return span{}, false
	}
	d, ok := parseDuration(strings.TrimSpace(l.Value))
	if !ok {
		k.fail(invalid("DURATION is no length of time: %q", l.Value))
		return span{}, false
	}
	if d.days < 0 || d.secs < 0 {
		d = span{}
	}
	return d, true
}

// addPeriods takes a VFREEBUSY: what it covers, and what is busy in it.
func (k *compiled) addPeriods(s *series, c *line.Component, comp int32) {
	start, hasStart := k.first(c, "DTSTART")
	end, hasEnd := k.first(c, "DTEND")
	inner := lasting
	if hasStart && hasEnd {
		s.parts = append(s.parts, part{comp: comp, shape: closed, start: start, span: start.until(end)})
		inner = hidden
	}
	for l := range c.All("FREEBUSY") {
		kind := freeBusyType(l)
		for v := range listed(l) {
			from, to, _ := strings.Cut(v, "/")
			t, err := k.time(l, from)
			if err != nil {
				k.fail(err)
				continue
			}
			length, err := k.periodEnd(l, t, to)
			if err != nil {
				k.fail(err)
				continue
			}
			s.parts = append(s.parts, part{comp: comp, shape: inner, start: t, span: length, busy: kind})
		}
	}
}

// freeBusyType reads FBTYPE (RFC 5545 §3.2.9); what is not known is busy.
func freeBusyType(l *line.Line) busy {
	switch t, _ := l.Param("FBTYPE"); strings.ToUpper(t) {
	case "FREE":
		return free
	case "BUSY-TENTATIVE":
		return tentative
	case "BUSY-UNAVAILABLE":
		return unavailable
	}
	return occupied
}
