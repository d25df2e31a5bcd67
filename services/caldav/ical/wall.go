package ical

// A wall is a reading of a clock on a wall, in seconds since it showed
// 1970-01-01T00:00:00: a local time that knows of no zone. Recurrence is reckoned
// in it (RFC 5545 §3.3.10), and zones are applied to what comes out.
type wall int64

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour

	firstWall = wall(-62135596800) // 0001-01-01T00:00:00
	lastWall  = wall(253402300799) // 9999-12-31T23:59:59
)

// dayNumber returns the days from 1970-01-01 to w's.
func (w wall) dayNumber() int { return int(floorDiv(int64(w), day)) }

// clock returns the seconds since midnight.
func (w wall) clock() int { return int(w - wall(w.dayNumber())*day) }

// midnight returns the beginning of w's day.
func (w wall) midnight() wall { return wall(w.dayNumber()) * day }

// civil returns the Gregorian date of a day number, after Howard Hinnant's
// "chrono-compatible low-level date algorithms".
func civil(n int) (y, m, d int) {
	n += 719468
	era := int(floorDiv(int64(n), 146097))
	doe := n - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = mp + 3
	if mp >= 10 {
		m = mp - 9
	}
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

// dayOf returns the day number of a Gregorian date.
func dayOf(y, m, d int) int {
	if m <= 2 {
		y--
		m += 12
	}
	era := int(floorDiv(int64(y), 400))
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// weekday returns the day of the week, 0 for Monday.
func weekday(n int) int { return int(floorMod(int64(n)+3, 7)) }

func leap(y int) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func monthLength(y, m int) int {
	switch m {
	case 2:
		if leap(y) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func yearLength(y int) int {
	if leap(y) {
		return 366
	}
	return 365
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
