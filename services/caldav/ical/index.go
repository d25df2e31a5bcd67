package ical

import (
	"iter"
	"time"

	"cairn/services/caldav/line"
)

// An Answer is one that may have to be looked up.
type Answer uint8

const (
	No Answer = iota
	Yes
	Maybe
)

// An Index is what a cache keeps of a calendar object, some hundred bytes: enough
// to say when it takes place without reading it again. It does not change.
type Index struct {
	Kind      string // VEVENT…
	UID       string
	Recurring bool
	Alarms    bool
}

// Index returns the index of c, also of one that fails CheckObject.
func (c *Calendar) Index() *Index { return &Index{Kind: c.Kind, UID: c.UID} }

// Overlaps reports whether an instance overlaps r by the tables of RFC 4791 §9.9.
func (x *Index) Overlaps(r TimeRange, floating *time.Location) Answer { return Maybe }

// FreeBusy returns the VFREEBUSY of those calendars in r, which must be bounded
// (RFC 4791 §7.10): DTSTAMP, DTSTART, DTEND and FREEBUSY lines in UTC.
func FreeBusy(all iter.Seq[*Index], r TimeRange, floating *time.Location, now time.Time) *line.Component {
	return nil
}
