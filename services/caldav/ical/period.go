package ical

import "math/bits"

// unit returns the number of w's year, month, week, day, … since some beginning.
func (r *rule) unit(w wall) int64 {
	switch r.freq {
	case yearly:
		y, _, _ := civil(w.dayNumber())
		return int64(y)
	case monthly:
		y, m, _ := civil(w.dayNumber())
		return int64(y)*12 + int64(m) - 1
	case weekly:
		return floorDiv(int64(w.dayNumber())+3-int64(r.wkst), 7)
	case daily:
		return int64(w.dayNumber())
	case hourly:
		return floorDiv(int64(w), hour)
	case minutely:
		return floorDiv(int64(w), minute)
	}
	return int64(w)
}

// periodOf returns the number of the first period, counted from that of the start,
// that does not end before w.
func (c *cursor) periodOf(w wall) int64 {
	n := c.r.unit(w) - c.r.unit(c.start)
	return -floorDiv(-n, int64(c.r.interval))
}

// load finds the set of this period, or of a later one if it can be seen that those
// between are empty.
func (c *cursor) load() {
	c.days, c.picks, c.at, c.size = c.days[:0], nil, 0, 0
	c.work++
	c.h, c.m, c.s = c.r.hours, c.r.minutes, c.r.seconds
	unit := c.r.unit(c.start) + c.period*int64(c.r.interval)
	var first wall
	switch c.r.freq {
	case yearly:
		first = c.loadYear(unit)
	case monthly:
		first = c.loadMonths(unit, unit+1)
	case weekly:
		first = wall(unit*7-3+int64(c.r.wkst)) * day
		c.loadDays(first.dayNumber(), 7)
	case daily:
		first = wall(unit) * day
		if c.loadDays(first.dayNumber(), 1); len(c.days) == 0 {
			c.skipMonth(first)
		}
	default:
		first = c.loadClock(unit)
	}
	if first > c.last {
		c.over = true
		c.days = c.days[:0]
		return
	}
	c.times = bits.OnesCount32(c.h) * bits.OnesCount64(c.m) * bits.OnesCount64(c.s)
	c.size = len(c.days) * c.times
	if c.r.setPos != nil {
		c.pick()
	}
}

// loadYear takes the days of a year; those of its months alone where that is all
// that can match.
func (c *cursor) loadYear(y int64) wall {
	if y > 9999 {
		return lastWall + 1
	}
	first := dayOf(int(y), 1, 1)
	if c.r.months != 0 && c.r.weeks|c.r.weeksBack == 0 && c.r.yearDays == nil {
		c.loadMonths(y*12, y*12+12)
	} else {
		c.loadDays(first, yearLength(int(y)))
	}
	return wall(first) * day
}

// loadMonths takes the days of the months numbered from up to to.
func (c *cursor) loadMonths(from, to int64) wall {
	if from/12 > 9999 {
		return lastWall + 1
	}
	for n := from; n < to; n++ {
		y, m := int(n/12), int(n%12)+1
		if c.r.months == 0 || c.r.months>>m&1 != 0 {
			c.loadDays(dayOf(y, m, 1), monthLength(y, m))
		}
	}
	return wall(dayOf(int(from/12), int(from%12)+1, 1)) * day
}

// loadDays takes those of n days from first that match.
func (c *cursor) loadDays(first, n int) {
	c.work += n
	y, m, d := civil(first)
	length := monthLength(y, m)
	for i := range n {
		if c.r.matches(first+i, y, m, d, length) {
			c.days = append(c.days, int32(first+i))
		}
		if d++; d > length {
			d = 1
			if m++; m > 12 {
				m = 1
				y++
			}
			length = monthLength(y, m)
		}
	}
}

// loadClock takes an hour, a minute or a second, or goes to the next that may match.
func (c *cursor) loadClock(unit int64) wall {
	size := []int64{hourly: hour, minutely: minute, secondly: 1}[c.r.freq]
	w := wall(unit * size)
	c.loadDays(w.dayNumber(), 1)
	t := w.clock()
	h, m := t/hour, t/minute%60
	switch {
	case len(c.days) == 0:
		if !c.skipMonth(w) {
			c.skipTo(w.midnight() + day)
		}
	case c.r.hours != 0 && c.r.hours>>h&1 == 0:
		c.days = c.days[:0]
		c.skipTo(w - wall(t%hour) + hour)
	case c.r.freq > hourly && c.r.minutes != 0 && c.r.minutes>>m&1 == 0:
		c.days = c.days[:0]
		c.skipTo(w - wall(t%minute) + minute)
	case c.r.freq == secondly && c.r.seconds != 0 && c.r.seconds>>(t%60)&1 == 0:
		c.days = c.days[:0]
	default:
		c.h = 1 << h
		if c.r.freq > hourly {
			c.m = 1 << m
		}
		if c.r.freq == secondly {
			c.s = 1 << (t % 60)
		}
	}
	return w
}

// skipMonth goes on to the next month if nothing can match in w's.
func (c *cursor) skipMonth(w wall) bool {
	y, m, d := civil(w.dayNumber())
	if c.r.months == 0 || c.r.months>>m&1 != 0 {
		return false
	}
	c.skipTo(w.midnight() + wall(monthLength(y, m)-d+1)*day)
	return true
}

// skipTo makes the period that follows this one the first that does not end before w.
func (c *cursor) skipTo(w wall) { c.period = max(c.period, c.periodOf(w)-1) }
