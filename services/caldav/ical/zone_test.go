package ical

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// changesIn returns the changes of a zone's clocks between two years.
func changesIn(loc *time.Location, from, to int) (all []time.Time) {
	t := time.Date(from, 1, 1, 0, 0, 0, 0, time.UTC).In(loc)
	for {
		end := time.Unix(pieceEnd(t.Unix(), loc), 0).In(loc)
		if end.Year() >= to {
			return all
		}
		if offsetAt(end.Unix(), loc) != offsetAt(end.Unix()-1, loc) || end.IsDST() != t.IsDST() {
			all = append(all, end)
		}
		t = end
	}
}

func offsetAt(u int64, loc *time.Location) int {
	_, off := time.Unix(u, 0).In(loc).Zone()
	return off
}

// TestResolve compares resolve with the words of RFC 5545 §3.3.5, around every change
// of some zones' clocks.
func TestResolve(t *testing.T) {
	for _, name := range []string{"Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca",
		"America/St_Johns", "Europe/Dublin", "Antarctica/Troll", "Asia/Tehran", "Pacific/Kwajalein", "America/Caracas"} {
		loc, ok := Zone(name)
		if !ok {
			t.Fatalf("no zone %s", name)
		}
		c := newClock(loc)
		for _, at := range changesIn(loc, 1960, 2060) {
			before, after := offsetAt(at.Unix()-1, loc), offsetAt(at.Unix(), loc)
			for d := int64(-30 * hour); d <= 30*hour; d += 15 * minute {
				w := wall(at.Unix() + int64(before) + d)
				want := int64(w) - int64(before) // in a gap, and before the change
				if early, late := want, int64(w)-int64(after); early >= at.Unix() && late >= at.Unix() {
					want = late
				}
				if got := resolve(w, loc); got != want {
					t.Fatalf("%s on %v: clocks show %v at %v, want %v", name, at, Time{wall: w, form: floatForm}, time.Unix(got, 0).UTC(), time.Unix(want, 0).UTC())
				}
				if got := c.unix(w); got != want {
					t.Fatalf("%s on %v: a clock shows %v at %v, want %v", name, at, Time{wall: w, form: floatForm}, time.Unix(got, 0).UTC(), time.Unix(want, 0).UTC())
				}
				if got := int64(wallAt(want, loc)) - want; got != int64(offsetAt(want, loc)) {
					t.Fatalf("%s: wallAt is off by %d", name, got)
				}
			}
		}
	}
}

func TestZoneNames(t *testing.T) {
	for tzid, want := range map[string]string{
		"Europe/Vienna": "Europe/Vienna",
		"/freeassociation.sourceforge.net/Tzfile/Europe/Vienna":   "Europe/Vienna",
		"/mozilla.org/20050126_1/America/Argentina/Buenos_Aires":  "America/Argentina/Buenos_Aires",
		"/softwarestudio.org/Olson_20011030_5/America/Fort_Wayne": "America/Fort_Wayne",
		"W. Europe Standard Time":                                 "Europe/Berlin",
		"Central Standard Time (Mexico)":                          "America/Mexico_City",
		"\"Pacific Standard Time\"":                               "America/Los_Angeles",
		"UTC":                                                     "UTC",
		"Etc/UTC":                                                 "UTC",
		"UTC-02":                                                  "Etc/GMT+2",
	} {
		if loc, ok := Zone(tzid); !ok || loc.String() != want {
			t.Errorf("Zone(%q) = %v, %v, want %s", tzid, loc, ok, want)
		}
	}
	for _, tzid := range []string{"", "/", "Local", "Nowhere/City", "../../etc/passwd", "/etc/localtime/", "Europe/Vienna\x00", strings.Repeat("A/", 5000), "//", "Customized Time Zone"} {
		if loc, ok := Zone(tzid); ok {
			t.Errorf("Zone(%.40q) = %v, want none", tzid, loc)
		}
	}
	for name, olson := range windows() {
		if _, ok := Zone(name); !ok {
			t.Errorf("Windows has %q for %s, which is unknown", name, olson)
		}
	}
}

// vtimezone writes a zone change by change.
func vtimezone(tzid string, changes []time.Time) string {
	var b strings.Builder
	offset := func(u int64, loc *time.Location) string {
		off := offsetAt(u, loc)
		sign := '+'
		if off < 0 {
			sign, off = '-', -off
		}
		return fmt.Sprintf("%c%02d%02d%02d", sign, off/hour, off/minute%60, off%60)
	}
	fmt.Fprintf(&b, "BEGIN:VTIMEZONE\nTZID:%s\n", tzid)
	for _, at := range changes {
		kind := map[bool]string{true: "DAYLIGHT", false: "STANDARD"}[at.IsDST()]
		before := wallAt(at.Unix()-1, at.Location()) + 1
		fmt.Fprintf(&b, "BEGIN:%s\nDTSTART:%v\nTZOFFSETFROM:%s\nTZOFFSETTO:%s\nEND:%s\n", kind,
			Time{wall: before, form: floatForm}, offset(at.Unix()-1, at.Location()), offset(at.Unix(), at.Location()), kind)
	}
	b.WriteString("END:VTIMEZONE\n")
	return b.String()
}

