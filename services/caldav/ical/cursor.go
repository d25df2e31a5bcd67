package ical

import (
	"math/bits"
	"slices"
	"sort"
)

// maxIdle is how many days and periods in a row may be looked at in vain before a
// rule is taken to be over. That is enough for a leap day on a given weekday, and
// little enough that nobody can make the server work by asking for what never comes.
const maxIdle = 1 << 16

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
	work   int // days and periods looked at
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
	for before := c.work; ; {
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
		if c.over = c.over || c.work-before > maxIdle; c.over {
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
