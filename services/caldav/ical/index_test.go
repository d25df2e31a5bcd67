package ical

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// vienna is a time zone as clients send it along.
const vienna = `BEGIN:VTIMEZONE
TZID:Europe/Vienna
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
`

// object wraps components in a calendar.
func object(components ...string) string {
	return "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n" + strings.Join(components, "") + "END:VCALENDAR\n"
}

// household returns n events as a household has them, four in five of them recurring.
func household(n int) []string {
	rnd := rand.New(rand.NewPCG(7, 7))
	rules := []string{"", "RRULE:FREQ=WEEKLY\n", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR\n", "RRULE:FREQ=YEARLY\n", "RRULE:FREQ=MONTHLY;BYDAY=2TU\n",
		"RRULE:FREQ=DAILY;COUNT=40\n", "RRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20300101T000000Z\n", "RRULE:FREQ=MONTHLY;BYMONTHDAY=-1\n", "RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=2SU\n", ""}
	all := make([]string, n)
	for i := range all {
		at := time.Date(2015+rnd.IntN(12), time.Month(1+rnd.IntN(12)), 1+rnd.IntN(28), rnd.IntN(24), 0, 0, 0, time.UTC)
		rule := rules[rnd.IntN(len(rules))]
		event := fmt.Sprintf("BEGIN:VEVENT\nUID:%036d\nDTSTAMP:20260101T000000Z\nDTSTART;TZID=Europe/Vienna:%s\nDURATION:PT1H\n%s", i, at.Format("20060102T150405"), rule)
		if rule != "" && rnd.IntN(3) == 0 {
			event += fmt.Sprintf("EXDATE;TZID=Europe/Vienna:%s,%s\n", at.AddDate(0, 0, 7).Format("20060102T150405"), at.AddDate(0, 0, 14).Format("20060102T150405"))
		}
		event += "SUMMARY:An event of no great length\nLOCATION:Somewhere\nDESCRIPTION:Words\nEND:VEVENT\n"
		if i%10 == 0 {
			event = strings.ReplaceAll(event, ";TZID=Europe/Vienna", "")
		}
		all[i] = object(vienna, event)
	}
	return all
}

func index(t testing.TB, text string) *Index {
	t.Helper()
	return parse(t, text).Index()
}

// parse reads a text that is a calendar object.
func parse(t testing.TB, text string) *Calendar {
	t.Helper()
	c, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if err := c.CheckObject(); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return c
}

// TestIndexSize makes sure that 10,000 events fit in 20 MB.
func TestIndexSize(t *testing.T) {
	const n = 10000
	texts := household(n)
	all := make([]*Index, n)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i, s := range texts {
		all[i] = index(t, s)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	size := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	said := 0
	for _, x := range all {
		said += x.Size()
	}
	t.Logf("%d bytes an event; Size says %d", size/n, said/n)
	if int64(said) < size/2 || int64(said) > size*2 {
		t.Errorf("Size says %d, want about %d", said, size)
	}
	if size > 20e6 {
		t.Errorf("indexes of %d events take %d bytes, want at most 20 MB", n, size)
	}
	runtime.KeepAlive(all)
	runtime.KeepAlive(texts)
}

var month = TimeRange{time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}

func BenchmarkMonthOf10000(b *testing.B) {
	var all []*Index
	for _, s := range household(10000) {
		all = append(all, index(b, s))
	}
	loc, _ := Zone("Europe/Vienna")
	f := Filter{CompFilter{Name: "VCALENDAR", Comps: []CompFilter{{Name: "VEVENT", Range: &month}}}}
	found := 0
	for b.Loop() {
		found = 0
		for _, x := range all {
			if f.MatchIndex(x, loc) == Yes {
				found++
			}
		}
	}
	b.ReportMetric(float64(found), "found")
}

func BenchmarkParseAndIndex(b *testing.B) {
	texts := household(1000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c, err := Parse([]byte(texts[i%len(texts)]))
		if err != nil {
			b.Fatal(err)
		}
		c.Index()
	}
}

func BenchmarkFreeBusyOf10000(b *testing.B) {
	var all []*Index
	for _, s := range household(10000) {
		all = append(all, index(b, s))
	}
	for b.Loop() {
		FreeBusy(slices.Values(all), month, nil, month.Start)
	}
}
