package ical

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cairn/services/caldav/line"
)

// A busy says what an instance makes of its time (RFC 5545 §3.2.9).
type busy uint8

const (
	free busy = iota
	tentative
	occupied
	unavailable
)

// invalid returns the error of a calendar that does not say what it means.
func invalid(format string, args ...any) *Error {
	return &Error{Precondition: ValidData, Reason: fmt.Sprintf(format, args...)}
}

// A compiled is what a calendar says about time.
type compiled struct {
	zones  map[string]*time.Location // its own
	series []series
	owner  []int32 // the series of each child of the VCALENDAR, -1 for none
	part1  []int32 // where in that series its parts begin, -1 for none
	rules  int     // how many there are in all
	err    *Error  // the first that could not be understood
}

// fail keeps the first error.
func (k *compiled) fail(err *Error) {
	if k.err == nil {
		k.err = err
	}
}

// compile reads all times of a calendar.
func compile(root *line.Component) *compiled {
	k := &compiled{zones: map[string]*time.Location{}, owner: make([]int32, len(root.Children)), part1: make([]int32, len(root.Children))}
	zones, rules := 0, 0
	for c := range root.Sub("VTIMEZONE") {
		zones++
		if rules += onsetRules(c); zones > maxZones || rules > maxOnsets {
			k.fail(invalid("more time zones than can be kept"))
			break
		}
		k.addZone(c)
	}
	masters := map[string]int32{} // by kind and UID
	var overrides []int
	for i, c := range root.Children {
		k.owner[i] = -1
		switch {
		case !isKind(c.Name):
		case c.First("RECURRENCE-ID") != nil:
			overrides = append(overrides, i)
		default:
			k.owner[i] = int32(len(k.series))
			masters[c.Name+c.Value("UID")] = k.owner[i]
			k.addMaster(c, int32(i))
		}
	}
	for _, i := range overrides {
		c := root.Children[i]
		n, ok := masters[c.Name+c.Value("UID")]
		if !ok {
			n = int32(len(k.series))
			masters[c.Name+c.Value("UID")] = n
			k.series = append(k.series, series{recurring: true})
		}
		k.owner[i] = n
		k.addOverride(&k.series[n], c, int32(i))
	}
	for i := range k.part1 {
		k.part1[i] = -1
	}
	for i := range k.series {
		s := &k.series[i]
		s.finish()
		for j := len(s.parts) - 1; j >= 0; j-- {
			k.part1[s.parts[j].comp] = int32(j)
		}
	}
	return k
}

// isKind reports whether a component is one that a calendar object may be about.
func isKind(name string) bool {
	return name == "VEVENT" || name == "VTODO" || name == "VJOURNAL" || name == "VFREEBUSY"
}

// addZone takes a VTIMEZONE; one that cannot be understood is let go if its name
// is known anyway.
func (k *compiled) addZone(c *line.Component) {
	name := c.Value("TZID")
	loc, err := location(c)
	if err != nil {
		if _, ok := Zone(name); !ok {
			k.fail(err)
		}
		return
	}
	k.zones[name] = loc
}

// zone returns the zone that a TZID names here.
func (k *compiled) zone(tzid string) (*time.Location, bool) {
	if loc, ok := k.zones[tzid]; ok {
		return loc, true
	}
	return Zone(tzid)
}

// time reads a value of l, which is a DATE or DATE-TIME.
func (k *compiled) time(l *line.Line, value string) (Time, *Error) {
	var loc *time.Location
	value = strings.TrimSpace(value)
	if tzid, ok := l.Param("TZID"); ok && !strings.HasSuffix(value, "Z") && len(value) > 8 {
		if loc, ok = k.zone(tzid); !ok {
			return Time{}, &Error{Precondition: ValidObject, Reason: fmt.Sprintf("%s in time zone %q, which is neither defined nor known", l.Name, tzid)}
		}
	}
	t, ok := parseTime(value, loc)
	if !ok {
		return t, invalid("%s is no date or time: %q", l.Name, value)
	}
	return t, nil
}

// first reads the first property called name; ok is false if there is none, or none
// that can be read.
func (k *compiled) first(c *line.Component, name string) (t Time, ok bool) {
	l := c.First(name)
	if l == nil {
		return t, false
	}
	t, err := k.time(l, l.Value)
	if err != nil {
		k.fail(err)
		return t, false
	}
	return t, true
}

// addMaster takes a component that is no override.
func (k *compiled) addMaster(c *line.Component, comp int32) {
	s := series{master: true}
	if c.Name == "VFREEBUSY" {
		k.addPeriods(&s, c, comp)
		s.master = false
		k.series = append(k.series, s)
		return
	}
	p := k.part(c, comp)
	s.anchor = p.start
	s.dates = []date{{key: p.start.wall}}
	s.parts = []part{p}
	if p.shape == never || p.shape == always || p.shape >= madeAndDone {
		s.master = false // nothing recurs from there
		k.series = append(k.series, s)
		return
	}
	k.addRules(&s, c)
	for l := range c.All("RDATE") {
		k.addDates(&s, l)
	}
	for l := range c.All("EXDATE") {
		for v := range listed(l) {
			if t, err := k.time(l, v); err != nil {
				k.fail(err)
			} else if t.form == dateForm && s.anchor.form != dateForm {
				s.goneDays = append(s.goneDays, int32(t.wall.dayNumber()))
			} else {
				s.gone = append(s.gone, s.anchor.sees(t))
			}
		}
	}
	s.recurring = s.rules != nil || len(s.dates) > 1
	k.series = append(k.series, s)
}

// addOverride takes a component with a RECURRENCE-ID.
func (k *compiled) addOverride(s *series, c *line.Component, comp int32) {
	p := k.part(c, comp)
	p.over = true
	l := c.First("RECURRENCE-ID")
	id, err := k.time(l, strings.TrimSpace(l.Value))
	if err != nil {
		k.fail(err)
		return
	}
	if !s.master && s.anchor == (Time{}) {
		s.anchor = id // without a master any clock will do
	}
	p.id = s.anchor.sees(id)
	if id.form == dateForm && s.anchor.form != dateForm {
		p.id = id.wall + wall(s.anchor.wall.clock())
	}
	p.delta = p.start.wall - p.start.sees(s.anchor.with(p.id))
	r, _ := l.Param("RANGE")
	p.future = strings.EqualFold(r, "THISANDFUTURE") && lasting <= p.shape && p.shape <= due
	s.gone = append(s.gone, p.id)
	s.parts = append(s.parts, p)
}

// finish puts what has been gathered in order.
func (s *series) finish() {
	slices.Sort(s.gone)
	slices.Sort(s.goneDays)
	slices.SortStableFunc(s.dates, func(a, b date) int { return compare(a.key, b.key) })
	overrides := s.parts
	if s.master {
		overrides = s.parts[1:]
	}
	slices.SortStableFunc(overrides, func(a, b part) int { return compare(a.id, b.id) })
	s.settle()
}
