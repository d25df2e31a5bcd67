package ical

// complete fills in what a rule leaves to the start of its set: the time of day,
// and the day where no part says which (RFC 5545 §3.3.10). The parts that a rule of
// this frequency has no use for are let go.
func (r *rule) complete(start wall, allDay bool) {
	_, m, d := civil(start.dayNumber())
	if r.freq > monthly || r.freq == yearly && r.weeks|r.weeksBack != 0 {
		for _, n := range r.nth { // numbers mean nothing within a week
			r.weekdays |= 1 << (n & 7)
		}
		r.nth = nil
	}
	byDay := r.weekdays != 0 || r.nth != nil
	switch byDate := r.days|r.daysBack != 0 || r.yearDays != nil; {
	case byDate || byDay:
	case r.weeks|r.weeksBack != 0 || r.freq == weekly:
		r.weekdays = 1 << weekday(start.dayNumber())
	case r.freq == yearly:
		r.days = 1 << d
		if r.months == 0 {
			r.months = 1 << m
		}
	case r.freq == monthly:
		r.days = 1 << d
	}
	c := start.clock()
	if allDay { // a DATE has no time of day to choose
		r.hours, r.minutes, r.seconds = 0, 0, 0
		r.freq = min(r.freq, daily)
	}
	if r.hours == 0 && r.freq < hourly {
		r.hours = 1 << (c / hour)
	}
	if r.minutes == 0 && r.freq < minutely {
		r.minutes = 1 << (c / minute % 60)
	}
	if r.seconds == 0 && r.freq < secondly {
		r.seconds = 1 << (c % 60)
	}
}

// A rule with a COUNT of more than maxCount is taken to go on for ever. One for which
// more than maxCounting days and periods must be looked at ends where that is so.
const (
	maxCount    = 1 << 16
	maxCounting = 1 << 17
)

// settle turns a COUNT into an UNTIL and ends a rule that never yields anything, so
// that what follows need not count from the start. The start is the first to count,
// whether or not the rule yields it (RFC 5545 §3.8.5.3).
func (r *rule) settle(start wall) {
	c := r.walk(start, start, lastWall)
	w, ok := c.next()
	if !ok {
		r.until = min(r.until, start)
	}
	if r.count == 0 || r.count > maxCount {
		return
	}
	last := start
	n := r.count
	if w != start {
		n--
	}
	for ; ok && n > 0 && c.work < maxCounting; n-- {
		last = w
		w, ok = c.next()
	}
	r.until, r.count = last, 0
}
