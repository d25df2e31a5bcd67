package page

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestWhen(t *testing.T) {
	for _, c := range []struct{ event, want string }{
		{"DTSTART;VALUE=DATE:20261124", "All day"},
		{"DTSTART;VALUE=DATE:20261124|DTEND;VALUE=DATE:20261127", "24 – 26 November 2026"},
		{"DTSTART;VALUE=DATE:20261130|DTEND;VALUE=DATE:20261202", "30 November – 1 December 2026"},
		{"DTSTART;VALUE=DATE:20261231|DTEND;VALUE=DATE:20270102", "31 December 2026 – 1 January 2027"},
		{"DTSTART:20261124T083000Z|DTEND:20261124T090000Z", "09:30 – 10:00"},
		{"DTSTART:20261124T083000|DTEND:20261124T090000", "08:30 – 09:00"},
		{"DTSTART:20261124T083000", "08:30"},
		{"DTSTART:20261124T200000|DTEND:20261125T000000", "20:00 – 24:00"},
		{"DTSTART:20261124T200000|DTEND:20261125T020000", "20:00 – 02:00"},
		{"DTSTART:20261124T200000|DTEND:20261125T120000", "Tue 24 Nov, 20:00 – Wed 25 Nov, 12:00"},
		{"DTSTART:20261231T080000|DTEND:20270101T120000", "Thu 31 Dec 2026, 08:00 – Fri 1 Jan 2027, 12:00"},
		{"DTSTART;TZID=America/New_York:20261124T200000|DURATION:PT1H", "02:00 – 03:00"},
	} {
		_, body := ask(t, club(t, c.event), "GET", "?view=agenda")
		if !strings.Contains(body, ">"+c.want+"</time>") {
			t.Errorf("%s: got %q, want %q", c.event, regexp.MustCompile(`class="when">.*`).FindString(body), c.want)
		}
	}
}

// Where the month puts things: week, row, first day and length.
func TestMonth(t *testing.T) {
	p := club(t,
		"DTSTART;VALUE=DATE:20261113|DTEND;VALUE=DATE:20261118|SUMMARY:trip", // Friday to Tuesday
		"DTSTART:20261114T100000|SUMMARY:late", "DTSTART:20261114T080000|SUMMARY:early", "DTSTART;VALUE=DATE:20261114|SUMMARY:day",
		"DTSTART:20261114T110000|SUMMARY:fifth", "DTSTART:20261114T120000|SUMMARY:sixth",
		"DTSTART;VALUE=DATE:20261031|DTEND;VALUE=DATE:20261102|SUMMARY:over", "DTSTART;VALUE=DATE:20261026|SUMMARY:before")
	v, err := p.view(httptest.NewRequest("GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	p.fill(v)
	var got []string
	for i, w := range v.Weeks {
		for _, b := range w.Bars {
			got = append(got, fmt.Sprintf("%s %d.%d %d+%d", b.Title, i+1, b.Row, b.Column, b.Length))
		}
	}
	want := []string{"before 1.1 1+1", "over 1.1 6+2", "trip 3.1 5+3", "day 3.2 6+1", "early 3.3 6+1", "late 3.4 6+1", "trip 4.1 1+2"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if c := v.Weeks[2].Days[5]; c.Count != 6 || c.More != 2 || c.Number() != 14 {
		t.Errorf("got %+v, want 6 events, 2 without room", c)
	}
	if c := v.Weeks[3].Days[6]; !c.Today || v.Weeks[3].Days[5].Today {
		t.Errorf("today is not the day that it is in the calendar's zone: %+v", c)
	}
	var days []string
	for _, d := range v.Days {
		days = append(days, fmt.Sprintf("%s:%d", d.ISO(), len(d.Entries)))
	}
	if want := []string{"2026-11-01:1", "2026-11-13:1", "2026-11-14:5", "2026-11-22:0"}; !slices.Equal(days, want) {
		t.Errorf("got %q, want %q", days, want)
	}
	_, body := ask(t, p, "GET", "")
	read(t, body)
}

// Days of 23 and 25 hours are days.
func TestClockChange(t *testing.T) {
	p := club(t, "DTSTART;TZID=Europe/Vienna:20260329T000000|DTEND;TZID=Europe/Vienna:20260330T000000|SUMMARY:short", "DTSTART;VALUE=DATE:20261025|SUMMARY:long")
	for query, want := range map[string]string{"?view=agenda&from=2026-03-29": "00:00 – 24:00", "?view=agenda&from=2026-10-25": "All day"} {
		if _, body := ask(t, p, "GET", query); !strings.Contains(body, ">"+want+"</time>") {
			t.Errorf("%s: got %q, want %q", query, regexp.MustCompile(`class="when">.*`).FindString(body), want)
		}
	}
}
