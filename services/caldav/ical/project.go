package ical

import (
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/line"
)

// Data says what of a calendar a report shall show (RFC 4791 §9.6). The zero value
// is all of it. At most one of Expand and LimitRecurrence is set; both need a Start
// and an End.
type Data struct {
	Comp            *CompData  // VCALENDAR's; nil is everything
	Expand          *TimeRange // every instance by itself, in UTC (§9.6.5)
	LimitRecurrence *TimeRange // limit-recurrence-set: overrides that matter there (§9.6.6)
	LimitFreeBusy   *TimeRange // limit-freebusy-set (§9.6.7)
}

// CompData says what of a component is shown (RFC 4791 §9.6.1).
type CompData struct {
	Name     string // in upper case
	AllProps bool
	Props    []PropData
	AllComps bool
	Comps    []CompData
}

// PropData is a property that is shown, with NoValue only its name (RFC 4791
// §9.6.4).
type PropData struct {
	Name    string // in upper case
	NoValue bool
}

// What Project expands at most: instances of one object, and bytes of all of them.
const (
	maxInstances = 10000
	maxExpanded  = 32 << 20
)

// Whole reports whether everything is shown: then the bytes as they are stored
// are the answer.
func (d *Data) Whole() bool {
	return d.Comp == nil && d.Expand == nil && d.LimitRecurrence == nil && d.LimitFreeBusy == nil
}

// Project writes what d shows of c. floating is the zone of times that have none,
// nil for UTC; they stay as they are also where others are turned into UTC. Its only
// error is ErrTooMany, where there is more to expand than can be shown.
func (d *Data) Project(c *Calendar, floating *time.Location) ([]byte, error) {
	root := c.Root
	switch {
	case d.Expand != nil:
		var err error
		if root, err = c.expand(*d.Expand, floating); err != nil {
			return nil, err
		}
	case d.LimitRecurrence != nil:
		root = c.limit(*d.LimitRecurrence, floating)
	}
	if d.LimitFreeBusy != nil {
		root = c.limitFreeBusy(root, *d.LimitFreeBusy, floating)
	}
	if d.Comp != nil {
		root = d.Comp.of(root)
	}
	return root.Encode(), nil
}

// of returns what is shown of a component.
func (d *CompData) of(c *line.Component) *line.Component {
	out := &line.Component{Name: c.Name}
	for i := range c.Lines {
		l := c.Lines[i]
		j := slices.IndexFunc(d.Props, func(p PropData) bool { return p.Name == l.Name })
		if j >= 0 && d.Props[j].NoValue {
			l.Value = ""
		}
		if j >= 0 || d.AllProps {
			out.Lines = append(out.Lines, l)
		}
	}
	for _, child := range c.Children {
		j := slices.IndexFunc(d.Comps, func(sub CompData) bool { return sub.Name == child.Name })
		switch {
		case j >= 0:
			out.Children = append(out.Children, d.Comps[j].of(child))
		case d.AllComps:
			out.Children = append(out.Children, child)
		}
	}
	return out
}

// expand returns the calendar as its instances in the range, each without recurrence
// and in UTC (RFC 4791 §9.6.5).
func (c *Calendar) expand(r TimeRange, floating *time.Location) (*line.Component, error) {
	k := c.compiled()
	root := &line.Component{Name: c.Root.Name, Lines: c.Root.Lines}
	from, to := r.bounds()
	bytes := 0
	for i := range k.series {
		s := &k.series[i]
		var found []occurrence
		if !s.each(from, to, floating, func(o occurrence) bool {
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

// limit returns the calendar without the overrides that change nothing in the range:
// neither lie in it nor replace an instance that would (RFC 4791 §9.6.6).
func (c *Calendar) limit(r TimeRange, floating *time.Location) *line.Component {
	k := c.compiled()
	from, to := r.bounds()
	root := &line.Component{Name: c.Root.Name, Lines: c.Root.Lines}
	for i, child := range c.Root.Children {
		if k.owner[i] < 0 || k.series[k.owner[i]].matters(int32(i), from, to, floating) {
			root.Children = append(root.Children, child)
		}
	}
	return root
}

// matters reports whether a component says something of the range.
func (s *series) matters(comp int32, from, to int64, floating *time.Location) bool {
	i := slices.IndexFunc(s.parts, func(p part) bool { return p.comp == comp })
	if i < 0 || !s.parts[i].over {
		return true
	}
	p := &s.parts[i]
	c := newClock(p.start.zone(floating))
	o := p.at(p.start, p.span, &c)
	if p.shape.overlaps(o.begin, o.end, from, to) {
		return true
	}
	was := o
	if s.master {
		m := &s.parts[0]
		c := newClock(s.anchor.zone(floating))
		was = m.at(s.anchor.with(p.id), m.span, &c)
		if m.shape.overlaps(was.begin, was.end, from, to) {
			return true
		}
	}
	return p.future && min(o.begin, was.begin) < to
}

// limitFreeBusy returns the calendar without the periods of VFREEBUSY that lie
// outside the range (RFC 4791 §9.6.7).
func (c *Calendar) limitFreeBusy(root *line.Component, r TimeRange, floating *time.Location) *line.Component {
	k := c.compiled()
	from, to := r.bounds()
	out := &line.Component{Name: root.Name, Lines: root.Lines}
	for _, child := range root.Children {
		if child.Name != "VFREEBUSY" {
			out.Children = append(out.Children, child)
			continue
		}
		fb := &line.Component{Name: child.Name, Children: child.Children}
		for _, l := range child.Lines {
			if l.Name == "FREEBUSY" {
				l.Value = k.periodsWithin(&l, from, to, floating)
			}
			if l.Name != "FREEBUSY" || l.Value != "" {
				fb.Add(l)
			}
		}
		out.Children = append(out.Children, fb)
	}
	return out
}

// periodsWithin returns the periods of a FREEBUSY line that overlap the range.
func (k *compiled) periodsWithin(l *line.Line, from, to int64, floating *time.Location) string {
	kept := slices.DeleteFunc(strings.Split(l.Value, ","), func(v string) bool {
		first, rest, _ := strings.Cut(strings.TrimSpace(v), "/")
		t, err := k.time(l, first)
		if err != nil {
			return false
		}
		length, err := k.periodEnd(l, t, rest)
		if err != nil {
			return false
		}
		c := newClock(t.zone(floating))
		begin := c.unix(t.wall)
		return !lasting.overlaps(begin, length.end(t.wall, begin, &c), from, to)
	})
	return strings.Join(kept, ",")
}
