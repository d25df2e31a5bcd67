// Package ical reads iCalendar (RFC 5545) and answers what CalDAV asks about it
// (RFC 4791): whether it is a calendar object, when it takes place, whether it
// matches a query, what shall be shown of it, who is busy, and what becomes of two
// changes of one object.
//
//	c, err := ical.Parse(data)
//	if err == nil {
//		err = c.CheckObject() // *ical.Error names the precondition
//	}
//	…
//	for in, err := range c.Instances(month, vienna, 1000) {
//		fmt.Println(in.Start, in.Component.Value("SUMMARY"))
//	}
//
// A Calendar is one VCALENDAR, usually a calendar object: one component, with the
// overrides of its instances. The tree of its lines is Root, which is for everyone to
// read (package line). An Index is the little that a cache keeps of a calendar; it
// answers time ranges as the calendar does, and so most queries need not read it:
//
//	switch filter.MatchIndex(x, floating) {
//	case ical.Maybe:
//		ok = filter.Match(c, floating)
//
// Everything here is a pure function of its arguments; a Calendar and an Index may be
// used by several goroutines.
//
// # Time
//
// A DATE, and a DATE-TIME without a zone, means what clocks show wherever one is:
// every question takes the floating zone in which they are read, nil for UTC.
// TZID names a VTIMEZONE of the same text, else a zone of tzdata, also after a
// vendor's prefix, or one by the name that Windows has for it. A time that clocks
// skip is read with the offset before the change, one that they show twice is the
// first (RFC 5545 §3.3.5). A VTIMEZONE is followed from 1900 to 2150.
//
// # Recurrence
//
// Rules are reckoned on the face of a clock, and zones applied to what comes out. A
// walk along a rule may begin anywhere, so that a month of a series costs the same
// however old the series is; COUNT is turned into an end once, when it is read.
//
//   - DTSTART is always the first of its set and counts (§3.8.5.3), even where the
//     rule would not yield it, unless EXDATE takes it out.
//   - BYSETPOS counts from the beginning of the period, also in the first one.
//   - FREQ=YEARLY;BYWEEKNO without BYDAY means the weekday of DTSTART.
//   - BYDAY with a number in a rule by week or day means every such weekday.
//   - UNTIL as a DATE includes that day; EXDATE as a DATE takes out all of the day.
//   - RSCALE other than GREGORIAN, and SKIP other than OMIT, are refused (RFC 7529).
//   - RANGE=THISANDFUTURE moves what follows by as much as its own instance, and
//     gives it its length and everything else.
//   - EXRULE of RFC 2445 is still obeyed.
//
// # Bounds
//
// What never ends, or never comes, ends here: a rule is taken to be over when 65,536
// days and periods in a row had nothing in them; Instances and Project stop with
// ErrTooMany; FreeBusy takes what happens more often than it can look at to last; an
// alarm or a date of a series is looked for in the 16,384 nearest instances. A calendar
// may hold 64 recurrence rules and 256 zones: one object has far fewer, and what holds
// many objects is taken apart by Split first. A question takes time in proportion to
// an object's text, and some milliseconds at most for each rule in it; an Index grows
// with the text it is made from, and says how large it is.
package ical
