package ical

import (
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/line"
)

// A Filter is what a calendar-query asks for (RFC 4791 §9.7). Comp is that of
// VCALENDAR.
type Filter struct{ Comp CompFilter }

// A CompFilter is met by a component called Name that meets all conditions (RFC
// 4791 §9.7.1). Range is for VEVENT, VTODO, VJOURNAL, VFREEBUSY and VALARM; no other
// component overlaps any.
type CompFilter struct {
	Name       string // in upper case
	NotDefined bool   // there is no such component; nothing else counts
	Range      *TimeRange
	Props      []PropFilter
	Comps      []CompFilter
}

// A PropFilter is met by a property called Name that meets all conditions (RFC 4791
// §9.7.2).
type PropFilter struct {
	Name       string // in upper case
	NotDefined bool   // there is no such property; nothing else counts
	Range      *TimeRange
	Text       *TextMatch
	Params     []ParamFilter
}

// A ParamFilter is met by a parameter called Name (RFC 4791 §9.7.3).
type ParamFilter struct {
	Name       string // in upper case
	NotDefined bool
	Text       *TextMatch
}

// TextMatch is a condition on text; its Type stays Contains in CalDAV.
type TextMatch = line.TextMatch

// Match reports whether c meets the filter. floating is the zone of times that
// have none, nil for UTC.
func (f *Filter) Match(c *Calendar, floating *time.Location) bool {
	m := matcher{c: c, k: c.compiled(), floating: floating}
	return m.any(&f.Comp, []*line.Component{c.Root}, -1)
}

// A matcher holds what matching needs to know.
type matcher struct {
	c        *Calendar
	k        *compiled
	floating *time.Location
}

// any reports whether one of these components meets the filter; parent is the
// child of the VCALENDAR in which they lie, -1 if they are such themselves.
func (m *matcher) any(f *CompFilter, among []*line.Component, parent int) bool {
	for i, c := range among {
		if c.Name == f.Name && (f.NotDefined || m.comp(f, c, i, parent)) {
			return !f.NotDefined
		}
	}
	return f.NotDefined
}

// comp reports whether c, the i-th of its siblings, meets the filter.
func (m *matcher) comp(f *CompFilter, c *line.Component, i, parent int) bool {
	if f.Range != nil && !m.overlaps(f.Range, c, i, parent) {
		return false
	}
	for j := range f.Props {
		if !m.prop(&f.Props[j], c) {
			return false
		}
	}
	if c != m.c.Root && parent < 0 {
		parent = i
	}
	for j := range f.Comps {
		if !m.any(&f.Comps[j], c.Children, parent) {
			return false
		}
	}
	return true
}

// overlaps reports whether an instance of c lies in the range: one of its own, not
// of those that another component stands for.
func (m *matcher) overlaps(r *TimeRange, c *line.Component, i, parent int) bool {
	from, to := r.bounds()
	if c.Name == "VALARM" && parent >= 0 {
		a, err := m.k.alarm(c)
		return err == nil && m.k.rings(a, parent, from, to, m.floating)
	}
	if parent >= 0 || c == m.c.Root || m.k.owner[i] < 0 {
		return false
	}
	found := false
	m.k.series[m.k.owner[i]].each(from, to, m.floating, func(o occurrence) bool {
		found = int(o.p.comp) == i
		return !found
	})
	return found
}

func (m *matcher) prop(f *PropFilter, c *line.Component) bool {
	for l := range c.All(f.Name) {
		if f.NotDefined || m.line(f, l) {
			return !f.NotDefined
		}
	}
	return f.NotDefined
}

func (m *matcher) line(f *PropFilter, l *line.Line) bool {
	if f.Range != nil && !m.dated(f.Range, l) {
		return false
	}
	if f.Text != nil && !f.Text.Match(line.Unescape(l.Value)) {
		return false
	}
	return !slices.ContainsFunc(f.Params, func(p ParamFilter) bool { return !p.match(l) })
}

// dated reports whether one of the dates and times of a property lies in the range.
func (m *matcher) dated(r *TimeRange, l *line.Line) bool {
	from, to := r.bounds()
	for v := range strings.SplitSeq(l.Value, ",") {
		t, err := m.k.time(l, strings.TrimSpace(v))
		if err != nil {
			continue
		}
		begin, shape := t.unix(m.floating), instant
		end := begin
		if t.IsDate() {
			shape, end = lasting, t.with(t.wall+day).unix(m.floating)
		}
		if shape.overlaps(begin, end, from, to) {
			return true
		}
	}
	return false
}

func (f *ParamFilter) match(l *line.Line) bool {
	i := slices.IndexFunc(l.Params, func(p line.Param) bool { return p.Name == f.Name })
	if i < 0 || f.NotDefined {
		return (i < 0) == f.NotDefined
	}
	return f.Text == nil || slices.ContainsFunc(l.Params[i].Values, f.Text.Match)
}
