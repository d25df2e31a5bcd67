package ical

import (
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/line"
)

// What Project expands at most: instances of one object, and bytes of all of them.
const (
	maxInstances = 10000
	maxExpanded  = 32 << 20
)

// expand returns the calendar as its instances in the range, each without recurrence
// and in UTC (RFC 4791 §9.6.5).
func (c *Calendar) expand(r TimeRange, floating *time.Location) (*line.Component, error) {
	k := c.compiled()
	root := &line.Component{Name: c.Root.Name, Lines: c.Root.Lines}
	bytes := 0
	for i := range k.series {
		s := &k.series[i]
		var found []occurrence
		if !s.each(r.scope(floating), func(o occurrence) bool {
			found = append(found, o)
			bytes += size(c.Root.Children[o.p.comp])
			return len(found) <= maxInstances && bytes <= maxExpanded
		}) {
			return nil, ErrTooMany
		}
		slices.SortStableFunc(found, func(a, b occurrence) int { return compare(a.begin, b.begin) })
		for j, o := range found {
			switch src := c.Root.Children[o.p.comp]; {
			case src.Name != "VFREEBUSY":
				root.Children = append(root.Children, k.instance(s, o, src, floating))
			case j == 0: // its parts are one component, and in UTC
				root.Children = append(root.Children, src)
			}
		}
	}
	return root, nil
}

// size returns about how many bytes a component takes.
func size(c *line.Component) int {
	n := 64
	for i := range c.Lines {
		n += len(c.Lines[i].Name) + len(c.Lines[i].Value) + 16*len(c.Lines[i].Params) + 4
	}
	for _, child := range c.Children {
		n += size(child)
	}
	return n
}

// instance returns the component that stands for one occurrence of src.
func (k *compiled) instance(s *series, o occurrence, src *line.Component, floating *time.Location) *line.Component {
	out := &line.Component{Name: src.Name, Children: src.Children}
	for i := range src.Lines {
		switch l := src.Lines[i]; l.Name {
		case "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID":
		case "DTSTART":
			out.Add(timeLine("DTSTART", o.start, floating))
		case "DTEND":
			out.Add(timeLine("DTEND", o.endTime(floating), floating))
		case "DUE":
			out.Add(timeLine("DUE", o.endTime(floating), floating))
		case "DURATION":
			out.Add(o.duration(l))
		default:
			out.Add(k.inUTC(l, floating))
		}
	}
	if src.Name == "VEVENT" && src.First("DTEND") == nil && src.First("DURATION") == nil && o.end > o.begin && o.start.form != dateForm {
		out.Add(timeLine("DTEND", o.endTime(floating), floating)) // of a PERIOD
	}
	if s.recurring {
		out.Add(timeLine("RECURRENCE-ID", s.anchor.with(o.key), floating))
	}
	return out
}

// endTime returns the end in the form of the start.
func (o occurrence) endTime(floating *time.Location) Time {
	if o.span.onWall {
		return o.start.with(o.start.wall + wall(o.span.days*day+o.span.secs))
	}
	return o.start.with(wallAt(o.end, o.start.zone(floating)))
}

// duration returns the line for a DURATION. One of days that are not 24 hours long in
// the instance's zone would mean something else in UTC, and so is written exactly.
func (o occurrence) duration(l line.Line) line.Line {
	if o.span == o.p.span && (o.start.form != zoneForm || o.end-o.begin == o.span.days*day+o.span.secs) {
		return l
	}
	l.Value = formatSeconds(o.end - o.begin)
	return l
}

// timeLine returns a property that is a time, in UTC if it has a zone.
func timeLine(name string, t Time, floating *time.Location) line.Line {
	l := line.Line{Name: name}
	if t.form == zoneForm {
		t = utcTime(t.unix(floating))
	}
	if t.form == dateForm {
		l.SetParam("VALUE", "DATE")
	}
	l.Value = t.String()
	return l
}

// inUTC returns a property with its times, if it has a TZID, in UTC.
func (k *compiled) inUTC(l line.Line, floating *time.Location) line.Line {
	if _, ok := l.Param("TZID"); !ok {
		return l
	}
	values := strings.Split(l.Value, ",")
	for i, v := range values {
		t, err := k.time(&l, v)
		if err != nil {
			return l
		}
		if t.form == zoneForm {
			t = utcTime(t.unix(floating))
		}
		values[i] = t.String()
	}
	l.Value = strings.Join(values, ",")
	l.DelParam("TZID")
	return l
}
