package ical

import (
	"fmt"
	"strings"
	"testing"
)

// TestBombs: what would take minutes or gigabytes to understand is refused.
func TestBombs(t *testing.T) {
	const (
		zone   = "BEGIN:VTIMEZONE\r\nTZID:x%d\r\nBEGIN:STANDARD\r\nDTSTART:19000101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n%sEND:STANDARD\r\nEND:VTIMEZONE\r\n"
		event  = "BEGIN:VEVENT\r\nUID:%d\r\nDTSTART:20260101T000000Z\r\n%sEND:VEVENT\r\n"
		seldom = "RRULE:FREQ=YEARLY;COUNT=3;BYWEEKNO=20;BYYEARDAY=366\r\n"
		always = "RRULE:FREQ=SECONDLY\r\n"
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
		"rules of zones":                  many(10, zone, strings.Repeat(seldom, 300)),
		"rules of an event":               fmt.Sprintf(event, 0, strings.Repeat(seldom, 20000)),
		"exceptions of an event":          fmt.Sprintf(event, 0, strings.Repeat("EX"+seldom[1:], 20000)),
		"rules of events":                 many(5000, event, seldom),
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
