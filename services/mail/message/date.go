package message

import (
	"strconv"
	"strings"
	"time"
)

// Date returns the time in the Date field; false if there is none or it cannot be read.
func (h Header) Date() (time.Time, bool) { return ParseDate(h.Get("Date")) }

// Sent returns the time in the Date field if it can be: not before there was mail
// of this kind (RFC 822, 1982) and not more than a day after it was received.
// Otherwise it returns received.
func (h Header) Sent(received time.Time) time.Time {
	t, ok := h.Date()
	if !ok || t.Year() < 1982 || t.After(received.Add(24*time.Hour)) {
		return received
	}
	return t
}

// FormatDate returns a time as a Date field has it (RFC 5322 §3.3).
func FormatDate(t time.Time) string { return t.Format("Mon, 2 Jan 2006 15:04:05 -0700") }

// ParseDate reads the date of a mail: RFC 5322 with its obsolete forms, and what else is found there:
// asctime, ISO 8601, missing seconds, zones and weekdays, month names written out. A
// date without a zone is in UTC. False means that there is no date in it.
func ParseDate(s string) (time.Time, bool) {
	if len(s) > 256 {
		s = s[:256]
	}
	if t, ok := parseISO(s); ok {
		return t, true
	}
	var d dateParts
	d.day, d.year, d.month = -1, -1, 0
	for _, w := range strings.FieldsFunc(stripComments(s), func(r rune) bool { return strings.ContainsRune(" \t\r\n,", r) }) {
		d.word(w)
	}
	return d.time()
}

func parseISO(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05 -0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func stripComments(s string) string {
	if !strings.Contains(s, "(") {
		return s
	}
	sc := scanner{s: s}
	return sc.until("")
}

// dateParts are what was found of a date so far.
type dateParts struct {
	day, year      int // -1 when not seen
	month          time.Month
	clock          bool
	hour, min, sec int
	zone           int // seconds east of UTC
	afternoon      bool
}

// word takes one word of a date for what it looks like.
func (d *dateParts) word(w string) {
	switch {
	case !d.clock && strings.Contains(w, ":"):
		d.setClock(w)
	case (w[0] == '+' || w[0] == '-') && d.clock:
		d.setOffset(w)
	case '0' <= w[0] && w[0] <= '9':
		d.number(w)
	default:
		d.name(w)
	}
}

// number takes a day or a year, or, as in 02-Jan-2006, all of a date.
func (d *dateParts) number(w string) {
	if strings.ContainsAny(w, "-/.") {
		for part := range strings.FieldsFuncSeq(w, func(r rune) bool { return strings.ContainsRune("-/.", r) }) {
			if '0' <= part[0] && part[0] <= '9' {
				d.number(part)
			} else {
				d.name(part)
			}
		}
		return
	}
	n, err := strconv.Atoi(strings.TrimRight(w, "stndrh")) // 1st, 2nd, 3rd, 4th
	switch {
	case err != nil:
	case d.day < 0 && n <= 31 && len(w) <= 4:
		d.day = n
	case d.year < 0 && d.month != 0:
		d.year = fullYear(n, len(w))
	}
}

// fullYear is RFC 5322 §4.3.
func fullYear(n, digits int) int {
	switch {
	case digits <= 2 && n < 50:
		return n + 2000
	case digits <= 3:
		return n + 1900
	}
	return n
}

// name takes a month, a zone, or something to be passed over such as a weekday.
func (d *dateParts) name(w string) {
	if len(w) >= 3 && d.month == 0 {
		if i := strings.Index("janfebmaraprmayjunjulaugsepoctnovdec", strings.ToLower(w[:3])); i >= 0 && i%3 == 0 {
			d.month = time.Month(i/3 + 1)
			return
		}
	}
	if !d.clock {
		return
	}
	w = strings.ToUpper(w)
	if hours, ok := zones[w]; ok {
		d.zone = hours * 3600
		return
	}
	switch {
	case w == "PM":
		d.afternoon = true
	case len(w) > 3 && (strings.HasPrefix(w, "GMT") || strings.HasPrefix(w, "UTC")):
		d.setOffset(w[3:])
	}
}

// zones are those of RFC 5322 §4.3 and a few more; all others are unknown and so UTC.
var zones = map[string]int{
	"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8,
	"BST": 1, "CET": 1, "MET": 1, "CEST": 2, "MEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "AEST": 10,
}

func (d *dateParts) setClock(w string) {
	if i := strings.LastIndexAny(w, "+-"); i > 0 { // 12:00:00+0100
		d.setClock(w[:i])
		d.setOffset(w[i:])
		return
	}
	part := strings.Split(w, ":")
	var n [3]int
	for i := range min(3, len(part)) {
		digits, _, _ := strings.Cut(part[i], ".")
		v, err := strconv.Atoi(digits)
		if err != nil || v < 0 {
			return
		}
		n[i] = v
	}
	d.hour, d.min, d.sec, d.clock = n[0], n[1], n[2], true
}

func (d *dateParts) setOffset(w string) {
	if len(w) < 2 || w[0] != '+' && w[0] != '-' {
		return
	}
	n, err := strconv.Atoi(strings.ReplaceAll(w[1:], ":", ""))
	if err != nil || n < 0 || n > 9959 {
		return
	}
	if len(w) <= 3 { // +1, +01
		n *= 100
	}
	if d.zone = (n/100*60 + n%100) * 60; w[0] == '-' {
		d.zone = -d.zone
	}
}

func (d *dateParts) time() (time.Time, bool) {
	if d.afternoon && d.hour < 12 {
		d.hour += 12
	}
	if d.day < 1 || d.month == 0 || d.year < 1 || d.year > 9999 || d.hour > 24 || d.min > 59 || d.sec > 61 || d.zone > 24*3600 || d.zone < -24*3600 {
		return time.Time{}, false
	}
	t := time.Date(d.year, d.month, d.day, d.hour, d.min, d.sec, 0, time.FixedZone("", d.zone))
	return t, t.Year() > 0 && t.Year() <= 9999
}
