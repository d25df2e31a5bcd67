package ical

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A freq is the unit that a rule steps by.
type freq uint8

const (
	yearly freq = iota
	monthly
	weekly
	daily
	hourly
	minutely
	secondly
)

var freqs = []string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"}

var weekdays = []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}

// nth is a BYDAY value in one number: the second Monday, the last Friday (-1).
func nth(n, weekday int) int16 { return int16(n*8 + weekday) }

// A rule is an RRULE (RFC 5545 §3.3.10) in few bytes. Sets of small numbers are
// bit masks; the shorter slices are nil in most rules.
type rule struct {
	freq      freq
	wkst      uint8 // 0 for Monday
	weekdays  uint8 // BYDAY without a number
	months    uint16
	interval  int32
	count     int32 // 0 for none
	until     wall  // inclusive; lastWall for none
	untilUTC  bool  // until is a moment, not yet a reading of the rule's clock
	hours     uint32
	minutes   uint64
	seconds   uint64
	days      uint32 // BYMONTHDAY
	daysBack  uint32 // BYMONTHDAY=-1 is bit 1
	weeks     uint64 // BYWEEKNO
	weeksBack uint64
	nth       []int16 // BYDAY with a number, in order
	yearDays  []int16 // BYYEARDAY, in order
	setPos    []int16
}

// maxList bounds the values of one BY part; no part has use for more.
const maxList = 1024

// parseRule reads an RRULE.
func parseRule(s string) (*rule, *Error) {
	r := &rule{interval: 1, until: lastWall}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.ToUpper(strings.Trim(s, "; ")), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if seen[name] {
			return nil, invalid("%s twice in a recurrence rule", name)
		}
		seen[name] = true
		value = strings.TrimSpace(value)
		if name == "RSCALE" && value != "GREGORIAN" || name == "SKIP" && value != "OMIT" {
			return nil, &Error{Precondition: SupportedRScale, Reason: fmt.Sprintf("recurrence rule with %s=%.20s", name, value)}
		}
		if !r.setPart(name, value) {
			return nil, invalid("bad %.20s in a recurrence rule: %.40q", name, value)
		}
	}
	switch {
	case !seen["FREQ"]:
		return nil, invalid("recurrence rule without FREQ")
	case seen["COUNT"] && seen["UNTIL"]:
		return nil, invalid("recurrence rule with both COUNT and UNTIL")
	}
	for _, list := range []*[]int16{&r.nth, &r.yearDays, &r.setPos} {
		slices.Sort(*list)
		*list = slices.Clip(slices.Compact(*list))
	}
	return r, nil
}

// setPart takes one part of a rule. Parts that are not known are passed over, as
// RFC 2445 had it for X- parts.
func (r *rule) setPart(name, value string) bool {
	switch name {
	case "FREQ":
		for i, f := range freqs {
			if f == value {
				r.freq = freq(i)
				return true
			}
		}
		return false
	case "INTERVAL":
		return setInt(&r.interval, value)
	case "COUNT":
		return setInt(&r.count, value)
	case "UNTIL":
		return r.setUntil(value)
	case "WKST":
		d, ok := weekdayOf(value)
		r.wkst = uint8(d)
		return ok
	case "BYDAY":
		return each(value, r.addDay)
	case "BYMONTH":
		return numbers(value, 1, 12, false, func(n int) { r.months |= 1 << n })
	case "BYMONTHDAY":
		return numbers(value, 1, 31, true, func(n int) {
			if n < 0 {
				r.daysBack |= 1 << -n
			} else {
				r.days |= 1 << n
			}
		})
	case "BYYEARDAY":
		return numbers(value, 1, 366, true, func(n int) { r.yearDays = append(r.yearDays, int16(n)) })
	case "BYWEEKNO":
		return numbers(value, 1, 53, true, func(n int) {
			if n < 0 {
				r.weeksBack |= 1 << -n
			} else {
				r.weeks |= 1 << n
			}
		})
	case "BYHOUR":
		return numbers(value, 0, 23, false, func(n int) { r.hours |= 1 << n })
	case "BYMINUTE":
		return numbers(value, 0, 59, false, func(n int) { r.minutes |= 1 << n })
	case "BYSECOND":
		return numbers(value, 0, 60, false, func(n int) { r.seconds |= 1 << min(n, 59) })
	case "BYSETPOS":
		return numbers(value, 1, 366, true, func(n int) { r.setPos = append(r.setPos, int16(n)) })
	}
	return true
}

func (r *rule) setUntil(value string) bool {
	t, ok := parseTime(value, nil)
	r.until, r.untilUTC = t.wall, t.form == utcForm
	if t.form == dateForm {
		r.until += day - 1 // all of that day, whatever the time of the instances
	}
	return ok
}

func (r *rule) addDay(s string) bool {
	if len(s) < 2 {
		return false
	}
	d, ok := weekdayOf(s[len(s)-2:])
	if number := s[:len(s)-2]; number != "" {
		n, err := strconv.Atoi(number)
		if err != nil || n == 0 || n < -53 || n > 53 {
			return false
		}
		r.nth = append(r.nth, nth(n, d))
		return ok
	}
	r.weekdays |= 1 << d
	return ok
}

func weekdayOf(s string) (int, bool) {
	for i, d := range weekdays {
		if d == s {
			return i, true
		}
	}
	return 0, false
}

// setInt reads a positive number.
func setInt(n *int32, s string) bool {
	v, err := strconv.ParseInt(s, 10, 32)
	*n = int32(v)
	return err == nil && v > 0
}

// each calls add for every value of a list until one does not fit.
func each(list string, add func(string) bool) bool {
	n := 0
	for s := range strings.SplitSeq(list, ",") {
		if n++; n > maxList || !add(strings.TrimSpace(s)) {
			return false
		}
	}
	return true
}

// numbers adds every number of a list: lo to hi, or as far from the end if signed.
func numbers(list string, lo, hi int, signed bool, add func(int)) bool {
	return each(list, func(s string) bool {
		n, err := strconv.Atoi(s)
		if err != nil || !(lo <= n && n <= hi || signed && lo <= -n && -n <= hi) {
			return false
		}
		add(n)
		return true
	})
}
