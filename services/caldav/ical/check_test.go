package ical

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckObject(t *testing.T) {
	event := func(lines ...string) string {
		return "BEGIN:VEVENT\nUID:1\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n"
	}
	start := "DTSTART:20260101T000000Z"
	for _, c := range []struct{ name, text, want string }{
		{"an event", object(event(start)), ""},
		{"a day", object(event("DTSTART;VALUE=DATE:20260101")), ""},
		{"without VERSION and PRODID", "BEGIN:VCALENDAR\n" + event(start) + "END:VCALENDAR\n", ""},
		{"a zone of its own", object(vienna, event("DTSTART;TZID=Europe/Vienna:20260101T000000")), ""},
		{"a zone that is known", object(event("DTSTART;TZID=W. Europe Standard Time:20260101T000000")), ""},
		{"a zone that is known, badly defined", object("BEGIN:VTIMEZONE\nTZID:Europe/Vienna\nEND:VTIMEZONE\n", event("DTSTART;TZID=Europe/Vienna:20260101T000000")), ""},
		{"TZID on UTC and on a day", object(event("DTSTART;TZID=Nowhere:20260101T000000Z", "DTEND;TZID=Nowhere:20260102")), ""},
		{"an end before the start", object(event(start, "DTEND:20250101T000000Z")), ""},
		{"empty lists", object(event(start, "EXDATE:", "RDATE:")), ""},
		{"an override alone", object(event(start, "RECURRENCE-ID:20260101T000000Z")), ""},
		{"what is X- stands beside", object(event(start), "BEGIN:X-MINE\nEND:X-MINE\n"), ""},
		{"another kind alone", object("BEGIN:VAVAILABILITY\nUID:1\nEND:VAVAILABILITY\n"), ""},
		{"leap second", object(event("DTSTART:20161231T235960Z")), ""},

		{"no calendar", "BEGIN:VCARD\nEND:VCARD\n", ValidData},
		{"two calendars", object(event(start)) + object(event(start)), ValidData},
		{"no text", "", ValidData},
		{"vCalendar", "BEGIN:VCALENDAR\nVERSION:1.0\n" + event(start) + "END:VCALENDAR\n", SupportedData},
		{"another scale", "BEGIN:VCALENDAR\nCALSCALE:CHINESE\n" + event(start) + "END:VCALENDAR\n", SupportedData},
		{"a rule of another scale", object(event(start, "RRULE:RSCALE=HEBREW;FREQ=YEARLY")), SupportedRScale},
		{"METHOD", "BEGIN:VCALENDAR\nMETHOD:REQUEST\n" + event(start) + "END:VCALENDAR\n", ValidObject},
		{"nothing", object(), ValidObject},
		{"only a zone", object(vienna), ValidObject},
		{"no UID", object("BEGIN:VEVENT\n" + start + "\nEND:VEVENT\n"), ValidObject},
		{"two kinds", object(event(start), "BEGIN:VTODO\nUID:1\nEND:VTODO\n"), ValidObject},
		{"two UIDs", object(event(start), "BEGIN:VEVENT\nUID:2\n"+start+"\nEND:VEVENT\n"), ValidObject},
		{"two masters", object(event(start), event(start)), ValidObject},
		{"two overrides of one instance", object(event(start, "RECURRENCE-ID:20260101T000000Z"), event(start, "RECURRENCE-ID:20260101T000000Z")), ValidObject},
		{"a zone that nobody knows", object(event("DTSTART;TZID=Nowhere:20260101T000000")), ValidObject},
		{"no start", object(event("SUMMARY:x")), ValidData},
		{"two starts", object(event(start, start)), ValidData},
		{"two UIDs in one", object(event(start, "UID:1")), ValidData},
		{"an end and a length", object(event(start, "DTEND:20260102T000000Z", "DURATION:PT1H")), ValidData},
		{"due and a length", object("BEGIN:VTODO\nUID:1\n" + start + "\nDUE:20260102T000000Z\nDURATION:PT1H\nEND:VTODO\n"), ValidData},
		{"no date", object(event("DTSTART:20260230")), ValidData},
		{"no time", object(event("DTSTART:20260220T250000")), ValidData},
		{"year 0", object(event("DTSTART:00000101")), ValidData},
		{"half a time", object(event("DTSTART:20260220T10")), ValidData},
		{"no length", object(event(start, "DURATION:1H")), ValidData},
		{"a length of nothing", object(event(start, "DURATION:P")), ValidData},
		{"a length of ages", object(event(start, "DURATION:P99999999999D")), ValidData},
		{"a bad rule", object(event(start, "RRULE:FREQ=OFTEN")), ValidData},
		{"a bad exception", object(event(start, "EXDATE:never")), ValidData},
		{"a bad addition", object(event(start, "RDATE;VALUE=PERIOD:20260101T000000Z/never")), ValidData},
		{"a bad id", object(event(start, "RECURRENCE-ID:never")), ValidData},
		{"an alarm without a trigger", object(event(start, "BEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM")), ValidData},
		{"an alarm at no time", object(event(start, "BEGIN:VALARM\nTRIGGER:soon\nEND:VALARM")), ValidData},
		{"a bad free-busy", object("BEGIN:VFREEBUSY\nUID:1\nFREEBUSY:20260101T000000Z\nEND:VFREEBUSY\n"), ValidData},
		{"a bad zone", object("BEGIN:VTIMEZONE\nTZID:own\nEND:VTIMEZONE\n", event(start)), ValidData},
		{"a group, as in a vCard", object(event(start, "item1.URL:x")), ValidData},
	} {
		cal, err := Parse([]byte(c.text))
		if err == nil {
			err = cal.CheckObject()
			cal.Index().Overlaps(TimeRange{}, nil) // whatever it says, it must say something
		}
		bad, ok := errors.AsType[*Error](err)
		if got := map[bool]string{true: "", false: "another error"}[err == nil]; ok && bad.Precondition != c.want || !ok && got != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Parse([]byte("BEGIN:VCALENDAR\nX\nEND:VCALENDAR\n")); err == nil || err.Error() != "line 2: no colon" {
		t.Errorf("got %v", err)
	}
}

func TestSplit(t *testing.T) {
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//p//EN\nMETHOD:PUBLISH\nX-WR-CALNAME:Home\n" + vienna + eastern +
		"BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Vienna:20260101T000000\nRRULE:FREQ=DAILY\nEND:VEVENT\n" +
		"BEGIN:VTODO\nUID:1\nEND:VTODO\n" +
		"BEGIN:VEVENT\nUID:2\nDTSTART:soon\nEND:VEVENT\n" +
		"BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=Europe/Vienna:20260101T000000\nDTSTART:20260102T000000Z\nEND:VEVENT\n" +
		"BEGIN:VEVENT\nDTSTART:20260102T000000Z\nSUMMARY:no UID\nEND:VEVENT\n" +
		"END:VCALENDAR\n" + object("BEGIN:VEVENT\nUID:3\nDTSTART:20260101T000000Z\nEND:VEVENT\n") + "BEGIN:VCARD\nEND:VCARD\n"
	var got []string
	for c, err := range Split([]byte(text)) {
		switch {
		case c == nil:
			got = append(got, "nothing")
		case err != nil:
			got = append(got, c.UID+" bad")
		default:
			zones := 0
			for range c.Root.Sub("VTIMEZONE") {
				zones++
			}
			if c.Root.Value("PRODID") == "" || c.Root.First("METHOD") != nil || c.Root.First("X-WR-CALNAME") != nil {
				t.Errorf("%s: %s", c.UID, c.Encode())
			}
			got = append(got, c.Kind+c.UID+strings.Repeat(" zone", zones)+strings.Repeat(" part", len(c.Root.Children)-zones))
		}
	}
	noUID := got[3]
	if len(noUID) != len("VEVENT")+32+len(" part") {
		t.Errorf("the event without UID became %q", noUID)
	}
	got[3] = "-"
	if want := "VEVENT1 zone part part, VTODO1 part, 2 bad, -, VEVENT3 part, nothing"; strings.Join(got, ", ") != want {
		t.Errorf(" got %s\nwant %s", strings.Join(got, ", "), want)
	}
	for c, err := range Split([]byte("BEGIN:VCALENDAR\nX\n")) {
		if c != nil || err == nil || err.Error() != "line 2: no colon" {
			t.Errorf("%v, %v", c, err)
		}
	}
}
