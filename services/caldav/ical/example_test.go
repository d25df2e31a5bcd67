package ical_test

import (
	"fmt"
	"time"

	"cairn/services/caldav/ical"
)

func Example() {
	c, err := ical.Parse([]byte(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//EN
BEGIN:VEVENT
UID:choir
DTSTART;TZID=Europe/Vienna:20261015T190000
DURATION:PT2H
RRULE:FREQ=WEEKLY
EXDATE;TZID=Europe/Vienna:20261029T190000
SUMMARY:Choir
END:VEVENT
END:VCALENDAR
`))
	if err == nil {
		err = c.CheckObject()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	autumn := ical.TimeRange{Start: time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)}
	for in, err := range c.Instances(autumn, time.UTC, 100) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(in.Start.Format("Mon 2 Jan 15:04 -0700"), in.Component.Value("SUMMARY"))
	}
	// Output:
	// Thu 22 Oct 19:00 +0200 Choir
	// Thu 5 Nov 19:00 +0100 Choir
}
