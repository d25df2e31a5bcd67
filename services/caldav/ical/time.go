package ical

import (
	"fmt"
	"strings"
	"time"
)

// A form says what a Time is bound to.
type form uint8

const (
	dateForm  form = iota // a DATE: a day wherever one is
	floatForm             // a time of day wherever one is
	utcForm
	zoneForm
)

// A Time is a DATE or DATE-TIME as it is written: a reading of a clock, and of
// whose.
type Time struct {
	wall wall
	loc  *time.Location // of zoneForm
	form form
}

// IsDate reports whether t is a DATE.
func (t Time) IsDate() bool { return t.form == dateForm }

// Floating reports whether t is a DATE-TIME without a zone.
func (t Time) Floating() bool { return t.form == floatForm }

// In returns the moment t stands for: in its own zone, and in floating (nil for UTC)
// if it has none; a DATE is its midnight. A time that a change of the clock skips is read
// with the offset before the change, one that comes twice is the first of the two
// (RFC 5545 §3.3.5).
func (t Time) In(floating *time.Location) time.Time {
	loc := t.zone(floating)
	return time.Unix(resolve(t.wall, loc), 0).In(loc)
}

func (t Time) unix(floating *time.Location) int64 { return resolve(t.wall, t.zone(floating)) }

func (t Time) zone(floating *time.Location) *time.Location {
	switch t.form {
	case utcForm:
		return time.UTC
	case zoneForm:
		return t.loc
	}
	if floating == nil {
		return time.UTC
	}
	return floating
}

// with returns the time of the same form at another reading of the clock.
func (t Time) with(w wall) Time { t.wall = w; return t }

// sees returns what t's clock shows when u is shown on its own: the reading by
// which recurrences are told apart. A time without zone is taken as it reads.
func (t Time) sees(u Time) wall {
	switch {
	case t.form == dateForm:
		return u.wall.midnight()
	case t.form == floatForm || u.form == floatForm || u.form == dateForm || t.form == u.form && t.loc == u.loc:
		return u.wall
	}
	return wallAt(u.unix(nil), t.zone(nil))
}

// String writes t as iCalendar does, without its TZID.
func (t Time) String() string {
	y, m, d := civil(t.wall.dayNumber())
	if t.form == dateForm {
		return fmt.Sprintf("%04d%02d%02d", y, m, d)
	}
	c := t.wall.clock()
	s := fmt.Sprintf("%04d%02d%02dT%02d%02d%02d", y, m, d, c/hour, c/minute%60, c%60)
	if t.form == utcForm {
		s += "Z"
	}
	return s
}

// utcTime returns the UTC DATE-TIME of a moment.
func utcTime(unix int64) Time { return Time{wall: wall(unix), form: utcForm} }

// parseTime reads a DATE or DATE-TIME; loc is that of its TZID, nil without one.
func parseTime(s string, loc *time.Location) (t Time, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) < 8 {
		return t, false
	}
	y, ok1 := digits(s[0:4])
	m, ok2 := digits(s[4:6])
	d, ok3 := digits(s[6:8])
	if !ok1 || !ok2 || !ok3 || y < 1 || m < 1 || m > 12 || d < 1 || d > monthLength(y, m) {
		return t, false
	}
	t.wall = wall(dayOf(y, m, d)) * day
	if len(s) == 8 {
		return t, true
	}
	if len(s) != 15 && (len(s) != 16 || s[15] != 'Z' && s[15] != 'z') || s[8] != 'T' && s[8] != 't' {
		return t, false
	}
	h, ok1 := digits(s[9:11])
	n, ok2 := digits(s[11:13])
	sec, ok3 := digits(s[13:15])
	if !ok1 || !ok2 || !ok3 || h > 23 || n > 59 || sec > 60 {
		return t, false
	}
	t.wall += wall(h*hour + n*minute + min(sec, 59)) // a leap second is the one before it
	switch {
	case len(s) == 16:
		t.form = utcForm
	case loc != nil:
		t.form, t.loc = zoneForm, loc
	default:
		t.form = floatForm
	}
	return t, true
}

// digits reads a number of nothing but digits.
func digits(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || n > 1e8 {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != ""
}
