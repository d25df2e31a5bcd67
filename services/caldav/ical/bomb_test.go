package ical

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestBombs: what would take minutes or gigabytes to understand is refused.
func TestBombs(t *testing.T) {
	const (
		zone   = "BEGIN:VTIMEZONE\r\nTZID:x%d\r\nBEGIN:STANDARD\r\nDTSTART:19000101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n%sEND:STANDARD\r\nEND:VTIMEZONE\r\n"
		event  = "BEGIN:VEVENT\r\nUID:%d\r\nDTSTART:20260101T000000Z\r\n%sEND:VEVENT\r\n"
		seldom = "RRULE:FREQ=YEARLY;COUNT=3;BYWEEKNO=20;BYYEARDAY=366\r\n"
		always = "RRULE:FREQ=SECONDLY\r\n"
		once   = "RRULE:FREQ=YEARLY;COUNT=1\r\n"
	)
	many := func(n int, format, inside string) (s string) {
		for i := range n {
			s += fmt.Sprintf(format, i, inside)
		}
		return s
	}
	for name, text := range map[string]string{
		"rules of a zone that never hold": fmt.Sprintf(zone, 0, strings.Repeat(seldom, 5000)),
		"rules of a zone that always do":  fmt.Sprintf(zone, 0, strings.Repeat(always, 5000)),
		"a zone that changes each second": fmt.Sprintf(zone, 0, always),
		"zones":                           many(5000, zone, ""),
		"rules of zones":                  many(10, zone, strings.Repeat(once, 300)),
		"rules of an event":               fmt.Sprintf(event, 0, strings.Repeat(seldom, 20000)),
		"exceptions of an event":          fmt.Sprintf(event, 0, strings.Repeat("EX"+seldom[1:], 20000)),
		"rules of events":                 many(5000, event, once),
	} {
		c, err := Parse([]byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + text + "END:VCALENDAR\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		if c.compiled().err == nil {
			t.Errorf("%s: understood", name)
		}
	}
}

// TestManyOverrides asks a filter of many conditions of a series with very many
// exceptions: each is looked at by itself, not beside all others.
func TestManyOverrides(t *testing.T) {
	const n = 50000
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u\r\nDTSTART:20260101T000000Z\r\nRRULE:FREQ=SECONDLY\r\nEND:VEVENT\r\n")
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		id, future := start.Add(time.Duration(i)*time.Second).Format("20060102T150405Z"), ""
		if i%2 == 0 {
			future = ";RANGE=THISANDFUTURE"
		}
		b.WriteString("BEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID" + future + ":" + id + "\r\nDTSTART:" + id + "\r\nSUMMARY:a\r\nEND:VEVENT\r\n")
	}
	c, err := Parse([]byte(b.String() + "END:VCALENDAR\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	always := &TimeRange{Start: start.AddDate(-1, 0, 0), End: start.AddDate(1, 0, 0)}
	event := CompFilter{Name: "VEVENT", Range: always}
	for range 20 {
		event.Props = append(event.Props, PropFilter{Name: "DTSTART", Range: always})
	}
	event.Props = append(event.Props, PropFilter{Name: "SUMMARY", Text: &TextMatch{Text: "b"}})
	if f := (&Filter{CompFilter{Name: "VCALENDAR", Comps: []CompFilter{event}}}); f.Match(c, nil) {
		t.Error("it matches")
	}
	event.Props = event.Props[:20]
	if f := (&Filter{CompFilter{Name: "VCALENDAR", Comps: []CompFilter{event}}}); !f.Match(c, nil) {
		t.Error("it does not match")
	}
	d := &Data{LimitRecurrence: &TimeRange{Start: start, End: start.Add(10 * time.Second)}}
	if text, err := d.Project(c, nil); err != nil || strings.Count(string(text), "BEGIN:VEVENT") > n/2+20 {
		t.Errorf("got %d events and %v", strings.Count(string(text), "BEGIN:VEVENT"), err)
	}
}
