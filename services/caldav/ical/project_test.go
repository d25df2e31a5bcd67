package ical

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// crlf writes a text as it goes over the wire.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestProject(t *testing.T) {
	series := object(vienna, "BEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART;TZID=Europe/Vienna:20260322T100000\nDTEND;TZID=Europe/Vienna:20260322T110000\nRRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;TZID=Europe/Vienna:20260405T100000\nSUMMARY:a\n"+
		"X-AT;TZID=Europe/Vienna:20260701T100000\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:now\nEND:VALARM\nEND:VEVENT\n",
		"BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=Europe/Vienna:20260329T100000\nDTSTART;TZID=Europe/Vienna:20260330T100000\nDURATION:P1D\nSUMMARY:b\nEND:VEVENT\n")
	const head = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n"
	const alarm = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:now\nEND:VALARM\n"
	floatingText := object("BEGIN:VEVENT\nUID:2\nDTSTART:20260322T100000\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT\n")
	days := object("BEGIN:VEVENT\nUID:3\nDTSTART;VALUE=DATE:20260322\nDURATION:P2D\nEND:VEVENT\n")
	busy := object("BEGIN:VFREEBUSY\nUID:4\nFREEBUSY:20260101T000000Z/PT1H,20260102T000000Z/PT1H\nFREEBUSY;FBTYPE=FREE:20260101T000000Z/PT1H\nEND:VFREEBUSY\n")
	for _, c := range []struct {
		name, text string
		d          Data
		want       string
	}{
		{"RFC 4791 §9.6, some of it", series, Data{Comp: &CompData{Name: "VCALENDAR", Props: []PropData{{Name: "VERSION"}}, Comps: []CompData{{Name: "VEVENT", Props: []PropData{{Name: "SUMMARY"}, {Name: "UID"}, {Name: "DTSTART", NoValue: true}}}}}},
			"BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Vienna:\nSUMMARY:a\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Vienna:\nSUMMARY:b\nEND:VEVENT\nEND:VCALENDAR\n"},
		{"all components", series, Data{Comp: &CompData{Name: "VCALENDAR", AllComps: true}}, strings.Replace(series, "VERSION:2.0\nPRODID:-//test//EN\n", "", 1)},
		{"all properties, no component", series, Data{Comp: &CompData{Name: "VCALENDAR", AllProps: true}}, head + "END:VCALENDAR\n"},
		{"expanded", series, Data{Expand: utc("20260322T000000Z 20260420T000000Z")}, head +
			"BEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART:20260322T090000Z\nDTEND:20260322T100000Z\nSUMMARY:a\nX-AT:20260701T080000Z\nRECURRENCE-ID:20260322T090000Z\n" + alarm + "END:VEVENT\n" +
			"BEGIN:VEVENT\nUID:1\nDTSTART:20260330T080000Z\nDURATION:P1D\nSUMMARY:b\nRECURRENCE-ID:20260329T080000Z\nEND:VEVENT\n" +
			"BEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nDTSTART:20260412T080000Z\nDTEND:20260412T090000Z\nSUMMARY:a\nX-AT:20260701T080000Z\nRECURRENCE-ID:20260412T080000Z\n" + alarm + "END:VEVENT\n" +
			"END:VCALENDAR\n"},
		{"expanded, of which a part", series, Data{Expand: utc("20260322T000000Z 20260323T000000Z"), Comp: &CompData{Name: "VCALENDAR", Comps: []CompData{{Name: "VEVENT", Props: []PropData{{Name: "RECURRENCE-ID"}}}}}},
			"BEGIN:VCALENDAR\nBEGIN:VEVENT\nRECURRENCE-ID:20260322T090000Z\nEND:VEVENT\nEND:VCALENDAR\n"},
		{"expanded where there is nothing", series, Data{Expand: utc("20270322T000000Z 20270420T000000Z")}, head + "END:VCALENDAR\n"},
		{"expanded without a zone", floatingText, Data{Expand: utc("20260323T000000Z 20260324T000000Z")}, object("BEGIN:VEVENT\nUID:2\nDTSTART:20260323T100000\nRECURRENCE-ID:20260323T100000\nEND:VEVENT\n")},
		{"expanded days", days, Data{Expand: utc("20260323T000000Z 20260324T000000Z")}, days},
		{"a day that is an hour shorter in its zone", object("BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Vienna:20260328T120000\nDURATION:P1D\nEND:VEVENT\n"), Data{Expand: utc("20260323T000000Z 20260401T000000Z")},
			object("BEGIN:VEVENT\nUID:1\nDTSTART:20260328T110000Z\nDURATION:PT23H\nEND:VEVENT\n")},
		{"an expanded task", object("BEGIN:VTODO\nUID:1\nDTSTART;TZID=Europe/Vienna:20260328T120000\nDUE;TZID=Europe/Vienna:20260328T130000\nRRULE:FREQ=DAILY;COUNT=9\nEND:VTODO\n"), Data{Expand: utc("20260402T000000Z 20260403T000000Z")},
			object("BEGIN:VTODO\nUID:1\nDTSTART:20260402T100000Z\nDUE:20260402T110000Z\nRECURRENCE-ID:20260402T100000Z\nEND:VTODO\n")},
		{"a period that is longer than the others, and one where there was none", object("BEGIN:VEVENT\nUID:1\nDTSTART:20260301T100000Z\nDURATION:PT1H\nRDATE;VALUE=PERIOD:20260302T100000Z/PT2H\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nDTSTART:20260301T100000Z\nRDATE;VALUE=PERIOD:20260302T100000Z/PT2H\nEND:VEVENT\n"), Data{Expand: utc("20260302T000000Z 20260303T000000Z")},
			object("BEGIN:VEVENT\nUID:1\nDTSTART:20260302T100000Z\nDURATION:PT2H\nRECURRENCE-ID:20260302T100000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nDTSTART:20260302T100000Z\nDTEND:20260302T120000Z\nRECURRENCE-ID:20260302T100000Z\nEND:VEVENT\n")},
		{"overrides in the range", series, Data{LimitRecurrence: utc("20260330T000000Z 20260331T000000Z")}, series},
		{"overrides that were in the range", series, Data{LimitRecurrence: utc("20260329T080000Z 20260329T083000Z")}, series},
		{"overrides elsewhere", series, Data{LimitRecurrence: utc("20260412T000000Z 20260413T000000Z")}, series[:strings.LastIndex(series, "BEGIN:VEVENT")] + "END:VCALENDAR\n"},
		{"free-busy in a range", busy, Data{LimitFreeBusy: utc("20260102T000000Z 20260103T000000Z")}, object("BEGIN:VFREEBUSY\nUID:4\nFREEBUSY:20260102T000000Z/PT1H\nEND:VFREEBUSY\n")},
		{"expanded free-busy", busy, Data{Expand: utc("20260101T000000Z 20260103T000000Z")}, busy},
	} {
		cal, err := Parse([]byte(c.text)) // not always one object
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.d.Project(cal, time.UTC)
		if err != nil || string(got) != crlf(c.want) {
			t.Errorf("%s: %v\n got %q\nwant %q", c.name, err, got, crlf(c.want))
		}
		if c.d.Whole() {
			t.Errorf("%s: shows everything", c.name)
		}
	}
	if !(&Data{}).Whole() {
		t.Error("the zero Data does not show everything")
	}
}

