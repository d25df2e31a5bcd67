package ical

import (
	"math"
	"time"
)

// A series is what a component and its overrides say about time, in few bytes:
// enough to find every instance without reading the text again. It does not change.
type series struct {
	anchor    Time // where the master begins; recurrences are readings of its clock
	parts     []part
	rules     []*rule
	exrules   []*rule
	dates     []date  // the anchor and RDATEs, in order
	gone      []wall  // EXDATEs and what overrides replace, in order
	goneDays  []int32 // EXDATEs that are a DATE where the anchor is not, in order
	lo, hi    int64   // nothing lies outside, in Unix seconds
	longest   int64   // no date that brings its own length is longer, in seconds
	master    bool    // parts[0] is the master
	recurring bool
}

// A date is a recurrence that is named, not reckoned; own says that it brings its
// own length, as a PERIOD does.
type date struct {
	key  wall
	span span
	own  bool
}

// A part is one component: the master, an override of one instance, or of one and
// all that follow.
type part struct {
	comp   int32 // which child of the VCALENDAR
	shape  shape
	busy   busy
	over   bool // an override
	future bool // RANGE=THISANDFUTURE
	start  Time
	span   span
	id     wall // which instance an override replaces
	delta  wall // how far an override moves it
}

// An occurrence is an instance by numbers: of part p, by the anchor's clock and in
// Unix seconds.
type occurrence struct {
	p          *part
	key        wall
	start      Time
	span       span
	begin, end int64
}

// A scope says which occurrences are asked for.
type scope struct {
	from, to int64          // Unix seconds
	floating *time.Location // the zone of times that have none
	comp     int32          // those of this child of the VCALENDAR alone, or anyComp
	part1    int32          // where in the series its parts begin, -1 for none
}

const anyComp = -1

// far is later than any time that can be written, by enough to add to.
const far = math.MaxInt64 / 4

// scope returns the scope of all that overlaps the range.
func (r TimeRange) scope(floating *time.Location) scope {
	from, to := r.bounds()
	return scope{from: from, to: to, floating: floating, comp: anyComp}
}

// only narrows a scope to one component.
func (k *compiled) only(comp int, q scope) scope {
	q.comp, q.part1 = int32(comp), k.part1[comp]
	return q
}

// of returns the parts of s in scope; those of one component lie side by side.
func (q scope) of(s *series) []part {
	if q.comp == anyComp {
		return s.parts
	}
	if q.part1 < 0 {
		return nil
	}
	n := q.part1
	for int(n) < len(s.parts) && s.parts[n].comp == q.comp {
		n++
	}
	return s.parts[q.part1:n]
}

// bounds returns the range in Unix seconds.
func (r TimeRange) bounds() (from, to int64) {
	from, to = -far, far
	if !r.Start.IsZero() {
		from = r.Start.Unix()
	}
	if !r.End.IsZero() {
		to = r.End.Unix()
	}
	return from, to
}

// each calls yield for every occurrence in scope until it returns false: first
// overrides, then the others in the order of the anchor's clock. It reports whether
// yield never did.
func (s *series) each(q scope, yield func(occurrence) bool) bool {
	if s.hi < q.from || s.lo > q.to {
		return true
	}
	var c clock
	parts := q.of(s)
	for i := range parts {
		p := &parts[i]
		if !p.over && s.master {
			continue
		}
		if loc := p.start.zone(q.floating); c.loc != loc {
			c = newClock(loc)
		}
		if o := p.at(p.start, p.span, &c); p.shape.overlaps(o.begin, o.end, q.from, q.to) {
			if o.key = p.id; !yield(o) {
				return false
			}
		}
	}
	if !s.master {
		return true
	}
	if q.comp != anyComp && (len(parts) == 0 || parts[0].over && !parts[0].future) {
		return true
	}
	return s.eachSegment(q, func(p *part, first, last wall) bool { return s.eachKey(q, p, first, last, yield) })
}

// eachKey does the same for the recurrences from first to last, of which p is the
// component.
func (s *series) eachKey(q scope, p *part, first, last wall, yield func(occurrence) bool) bool {
	c := newClock(p.start.zone(q.floating))
	early, late := c.shows(q.from-max(p.span.longest(), s.longest), -1)-p.delta, c.shows(q.to, 1)-p.delta
	if p.over { // its clock need not be the anchor's
		early, late = early-slack, late+slack
	}
	first, last = max(first, early), min(last, late)
	return s.keys(first, last, func(d date) bool {
		span := p.span
		if d.own && !p.over {
			span = d.span
		}
		o := p.at(s.startOf(p, d.key), span, &c)
		if !p.shape.overlaps(o.begin, o.end, q.from, q.to) {
			return true
		}
		o.key = d.key
		return yield(o)
	})
}

// eachSegment calls visit for the master and every override of what follows that are in
// scope, with the keys that are theirs. If the scope is one component, that is one.
func (s *series) eachSegment(q scope, visit func(p *part, first, last wall) bool) bool {
	i := 0
	if q.comp != anyComp {
		i = int(q.part1)
	}
	p, first := &s.parts[i], firstWall
	if p.future {
		first = p.id
	}
	for i++; i < len(s.parts); i++ {
		if next := &s.parts[i]; next.future {
			if ok := visit(p, first, next.id-1); !ok || q.comp != anyComp {
				return ok
			}
			p, first = next, next.id
		}
	}
	return visit(p, first, lastWall)
}

// startOf returns where the recurrence key begins if p is the component for it.
func (s *series) startOf(p *part, key wall) Time {
	if !p.over {
		return s.anchor.with(key)
	}
	return p.start.with(p.start.sees(s.anchor.with(key)) + p.delta)
}

// at returns the occurrence of p at a time; c is the clock of its zone.
func (p *part) at(start Time, sp span, c *clock) occurrence {
	begin := c.unix(start.wall)
	return occurrence{p: p, start: start, span: sp, begin: begin, end: sp.end(start.wall, begin, c)}
}

// settle reckons the bounds once all else is known.
func (s *series) settle() {
	s.lo, s.hi = far, -far
	widen := func(w wall, sp span) {
		s.lo = min(s.lo, int64(w)-slack)
		s.hi = max(s.hi, int64(w)+sp.longest()+slack)
	}
	for i := range s.parts {
		p := &s.parts[i]
		if p.shape == always || p.shape == sinceCreated || p.future {
			s.lo, s.hi = -far, far
		}
		if p.shape == never {
			continue
		}
		widen(p.start.wall, p.span)
	}
	if !s.master {
		return
	}
	m := s.parts[0].span
	for _, d := range s.dates {
		if !d.own {
			d.span = m
		}
		s.longest = max(s.longest, d.span.longest())
		widen(d.key, d.span)
	}
	for _, r := range s.rules {
		if r.until == lastWall {
			s.hi = far
		} else {
			widen(r.until, m)
		}
	}
}

func compare[T int | int64 | wall](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
