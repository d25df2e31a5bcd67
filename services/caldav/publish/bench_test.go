package publish

import (
	"fmt"
	"testing"

	"cairn/services/caldav/shelf"
)

// BenchmarkPage shows a month of a calendar of 10,000 events over 27 years, from what
// is remembered of them.
func BenchmarkPage(b *testing.B) {
	k := newKit(b)
	var events []string
	for i := range 10_000 {
		events = append(events, fmt.Sprintf("DTSTART;TZID=Europe/Vienna:%04d%02d%02dT%02d0000|DURATION:PT1H|SUMMARY:Event %d", 2000+i%28, 1+i%12, 1+i%28, i%24, i))
	}
	k.make("alice", "club", &shelf.Props{Public: true, TimezoneID: "Europe/Vienna"}, events...)
	k.get("/public/alice/club/")
	for b.Loop() {
		if r, _ := k.get("/public/alice/club/"); r.StatusCode != 200 {
			b.Fatal(r.Status)
		}
	}
}