// TestLimitFuture makes sure that an override of all that follows is shown wherever
// it matters (RFC 4791 §9.6.6).
func TestLimitFuture(t *testing.T) {
	c := parse(t, object("BEGIN:VEVENT\nUID:1\nDTSTART:20260101T100000Z\nRRULE:FREQ=DAILY\nEND:VEVENT\n",
		"BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260201T100000Z\nDTSTART:20260201T120000Z\nSUMMARY:later\nEND:VEVENT\n"))
	for s, want := range map[string]bool{"20260110T000000Z 20260111T000000Z": false, "20260201T000000Z 20260202T000000Z": true, "20280201T000000Z 20280202T000000Z": true} {
		got, err := (&Data{LimitRecurrence: utc(s)}).Project(c, nil)
		if err != nil || strings.Contains(string(got), "later") != want {
			t.Errorf("in %s the override is shown: %v, want %v (%v)", s, !want, want, err)
		}
	}
}

func TestExpandBounds(t *testing.T) {
	for _, rule := range []string{"FREQ=SECONDLY", "FREQ=MINUTELY;COUNT=20000"} {
		c := parse(t, object("BEGIN:VEVENT\nUID:1\nDTSTART:20260101T000000Z\nRRULE:"+rule+"\nEND:VEVENT\n"))
		if _, err := (&Data{Expand: utc("20260101T000000Z 20270101T000000Z")}).Project(c, nil); !errors.Is(err, ErrTooMany) {
			t.Errorf("%s: %v, want %v", rule, err, ErrTooMany)
		}
	}
	long := "DESCRIPTION:" + strings.Repeat("x", 1<<20) + "\n"
	c := parse(t, object("BEGIN:VEVENT\nUID:1\nDTSTART:20260101T000000Z\nRRULE:FREQ=DAILY\n"+long+"END:VEVENT\n"))
	if _, err := (&Data{Expand: utc("20260101T000000Z 20270101T000000Z")}).Project(c, nil); !errors.Is(err, ErrTooMany) {
		t.Errorf("365 MB: %v, want %v", err, ErrTooMany)
	}
}

