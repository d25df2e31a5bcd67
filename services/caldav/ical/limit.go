package ical

import (
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/line"
)

// limit returns the calendar without the overrides that change nothing in the range:
// neither lie in it nor replace an instance that would (RFC 4791 §9.6.6).
func (c *Calendar) limit(r TimeRange, floating *time.Location) *line.Component {
	k := c.compiled()
	from, to := r.bounds()
	root := &line.Component{Name: c.Root.Name, Lines: c.Root.Lines}
	for i, child := range c.Root.Children {
		if k.owner[i] < 0 || k.series[k.owner[i]].matters(int(k.part1[i]), from, to, floating) {
			root.Children = append(root.Children, child)
		}
	}
	return root
}

// matters reports whether the component of part i says something of the range; -1, one
// that cannot be understood, may.
func (s *series) matters(i int, from, to int64, floating *time.Location) bool {
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
