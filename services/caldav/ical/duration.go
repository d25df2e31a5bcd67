package ical

import "fmt"

// A span is a length of time: days by the calendar, then exact seconds. One that
// is on the wall is reckoned on the clock's face throughout: that of days and of
// floating times.
type span struct {
	days, secs int64
	onWall     bool
}

// end returns when a span is over that begins when clocks show w, at the moment begin.
func (s span) end(w wall, begin int64, c *clock) int64 {
	switch {
	case s.onWall:
		return c.unix(w + wall(s.days*day+s.secs))
	case s.days != 0:
		begin = c.unix(w + wall(s.days*day))
	}
	return begin + s.secs
}

// longest bounds the length of s in seconds, whatever clocks do meanwhile.
func (s span) longest() int64 {
	n := abs(s.days)*day + abs(s.secs)
	if s.days != 0 || s.onWall {
		n += slack
	}
	return n
}

func abs(n int64) int64 { return max(n, -n) }

// maxUnits bounds every number in a duration, about 300 years in days.
const maxUnits = 1e10

// parseDuration reads a DURATION (RFC 5545 §3.3.6): weeks and days are nominal, the
// rest is exact.
func parseDuration(s string) (d span, ok bool) {
	sign := int64(1)
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	if len(s) < 3 || s[0] != 'P' && s[0] != 'p' {
		return d, false
	}
	inTime, seen, n, have := false, false, int64(0), false
	for _, b := range []byte(s[1:]) {
		switch {
		case '0' <= b && b <= '9':
			if n, have = n*10+int64(b-'0'), true; n > maxUnits {
				return d, false
			}
			continue
		case (b == 'T' || b == 't') && !inTime && !have:
			inTime = true
			continue
		case !have:
			return d, false
		case b == 'W' && !inTime:
			d.days += 7 * n
		case b == 'D' && !inTime:
			d.days += n
		case b == 'H' && inTime:
			d.secs += n * hour
		case b == 'M' && inTime:
			d.secs += n * minute
		case b == 'S' && inTime:
			d.secs += n
		default:
			return d, false
		}
		n, have, seen = 0, false, true
	}
	if !seen || have || d.days*day+d.secs > 400*366*day {
		return d, false
	}
	d.days, d.secs = d.days*sign, d.secs*sign
	return d, true
}

// formatSeconds writes an exact DURATION, which must not be negative, in the
// greatest unit that fits.
func formatSeconds(n int64) string {
	switch {
	case n%hour == 0:
		return fmt.Sprintf("PT%dH", n/hour)
	case n%minute == 0:
		return fmt.Sprintf("PT%dM", n/minute)
	}
	return fmt.Sprintf("PT%dS", n)
}
