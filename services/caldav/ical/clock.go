package ical

import "time"

// slack is more than two readings of clocks for one moment ever differ by.
const slack = 2 * maxOffset

// A clock turns readings of one zone's clocks into moments, quickly where no change
// of the clocks is near: it remembers the offset that it used last.
type clock struct {
	loc      *time.Location
	off      int64
	from, to int64 // off holds between these moments, and slack beyond them
}

func newClock(loc *time.Location) clock {
	if loc == time.UTC {
		return clock{loc: loc, from: -2 * far, to: 2 * far}
	}
	return clock{loc: loc}
}

// unix returns the moment at which clocks show w (see resolve).
func (c *clock) unix(w wall) int64 {
	if u := int64(w) - c.off; c.from <= u && u < c.to {
		return u
	}
	u := resolve(w, c.loc)
	c.load(u)
	return u
}

// load remembers the offset that holds at a moment.
func (c *clock) load(u int64) {
	t := time.Unix(u, 0).In(c.loc)
	begin, end := t.ZoneBounds()
	_, off := t.Zone()
	c.off, c.from, c.to = int64(off), -2*far, 2*far
	if !begin.IsZero() {
		c.from = begin.Unix() + slack
	}
	if !end.IsZero() {
		c.to = end.Unix() - slack
	}
}

// shows returns a reading that clocks show at the moment u at the earliest (side
// -1) or at the latest (side 1): exact where no change is near.
func (c *clock) shows(u int64, side int64) wall {
	u = min(max(u, int64(firstWall)-2*slack), int64(lastWall)+2*slack)
	if u < c.from || u >= c.to {
		c.load(u)
	}
	if c.from <= u && u < c.to {
		return wall(u + c.off)
	}
	return wall(u + c.off + side*slack)
}