// TestCustomZones writes zones of tzdata as VTIMEZONE and reads them again.
func TestCustomZones(t *testing.T) {
	for _, name := range []string{"Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/St_Johns", "Asia/Tehran", "Africa/Monrovia"} {
		want, _ := Zone(name)
		changes := changesIn(want, 1965, 2037)
		got, err := ParseZone([]byte(object(vtimezone("its own", changes))))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.String() != "its own" {
			t.Errorf("named %q", got)
		}
		for u := changes[0].Unix() - 100*day; u < changes[len(changes)-1].Unix()+100*day; u += 5*hour + 1234 {
			if g, w := offsetAt(u, got), offsetAt(u, want); g != w {
				t.Fatalf("%s at %v: %d s from UTC, want %d", name, time.Unix(u, 0).UTC(), g, w)
			}
		}
		for _, c := range changes {
			if g, w := offsetAt(c.Unix()-1, got), offsetAt(c.Unix()-1, want); g != w || offsetAt(c.Unix(), got) != offsetAt(c.Unix(), want) {
				t.Fatalf("%s just before and at %v: %d s from UTC before it, want %d", name, c, g, w)
			}
		}
	}
}

// TestRuledZones reads zones as programs write them, by rule, also such as begin with
// Outlook's 1601, end, or name their days one by one.
func TestRuledZones(t *testing.T) {
	outlook := `BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
`
	newYork := `BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:DAYLIGHT
DTSTART:19870405T020000
RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19871025T020000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
`
	for _, c := range []struct {
		text, like string
		from, to   int
	}{
		{vienna, "Europe/Vienna", 1998, 2100},
		{outlook, "Europe/Vienna", 1998, 2100},
		{newYork, "America/New_York", 1988, 2100},
	} {
		want, _ := Zone(c.like)
		got, err := ParseZone([]byte(object(c.text)))
		if err != nil {
			t.Fatal(err)
		}
		g, w := changesIn(got, c.from, c.to), changesIn(want, c.from, c.to)
		if !slices.EqualFunc(g, w, func(a, b time.Time) bool { return a.Equal(b) }) {
			t.Errorf("%s\n got %v\nwant %v", c.text, g, w)
		}
		again, _ := ParseZone([]byte(object(c.text)))
		if again != got {
			t.Errorf("a zone that was read twice is kept twice")
		}
	}
}

func TestZonesRefused(t *testing.T) {
	standard := func(lines string) string {
		return object("BEGIN:VTIMEZONE\nTZID:own\nBEGIN:STANDARD\n" + lines + "END:STANDARD\nEND:VTIMEZONE\n")
	}
	hourly := "BEGIN:VTIMEZONE\nTZID:own\n"
	for n := range 40 {
		hourly += fmt.Sprintf("BEGIN:STANDARD\nDTSTART:200001%02dT%02d0000\nTZOFFSETFROM:+0%d00\nTZOFFSETTO:+0%d00\nEND:STANDARD\n", 1+n/10, 2*(n%10), n%2, 1-n%2)
	}
	for name, text := range map[string]string{
		"no zone":             object(),
		"two zones":           object(vienna, vienna),
		"nothing in it":       object("BEGIN:VTIMEZONE\nTZID:own\nEND:VTIMEZONE\n"),
		"no start":            standard("TZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"),
		"no offset":           standard("DTSTART:20000101T000000\nTZOFFSETTO:+0200\n"),
		"offset of more":      standard("DTSTART:20000101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+9900\n"),
		"offset of words":     standard("DTSTART:20000101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+ABCD\n"),
		"a bad rule":          standard("DTSTART:20000101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=NEVER\n"),
		"changes every hour":  object(hourly + "END:VTIMEZONE\n"),
		"a rule by the hour":  standard("DTSTART:20000101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=HOURLY;COUNT=2\n"),
		"changes without end": standard("DTSTART:20000101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=SECONDLY\n"),
		"no calendar":         "BEGIN:VCARD\nEND:VCARD\n",
	} {
		if loc, err := ParseZone([]byte(text)); err == nil {
			t.Errorf("%s: %v, want an error", name, loc)
		}
	}
}
