package ical

import (
	"slices"
	"strings"
	"time"
)

// An Answer is one that may have to be looked up.
type Answer uint8

const (
	No Answer = iota
	Yes
	Maybe
)

func answer(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// An Index is what a cache keeps of a calendar object, some hundred bytes: enough
// to say when it takes place without reading it again. It does not change.
type Index struct {
	Kind      string // VEVENT…
	UID       string
	Recurring bool
	Alarms    bool

	series []series
	broken bool // not all could be understood
}

// Index returns the index of c, also of one that fails CheckObject.
func (c *Calendar) Index() *Index {
	k := c.compiled()
	x := &Index{Kind: kept(c.Kind), UID: strings.Clone(c.UID), series: slices.Clip(k.series), broken: k.err != nil}
	for _, s := range x.series {
		x.Recurring = x.Recurring || s.recurring
	}
	for _, child := range c.Root.Children {
		for range child.Sub("VALARM") {
			x.Alarms = true
		}
	}
	return x
}

// kept returns a kind in memory that is not part of a text.
func kept(kind string) string {
	for _, k := range []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"} {
		if kind == k {
			return k
		}
	}
	return strings.Clone(kind)
}

// Size returns about how many bytes x takes, for caches that must not grow beyond
// some. Zones are not counted: most indexes share them.
func (x *Index) Size() int {
	n := 80 + len(x.UID)
	for i := range x.series {
		s := &x.series[i]
		n += 250 + 120*len(s.parts) + 180*(len(s.rules)+len(s.exrules)) + 40*len(s.dates) + 8*len(s.gone) + 4*len(s.goneDays)
	}
	return n
}

// Overlaps reports whether an instance overlaps r by the tables of RFC 4791 §9.9.
// It is Maybe only for an object that cannot be understood as a whole.
func (x *Index) Overlaps(r TimeRange, floating *time.Location) Answer {
	for i := range x.series {
		if !x.series[i].each(r.scope(floating), func(occurrence) bool { return false }) {
			return Yes
		}
	}
	if x.broken {
		return Maybe
	}
	return No
}
