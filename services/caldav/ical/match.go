package ical

import "slices"

// matches reports whether the BY parts leave a day in; length is that of its month.
func (r *rule) matches(n, y, m, d, length int) bool {
	if r.months != 0 && r.months>>m&1 == 0 {
		return false
	}
	if r.days|r.daysBack != 0 && r.days>>d&1 == 0 && r.daysBack>>(length+1-d)&1 == 0 {
		return false
	}
	if (r.weekdays != 0 || r.nth != nil) && r.weekdays>>weekday(n)&1 == 0 && !r.isNth(n, y, d, length) {
		return false
	}
	return (r.yearDays == nil || r.isYearDay(n, y)) && (r.weeks|r.weeksBack == 0 || r.isWeek(n, y))
}

// isNth reports whether a day is the n-th of its weekday in its month, or in its
// year for a yearly rule without months.
func (r *rule) isNth(n, y, d, length int) bool {
	if r.nth == nil {
		return false
	}
	if r.freq == yearly && r.months == 0 {
		d, length = n-dayOf(y, 1, 1)+1, yearLength(y)
	}
	_, found := slices.BinarySearch(r.nth, nth((d-1)/7+1, weekday(n)))
	if !found {
		_, found = slices.BinarySearch(r.nth, nth(-(length-d)/7-1, weekday(n)))
	}
	return found
}

func (r *rule) isYearDay(n, y int) bool {
	d := n - dayOf(y, 1, 1) + 1
	_, found := slices.BinarySearch(r.yearDays, int16(d))
	if !found {
		_, found = slices.BinarySearch(r.yearDays, int16(d-yearLength(y)-1))
	}
	return found
}

// isWeek reports whether a day lies in one of the weeks, of which the first is the
// first with four days in the year (RFC 5545 §3.3.10, ISO 8601).
func (r *rule) isWeek(n, y int) bool {
	first := r.firstWeek(y)
	if next := r.firstWeek(y + 1); n >= next {
		y, first = y+1, next
	} else if n < first {
		y--
		first = r.firstWeek(y)
	}
	total := (r.firstWeek(y+1) - first) / 7
	w := (n-first)/7 + 1
	return r.weeks>>w&1 != 0 || r.weeksBack>>(total+1-w)&1 != 0
}

// firstWeek returns the day on which week 1 of a year begins.
func (r *rule) firstWeek(y int) int {
	jan1 := dayOf(y, 1, 1)
	into := int(floorMod(int64(weekday(jan1)-int(r.wkst)), 7)) // days since the week began
	if into <= 3 {
		return jan1 - into
	}
	return jan1 + 7 - into
}
