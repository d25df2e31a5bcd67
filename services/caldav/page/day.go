package page

import "time"

// A day is a day of the calendar, wherever: the number of days since 1 January
// 1970.
type day int

// dayOf is the day that a clock in t's zone shows.
func dayOf(t time.Time) day {
	y, m, d := t.Date()
	return day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// time is the day's beginning in UTC, for its parts and its formats.
func (d day) time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// in is its beginning in a zone.
func (d day) in(zone *time.Location) time.Time {
	y, m, n := d.time().Date()
	return time.Date(y, m, n, 0, 0, 0, 0, zone)
}

func (d day) add(n int) day { return d + day(n) }

// month is the first day of d's month.
func (d day) month() day { return d - day(d.time().Day()-1) }

func (d day) addMonths(n int) day { return dayOf(d.time().AddDate(0, n, 0)) }

// weekday is 0 for Monday.
func (d day) weekday() int { return (int(d.time().Weekday()) + 6) % 7 }

// ISO is how it stands in URLs and in <time>.
func (d day) ISO() string { return d.time().Format("2006-01-02") }

// Number is the day of the month.
func (d day) Number() int { return d.time().Day() }

// Long names the day: "Saturday, 21 November 2026".
func (d day) Long() string { return d.time().Format("Monday, 2 January 2006") }
