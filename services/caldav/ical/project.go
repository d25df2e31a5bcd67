package ical

import "time"

// Data says what of a calendar a report shall show (RFC 4791 §9.6). The zero value
// is all of it.
type Data struct {
	Comp            *CompData // VCALENDAR's; nil is everything
	Expand          *TimeRange
	LimitRecurrence *TimeRange // limit-recurrence-set
	LimitFreeBusy   *TimeRange // limit-freebusy-set
}

// CompData says what of a component is shown (RFC 4791 §9.6.1).
type CompData struct {
	Name     string // in upper case
	AllProps bool
	Props    []PropData
	AllComps bool
	Comps    []CompData
}

// PropData is a property that is shown, with NoValue only its name (RFC 4791
// §9.6.4).
type PropData struct {
	Name    string // in upper case
	NoValue bool
}

// Whole reports whether everything is shown: then the bytes as they are stored
// are the answer.
func (d *Data) Whole() bool {
	return d.Comp == nil && d.Expand == nil && d.LimitRecurrence == nil && d.LimitFreeBusy == nil
}

// Project writes what d shows of c. floating is the zone of times that have none.
func (d *Data) Project(c *Calendar, floating *time.Location) []byte { return c.Encode() }