func TestFreeBusy(t *testing.T) {
	event := func(lines ...string) string {
		return object("BEGIN:VEVENT\nUID:1\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n")
	}
	var all []*Index
	for _, text := range []string{
		event("DTSTART:20260105T080000Z", "DURATION:PT1H"),
		event("DTSTART:20260105T083000Z", "DURATION:PT1H"),                               // overlaps
		event("DTSTART:20260105T093000Z", "DURATION:PT30M"),                              // touches
		event("DTSTART:20260105T085000Z", "DURATION:PT10H", "TRANSP:TRANSPARENT"),        // takes no time
		event("DTSTART:20260105T085000Z", "DURATION:PT10H", "STATUS:CANCELLED"),          // takes none any more
		event("DTSTART:20260105T094500Z", "DURATION:PT1H", "STATUS:TENTATIVE"),           // another kind
		event("DTSTART:20260101T120000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=100"), // within, on two days
		event("DTSTART:20260105T130000Z"),                                                // has no length
		event("DTSTART:20260106T223000Z", "DURATION:P1D"),                                // ends outside
		event("DTSTART:20260104T000000Z", "DTEND:20260105T003000Z"),                      // begins outside
		event("DTSTART;TZID=Europe/Vienna:20260106T100000", "DURATION:PT1H", "STATUS:CONFIRMED", "TRANSP:OPAQUE"),
		event("DTSTART;VALUE=DATE:20260110"),
		object("BEGIN:VTODO\nUID:1\nDTSTART:20260106T150000Z\nDUE:20260106T160000Z\nEND:VTODO\n"),
		object("BEGIN:VFREEBUSY\nUID:1\nDTSTART:20260101T000000Z\nDTEND:20260201T000000Z\nFREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260106T180000Z/PT1H\nFREEBUSY;FBTYPE=FREE:20260106T190000Z/PT1H\nFREEBUSY:20260106T200000Z/20260106T210000Z,20260301T200000Z/PT1H\nEND:VFREEBUSY\n"),
	} {
		all = append(all, index(t, text))
	}
	r := utc("20260105T000000Z 20260107T000000Z")
	got := FreeBusy(slices.Values(all), *r, time.UTC, at(t, "1234")).Encode()
	want := `BEGIN:VFREEBUSY
DTSTAMP:20260105T123400Z
DTSTART:20260105T000000Z
DTEND:20260107T000000Z
FREEBUSY;FBTYPE=BUSY:20260105T000000Z/20260105T003000Z
FREEBUSY;FBTYPE=BUSY:20260105T080000Z/20260105T100000Z
FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260105T094500Z/20260105T104500Z
FREEBUSY;FBTYPE=BUSY:20260105T120000Z/20260105T130000Z
FREEBUSY;FBTYPE=BUSY:20260106T090000Z/20260106T100000Z
FREEBUSY;FBTYPE=BUSY:20260106T120000Z/20260106T130000Z
FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260106T180000Z/20260106T190000Z
FREEBUSY;FBTYPE=BUSY:20260106T200000Z/20260106T210000Z
FREEBUSY;FBTYPE=BUSY:20260106T223000Z/20260107T000000Z
END:VFREEBUSY
`
	if string(got) != crlf(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestFreeBusyAlways makes sure that a series which takes place more often than can
// be looked at takes all the time, not none.
func TestFreeBusyAlways(t *testing.T) {
	x := index(t, object("BEGIN:VEVENT\nUID:1\nDTSTART:20260101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY;INTERVAL=2\nEND:VEVENT\n"))
	fb := FreeBusy(slices.Values([]*Index{x}), *utc("20260101T000000Z 20260201T000000Z"), nil, time.Time{})
	last := fb.Lines[len(fb.Lines)-1].Value
	if !strings.HasSuffix(last, "/20260201T000000Z") {
		t.Errorf("the last of %d lines is %s", len(fb.Lines), last)
	}
}
