package page

import "time"

// Clock is when it begins on its first day: "09:30".
func (e *entry) Clock() string { return e.start.Format("15:04") }

// Begin is for <time>.
func (e *entry) Begin() string {
	if e.AllDay {
		return e.first.ISO()
	}
	return e.start.Format(time.RFC3339)
}

// When says when it takes place on the day it is listed under: "09:30 to 10:15",
// "All day", "All day, until Wednesday, 25 November 2026".
func (e *entry) When() string {
	switch {
	case e.AllDay && e.first == e.last:
		return "All day"
	case e.AllDay:
		return e.span()
	case e.end.Equal(e.start):
		return e.Clock()
	case e.first == e.last && e.end.Equal((e.last + 1).in(e.end.Location())):
		return e.Clock() + " – 24:00"
	case e.first == e.last:
		return e.Clock() + " – " + e.end.Format("15:04")
	}
	return e.first.short(e.last) + ", " + e.Clock() + " – " + e.last.short(e.first) + ", " + e.end.Format("15:04")
}

// span is the days it takes: "24 – 26 November 2026".
func (e *entry) span() string {
	a, b := e.first.time(), e.last.time()
	switch {
	case e.first == e.last:
		return a.Format("2 January 2006")
	case a.Year() == b.Year() && a.Month() == b.Month():
		return a.Format("2 – ") + b.Format("2 January 2006")
	case a.Year() == b.Year():
		return a.Format("2 January – ") + b.Format("2 January 2006")
	}
	return a.Format("2 January 2006 – ") + b.Format("2 January 2006")
}

// short names the day, with the year where that of the other differs.
func (d day) short(other day) string {
	if d.time().Year() != other.time().Year() {
		return d.time().Format("Mon 2 Jan 2006")
	}
	return d.time().Format("Mon 2 Jan")
}

// Span is what somebody who cannot see the month is told of an entry's days.
func (e *entry) Span() string {
	if e.AllDay {
		return e.span()
	}
	return e.span() + ", " + e.Clock()
}
