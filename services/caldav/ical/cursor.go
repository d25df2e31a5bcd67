package ical

import (
	"math/bits"
	"slices"
	"sort"
)

// maxIdle is how many periods in a row a rule may find nothing in before it is
// taken to be over. That is enough for a leap day on a given weekday, and little
// enough that nobody can make the server work by asking for what never comes.
const maxIdle = 1 << 12

// A cursor walks through what a rule yields, in order. Rules are walked by period
// (a year, a month, a week, a day, …): the days of a period that match, times the
// times of day, of those what BYSETPOS leaves. A walk may begin anywhere, so that a
// rule that is decades old costs no more than a new one.
type cursor struct {
	r      *rule
	start  wall // of the set; nothing comes before it
	last   wall // nothing comes after it
	period int64
	days   []int32 // day numbers in this period
	picks  []int32 // positions that BYSETPOS leaves; nil for all
	at     int     // next of picks or of the whole set
	size   int     // of the set, or of picks
	h      uint32  // times of day in this period
	m, s   uint64
	times  int
	over   bool
	space  [8]int32
}

// walk returns a cursor over what the rule, which must be complete, yields from one
// reading to another, both included.
func (r *rule) walk(start, from, to wall) *cursor {
	c := &cursor{r: r, start: start, last: min(to, r.until, lastWall)}
	c.days = c.space[:0]
	from = max(from, start)
	c.period = c.periodOf(from)
	c.load()
	c.at = sort.Search(c.size, func(i int) bool { return c.value(i) >= from })
	return c
}

// next returns the next value, false at the end.
func (c *cursor) next() (wall, bool) {
	for idle := 0; ; idle++ {
		for c.at < c.size {
			w := c.value(c.at)
			c.at++
			if w > c.last {
				c.over = true
				return 0, false
			}
			if w >= c.start {
				return w, true
			}
		}
		if c.over || idle > maxIdle {
			return 0, false
		}
		c.period++
		c.load()
	}
}

// value returns element i of the set of this period.
func (c *cursor) value(i int) wall {
	if c.picks != nil {
		i = int(c.picks[i])
	}
	w := wall(c.days[i/c.times]) * day
	i %= c.times
	n := bits.OnesCount64(c.s)
	w += wall(bit(c.s, i%n))
	i /= n
	n = bits.OnesCount64(c.m)
	return w + wall(bit(c.m, i%n)*minute+bit(uint64(c.h), i/n)*hour)
}

// bit returns the position of the i-th bit that is set.
func bit(mask uint64, i int) int {
	for ; i > 0; i-- {
		mask &= mask - 1
	}
	return bits.TrailingZeros64(mask)
}

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
	if c.r.months != 0 && c.r.weeks == nil && c.r.yearDays == nil {
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

// pick applies BYSETPOS.
func (c *cursor) pick() {
	c.picks = []int32{}
	for _, p := range c.r.setPos {
		i := int(p) - 1
		if p < 0 {
			i = c.size + int(p)
		}
		if 0 <= i && i < c.size {
			c.picks = append(c.picks, int32(i))
		}
	}
	slices.Sort(c.picks)
	c.picks = slices.Compact(c.picks)
	c.size = len(c.picks)
}

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
	return (r.yearDays == nil || r.isYearDay(n, y)) && (r.weeks == nil || r.isWeek(n, y))
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
	for _, b := range r.nth {
		if int(b.weekday) != weekday(n) {
			continue
		}
		if b.n > 0 && (d-1)/7+1 == int(b.n) || b.n < 0 && (length-d)/7+1 == -int(b.n) {
			return true
		}
	}
	return false
}

func (r *rule) isYearDay(n, y int) bool {
	d := n - dayOf(y, 1, 1) + 1
	back := d - yearLength(y) - 1
	return slices.ContainsFunc(r.yearDays, func(b int16) bool { return int(b) == d || int(b) == back })
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
	return slices.ContainsFunc(r.weeks, func(b int8) bool { return int(b) == w || int(b) == w-total-1 })
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
