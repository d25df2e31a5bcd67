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

// maxLooks is how many instances of one component are looked at for one that meets a
// condition which few can fail.
const maxLooks = 1 << 14

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
	own := i
	if parent >= 0 || c == m.c.Root {
		own = -1
	}
	for j := range f.Props {
		if !m.prop(&f.Props[j], c, own) {
			return false
		}
	}
	parent = max(parent, own)
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
	return !m.k.series[m.k.owner[i]].each(m.k.only(i, r.scope(m.floating)), func(occurrence) bool { return false })
}

// prop reports whether a property of c, the i-th child of the VCALENDAR if i is not
// negative, meets the filter.
func (m *matcher) prop(f *PropFilter, c *line.Component, i int) bool {
	for l := range c.All(f.Name) {
		if f.NotDefined || m.line(f, l, i) {
			return !f.NotDefined
		}
	}
	if f.Range != nil && len(f.Params) == 0 && f.Text == nil && c.First("DURATION") != nil {
		return m.instanceDated(f, i) // an end that is not written down
	}
	return f.NotDefined
}

func (m *matcher) line(f *PropFilter, l *line.Line, i int) bool {
	if f.Range != nil && !m.instanceDated(f, i) && !m.dated(f.Range, l) {
		return false
	}
	if f.Text != nil && !f.Text.Match(line.Unescape(l.Value)) {
		return false
	}
	return !slices.ContainsFunc(f.Params, func(p ParamFilter) bool { return !p.match(l) })
}

// dated reports whether a property that is a date or time lies in the range.
func (m *matcher) dated(r *TimeRange, l *line.Line) bool {
	from, to := r.bounds()
	t, err := m.k.time(l, strings.TrimSpace(l.Value))
	if err != nil {
		return false
	}
	at := t.unix(m.floating)
	return instant.overlaps(at, at, from, to)
}

// instanceDated reports the same of a property that every instance has a value of its
// own for (RFC 4791 §9.9), of child i of the VCALENDAR.
func (m *matcher) instanceDated(f *PropFilter, i int) bool {
	ends := f.Name == "DTEND" || f.Name == "DUE"
	if i < 0 || m.k.owner[i] < 0 || !ends && f.Name != "DTSTART" {
		return false
	}
	from, to := f.Range.bounds()
	found, looks := false, 0
	m.k.series[m.k.owner[i]].each(m.k.only(i, scope{from: from - 1, to: to + 1, floating: m.floating}), func(o occurrence) bool {
		at := o.begin
		if ends {
			at = o.end
		}
		found = lasting <= o.p.shape && o.p.shape <= due && instant.overlaps(at, at, from, to)
		looks++
		return !found && looks < maxLooks
	})
	return found
}

func (f *ParamFilter) match(l *line.Line) bool {
	i := slices.IndexFunc(l.Params, func(p line.Param) bool { return p.Name == f.Name })
	if i < 0 || f.NotDefined {
		return (i < 0) == f.NotDefined
	}
	return f.Text == nil || slices.ContainsFunc(l.Params[i].Values, f.Text.Match)
}
