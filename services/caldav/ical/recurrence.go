package ical

import (
	"iter"
	"strings"

	"cairn/services/caldav/line"
)

// How many rules a component may have, of each kind, and a whole calendar; one is
// usual.
const (
	maxRules = 16
	maxInAll = 64
)

// addRules takes the RRULEs, and the EXRULEs that RFC 2445 had.
func (k *compiled) addRules(s *series, c *line.Component) {
	n, ex := number(c, "RRULE"), number(c, "EXRULE")
	if k.rules += n + ex; n > maxRules || ex > maxRules || k.rules > maxInAll {
		k.fail(invalid("%s with more recurrence rules than can be kept", c.Name))
		return
	}
	for l := range c.All("RRULE") {
		if r := k.rule(s, l); r != nil {
			s.rules = append(s.rules, r)
		}
	}
	for l := range c.All("EXRULE") {
		if r := k.rule(s, l); r != nil {
			s.exrules = append(s.exrules, r)
		}
	}
}

// number is how many properties of a name a component has.
func number(c *line.Component, name string) (n int) {
	for range c.All(name) {
		n++
	}
	return n
}

func (k *compiled) rule(s *series, l *line.Line) *rule {
	r, err := parseRule(l.Value)
	if err != nil {
		k.fail(err)
		return nil
	}
	if r.untilUTC && s.anchor.form >= utcForm {
		r.until = wallAt(int64(r.until), s.anchor.zone(nil))
	}
	r.complete(s.anchor.wall, s.anchor.form == dateForm)
	r.settle(s.anchor.wall)
	return r
}

// listed yields the dates, times or periods of a property; some programs write empty
// lists.
func listed(l *line.Line) iter.Seq[string] {
	return func(yield func(string) bool) {
		for v := range strings.SplitSeq(l.Value, ",") {
			if v = strings.TrimSpace(v); v != "" && !yield(v) {
				return
			}
		}
	}
}

// addDates takes the values of an RDATE.
func (k *compiled) addDates(s *series, l *line.Line) {
	for v := range listed(l) {
		from, to, isPeriod := strings.Cut(v, "/")
		t, err := k.time(l, from)
		if err != nil {
			k.fail(err)
			continue
		}
		d := date{key: s.anchor.sees(t)}
		if isPeriod {
			if d.span, err = k.periodEnd(l, t, to); err != nil {
				k.fail(err)
				continue
			}
			d.own = true
		}
		s.dates = append(s.dates, d)
	}
}

// periodEnd reads what stands behind the slash of a PERIOD that begins at t.
func (k *compiled) periodEnd(l *line.Line, t Time, s string) (span, *Error) {
	if d, ok := parseDuration(s); ok {
		return d, nil
	}
	end, err := k.time(l, s)
	if err != nil {
		return span{}, err
	}
	return t.until(end), nil
}

// until returns the span from t to u, none if u is earlier (RFC 5545 §3.8.5.3: that
// of an end is exact, of days and floating times it is one on the clock's face).
func (t Time) until(u Time) span {
	if t.form >= utcForm && u.form >= utcForm {
		return span{secs: max(u.unix(nil)-t.unix(nil), 0)}
	}
	return span{secs: max(int64(u.wall-t.wall), 0), onWall: true}
}
