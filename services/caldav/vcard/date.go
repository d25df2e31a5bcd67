package vcard

import (
	"fmt"
	"strings"
	"time"

	"cairn/services/caldav/line"
)

// A Date is a day of a year, or of every year when Year is 0.
type Date struct {
	Year, Month, Day int
}

// IsZero reports whether it is no date at all.
func (d Date) IsZero() bool { return d == Date{} }

// valid reports whether there is such a day; 29 February is one when the year is
// unknown.
func (d Date) valid() bool {
	year := d.Year
	if year == 0 {
		year = leapYear
	}
	t := time.Date(year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
	return d.Year >= 0 && t.Month() == time.Month(d.Month) && t.Day() == d.Day
}

// leapYear stands in where any year with a 29 February will do.
const leapYear = 1972

// omitYear is the parameter with which Apple's address books, and others after
// them, say that the year of a 3.0 date, which has to have one, means nothing.
// Its value is that year, theirs 1604.
const (
	omitYear     = "X-APPLE-OMIT-YEAR"
	omitYearWith = 1604
)

// A moment is the value of BDAY and its kin (RFC 6350 §4.3.4, RFC 2426 §3.1.5):
// a day, with or without a year, and possibly a time of day.
type moment struct {
	Date
	time string // "T…" in the basic format, or empty
}

// parseMoment understands the formats of both versions, basic and extended. A
// value that names no day, such as "1985" or "T1022", is none.
func parseMoment(l *line.Line) (moment, bool) {
	value := strings.TrimSpace(l.Value)
	if v, _ := l.Param("VALUE"); strings.EqualFold(v, "text") {
		return moment{}, false
	}
	day, clock, hasTime := strings.Cut(value, "T")
	m := moment{}
	var ok bool
	if hasTime {
		if m.time, ok = basicTime(clock); !ok {
			return moment{}, false
		}
	}
	if m.Date, ok = parseDay(day); !ok {
		return moment{}, false
	}
	if y, has := l.Param(omitYear); has && y == fmt.Sprintf("%04d", m.Year) {
		m.Year = 0
	}
	return m, m.valid()
}

// parseDay reads 19850412, 1985-04-12, --0412 or --04-12.
func parseDay(s string) (Date, bool) {
	rest, noYear := strings.CutPrefix(s, "--")
	var d Date
	if !noYear {
		if len(s) < 4 || !number(s[:4], &d.Year) || d.Year == 0 {
			return Date{}, false
		}
		rest = strings.TrimPrefix(s[4:], "-")
	}
	if len(rest) == 5 && rest[2] == '-' {
		rest = rest[:2] + rest[3:]
	}
	ok := len(rest) == 4 && number(rest[:2], &d.Month) && number(rest[2:], &d.Day)
	return d, ok && d.valid()
}

// isReduced reports whether s is one of the dates of RFC 6350 §4.3.1 that name no
// day: 1985, 1985-04, --04 and ---12.
func isReduced(s string) bool {
	digits, n := strings.TrimLeft(s, "-"), 0
	switch len(s) - len(digits) {
	case 0:
		return len(digits) == 4 && number(digits, &n) || len(digits) == 7 && digits[4] == '-' && number(digits[:4]+digits[5:], &n)
	case 2, 3:
		return len(digits) == 2 && number(digits, &n)
	}
	return false
}

// basicTime turns 10:22:00Z and 102200.5-08:00 into T102200Z and T102200-0800:
// what RFC 6350 §4.3.4 allows has neither colons nor fractions.
func basicTime(s string) (string, bool) {
	at := strings.IndexAny(s, "Z+-")
	clock, zone := s, ""
	if at >= 0 {
		clock, zone = s[:at], s[at:]
	}
	clock, _, _ = strings.Cut(clock, ".")
	clock, zone = strings.ReplaceAll(clock, ":", ""), strings.ReplaceAll(zone, ":", "")
	var n int
	okZone := zone == "" || zone == "Z" || (len(zone) == 3 || len(zone) == 5) && number(zone[1:], &n)
	if !okZone || len(clock) > 6 || len(clock)%2 != 0 || clock == "" || !number(clock, &n) {
		return "", false
	}
	return "T" + clock + zone, true
}

// extendedTime turns T102200Z into T10:22:00Z, as 3.0 has it.
func extendedTime(s string) string {
	if s == "" {
		return ""
	}
	clock, zone := s[1:], ""
	if at := strings.IndexAny(clock, "Z+-"); at >= 0 {
		clock, zone = clock[:at], clock[at:]
	}
	if len(zone) == 5 {
		zone = zone[:3] + ":" + zone[3:]
	}
	for len(clock) < 6 {
		clock += "00" // 3.0 has no shorter ones
	}
	return "T" + clock[:2] + ":" + clock[2:4] + ":" + clock[4:] + zone
}

// v4 is the value as RFC 6350 §4.3.4 has it, in the basic format.
func (m moment) v4() string {
	if m.Year == 0 {
		return fmt.Sprintf("--%02d%02d", m.Month, m.Day) + m.time
	}
	return fmt.Sprintf("%04d%02d%02d", m.Year, m.Month, m.Day) + m.time
}

// v3 is the value as clients of RFC 2426 write it, in the extended format, and
// whether its year means nothing.
func (m moment) v3() (value string, noYear bool) {
	year := m.Year
	if year == 0 {
		year = omitYearWith
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, m.Month, m.Day) + extendedTime(m.time), m.Year == 0
}

// number reads decimal digits, and nothing else, into n.
func number(s string, n *int) bool {
	*n = 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
		*n = *n*10 + int(c-'0')
	}
	return s != ""
}
