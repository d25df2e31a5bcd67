package ical

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestManyBusy asks about a thousand events of every other second, for all time: what
// is looked at is bounded for all together, and the answer can be written.
func TestManyBusy(t *testing.T) {
	const n = 1000
	var all []*Index
	for i := range n {
		text := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:%d\r\nDTSTART:2026%02d%02dT000000Z\r\nDURATION:PT1S\r\nRRULE:FREQ=SECONDLY;INTERVAL=2\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i, i%12+1, i%28+1)
		c, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Index())
	}
	looked := 0
	fb := FreeBusy(func(yield func(*Index) bool) {
		for _, x := range all {
			if !yield(x) {
				return
			}
		}
	}, TimeRange{Start: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}, nil, time.Now())
	for range fb.All("FREEBUSY") {
		looked++
	}
	if looked > maxBusyInAll {
		t.Errorf("got %d periods", looked)
	}
	if got, want := fb.Value("DTSTART"), "00010101T000000Z"; got != want {
		t.Errorf("DTSTART: got %s, want %s", got, want)
	}
	if last := fb.Lines[len(fb.Lines)-1].Value; !strings.HasSuffix(last, "/99991231T235959Z") {
		t.Errorf("it ends: %s", last)
	}
	// Each series has its share, and no more.
	from, to := all[0].series[0].lo, all[0].series[0].hi
	if _, n := all[0].series[0].busy(nil, from, to, nil, minBusy); n > minBusy+1 {
		t.Errorf("%d were looked at, want %d at most", n, minBusy)
	}
}
