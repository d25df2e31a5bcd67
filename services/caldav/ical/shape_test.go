package ical

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// at returns a moment of 5 January 2026, by its time of day in UTC: "0930".
func at(t *testing.T, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	m, err := time.Parse("0201 1504", s)
	if err != nil {
		if m, err = time.Parse("0201 1504", "0501 "+s); err != nil {
			t.Fatal(err)
		}
	}
	return m.AddDate(2026, 0, 0)
}

// TestTables goes through the tables of RFC 4791 §9.9: what overlaps from when to
// when, just before and just after it.
func TestTables(t *testing.T) {
	for _, c := range []struct {
		kind, lines, yes, no string // ranges "from-to", each side may be left out
	}{
		{"VEVENT", "DTSTART:20260105T100000Z DTEND:20260105T110000Z", "0900-1001 1059-1200 1015-1016 - 1030- -1030", "0900-1000 1100-1200 1100- -1000"},
		{"VEVENT", "DTSTART:20260105T100000Z DURATION:PT1H", "0900-1001 1059-1200 1015-1016", "0900-1000 1100-1200"},
		{"VEVENT", "DTSTART:20260105T100000Z DURATION:PT0S", "1000-1001 0900-1001", "0900-1000 1001-1100"},
		{"VEVENT", "DTSTART:20260105T100000Z", "1000-1001 0900-1001 1000- -1001", "0900-1000 1001-1100 -1000 1001-"},
		{"VEVENT", "DTSTART;VALUE=DATE:20260105", "0000-0001 2359-0601.0001 0401.2359-0001", "0401.0000-0000 0601.0000-0601.0100"},
		{"VEVENT", "DTSTART;VALUE=DATE:20260105 DTEND;VALUE=DATE:20260107", "0601.2359-0701.0001", "0701.0000-0701.0001 0401.0000-0000"},
		{"VEVENT", "DTSTART;VALUE=DATE:20260105 DTEND;VALUE=DATE:20260105", "0000-0001 2359-0601.0001", "0601.0000-0601.0100"},
		{"VEVENT", "DTSTART:20260105T100000Z DTEND:20260105T090000Z", "1000-1001", "0900-0930 1001-1100"},

		{"VTODO", "DTSTART:20260105T100000Z DURATION:PT1H", "0900-1001 1100-1200 1015-1016 0930-1100", "1101-1200 0900-1000"},
		{"VTODO", "DTSTART:20260105T100000Z DUE:20260105T110000Z", "0900-1001 1059-1200 1015-1016", "0900-1000 1100-1200"},
		{"VTODO", "DTSTART:20260105T100000Z DUE:20260105T100000Z", "1000-1001 0900-1000", "1001-1100 0800-0900"},
		{"VTODO", "DTSTART:20260105T100000Z", "1000-1001", "0900-1000 1001-1100"},
		{"VTODO", "DUE:20260105T100000Z", "0900-1000 0959-1100", "1000-1100 0800-0959"},
		{"VTODO", "COMPLETED:20260105T110000Z CREATED:20260105T100000Z", "0900-1000 1100-1200 1015-1016", "0800-0959 1101-1200"},
		{"VTODO", "COMPLETED:20260105T110000Z", "1000-1100 1100-1200", "0900-1059 1101-1200"},
		{"VTODO", "CREATED:20260105T100000Z", "1000-1001 1200-1300 1200- -1001", "0900-1000 -1000"},
		{"VTODO", "", "0900-1000 - 0900- -1000", ""},
		{"VTODO", "DTSTART:20260105T100000Z DUE:20260105T110000Z COMPLETED:20260101T000000Z CREATED:20250101T000000Z", "1015-1016", "0101.0000-0101.0001"},

		{"VJOURNAL", "DTSTART:20260105T100000Z", "1000-1001", "0900-1000 1001-1100"},
		{"VJOURNAL", "DTSTART;VALUE=DATE:20260105", "0000-0001 2359-0601.0001", "0601.0000-0601.0001"},
		{"VJOURNAL", "", "", "0900-1000 -"},

		{"VFREEBUSY", "DTSTART:20260105T100000Z DTEND:20260105T110000Z", "0900-1001 1100-1200 1015-1016", "0900-1000 1101-1200"},
		{"VFREEBUSY", "DTSTART:20260105T100000Z DTEND:20260105T110000Z FREEBUSY:20260105T150000Z/PT1H", "1015-1016", "1515-1516"},
		{"VFREEBUSY", "FREEBUSY:20260105T100000Z/PT1H,20260105T150000Z/20260105T160000Z FREEBUSY;FBTYPE=FREE:20260105T200000Z/PT1H", "1059-1200 1500-1501 2030-2031", "0900-1000 1100-1500 1600-2000 2100-"},
		{"VFREEBUSY", "DTSTART:20260105T100000Z", "", "0900-1100 -"},
	} {
		text := object(fmt.Sprintf("BEGIN:%s\nUID:1\n%s\nEND:%s\n", c.kind, strings.ReplaceAll(c.lines, " ", "\n"), c.kind))
		cal := parse(t, strings.ReplaceAll(text, "\n\n", "\n"))
		x := cal.Index()
		check := func(ranges string, want bool) {
			for s := range strings.FieldsSeq(ranges) {
				from, to, _ := strings.Cut(strings.ReplaceAll(s, ".", " "), "-")
				r := TimeRange{at(t, from), at(t, to)}
				f := Filter{CompFilter{Name: "VCALENDAR", Comps: []CompFilter{{Name: c.kind, Range: &r}}}}
				if got := f.Match(cal, time.UTC); got != want {
					t.Errorf("%s %s in %s: %v, want %v", c.kind, c.lines, s, got, want)
				}
				if got := x.Overlaps(r, time.UTC); got != answer(want) {
					t.Errorf("index of %s %s in %s: %v, want %v", c.kind, c.lines, s, got, want)
				}
			}
		}
		check(c.yes, true)
		check(c.no, false)
	}
}

// TestFloating makes sure that times without a zone are read in the one that is
// asked in.
func TestFloating(t *testing.T) {
	tokyo, _ := Zone("Asia/Tokyo")
	for _, text := range []string{"DTSTART:20260105T100000\nDURATION:PT1H\n", "DTSTART:20260105T100000\nDTEND:20260105T110000\nRRULE:FREQ=YEARLY\n"} {
		x := index(t, object("BEGIN:VEVENT\nUID:1\n"+text+"END:VEVENT\n"))
		r := TimeRange{at(t, "0100"), at(t, "0200")}
		if got := x.Overlaps(r, tokyo); got != Yes {
			t.Errorf("in Tokyo: %v, want Yes", got)
		}
		if got := x.Overlaps(r, nil); got != No {
			t.Errorf("in UTC: %v, want No", got)
		}
	}
	x := index(t, object("BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260105\nEND:VEVENT\n"))
	r := TimeRange{at(t, "0401 1500"), at(t, "0401 1501")}
	if got := x.Overlaps(r, tokyo); got != Yes {
		t.Errorf("a day in Tokyo: %v, want Yes", got)
	}
	if got := x.Overlaps(r, time.UTC); got != No {
		t.Errorf("a day in UTC: %v, want No", got)
	}
}
