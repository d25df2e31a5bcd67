package ical

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// randomSeries returns an object with a series, exceptions, additions and overrides,
// such that recurring_ical_events and we mean the same by it.
func randomSeries(rnd *rand.Rand) string {
	zone := []string{"Europe/Vienna", "America/New_York", "Australia/Sydney", "UTC", "DATE"}[rnd.IntN(5)]
	start := time.Date(2026, time.Month(1+rnd.IntN(12)), 1+rnd.IntN(28), 4+rnd.IntN(18), 5*rnd.IntN(12), 0, 0, time.UTC)
	prop := func(name string, at ...time.Time) string {
		var all []string
		for _, t := range at {
			s := t.Format("20060102T150405")
			switch zone {
			case "UTC":
				s += "Z"
			case "DATE":
				s = t.Format("20060102")
			}
			all = append(all, s)
		}
		param := ";TZID=" + zone
		switch zone {
		case "UTC":
			param = ""
		case "DATE":
			param = ";VALUE=DATE"
		}
		return name + param + ":" + strings.Join(all, ",") + "\n"
	}
	length := "DURATION:PT90M\n"
	if zone == "DATE" {
		length = "DURATION:P2D\n"
	} else if rnd.IntN(2) == 0 {
		length = prop("DTEND", start.Add(45*time.Minute))
	}
	step := 1 + rnd.IntN(3)
	rule := fmt.Sprintf("RRULE:FREQ=DAILY;INTERVAL=%d", step)
	if rnd.IntN(2) == 0 {
		step *= 7
		rule = fmt.Sprintf("RRULE:FREQ=WEEKLY;INTERVAL=%d", step/7)
	}
	if rnd.IntN(2) == 0 {
		rule += fmt.Sprintf(";COUNT=%d", 5+rnd.IntN(40))
	}
	nth := func(n int) time.Time { return start.AddDate(0, 0, n*step) }
	event := "BEGIN:VEVENT\nUID:x\nDTSTAMP:20260101T000000Z\nSUMMARY:series\n" + prop("DTSTART", start) + length + rule + "\n"
	if rnd.IntN(2) == 0 {
		event += prop("EXDATE", nth(1+rnd.IntN(3)), nth(4+rnd.IntN(3)))
	}
	if rnd.IntN(2) == 0 {
		event += prop("RDATE", start.AddDate(0, 0, 3).Add(-2*time.Hour), start.AddDate(0, 0, 17).Add(-3*time.Hour))
	}
	event += "END:VEVENT\n"
	for n := 8; n < 10; n++ {
		if rnd.IntN(2) == 0 && !strings.Contains(rule, "COUNT") {
			event += "BEGIN:VEVENT\nUID:x\nDTSTAMP:20260101T000000Z\nSUMMARY:changed\n" + prop("RECURRENCE-ID", nth(n)) +
				prop("DTSTART", nth(n).AddDate(0, 0, rnd.IntN(5)).Add(time.Hour)) + length0(zone) + "END:VEVENT\n"
		}
	}
	return object(event)
}

func length0(zone string) string {
	if zone == "DATE" {
		return "DURATION:P1D\n"
	}
	return "DURATION:PT2H\n"
}

// TestInstancesLikeRecurringIcalEvents compares the instances of random series with
// those that python3-recurring-ical-events finds.
func TestInstancesLikeRecurringIcalEvents(t *testing.T) {
	py := python(t, "recurring_ical_events")
	const script = `
import json, sys, datetime, icalendar, recurring_ical_events
UTC = datetime.timezone.utc
def text(d):
    if isinstance(d, datetime.datetime):
        return d.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return d.strftime("%Y%m%dT000000Z")
out = []
for q in json.load(sys.stdin):
    cal = icalendar.Calendar.from_ical(q["Text"])
    span = [datetime.datetime.strptime(q[k], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for k in ("Start", "End")]
    found = recurring_ical_events.of(cal).between(*span)
    out.append(sorted([text(e["DTSTART"].dt) + " " + text(e["DTEND"].dt) + " " + e["SUMMARY"] for e in found]))
json.dump(out, sys.stdout)
`
	type asked struct{ Text, Start, End string }
	rnd := rand.New(rand.NewPCG(3, 4))
	var in []asked
	var ranges []TimeRange
	for range rounds(100, 2000) {
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rnd.IntN(400*24*60))*time.Minute + 17*time.Second)
		r := TimeRange{from, from.AddDate(0, 0, 1+rnd.IntN(60)).Add(31 * time.Second)}
		ranges = append(ranges, r)
		in = append(in, asked{randomSeries(rnd), r.Start.Format("20060102T150405Z"), r.End.Format("20060102T150405Z")})
	}
	var out [][]string
	ask(t, py, script, in, &out)
	for i, q := range in {
		c := parse(t, q.Text)
		got := []string{}
		for o, err := range c.Instances(ranges[i], time.UTC, 1000) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, o.Start.UTC().Format("20060102T150405Z")+" "+o.End.UTC().Format("20060102T150405Z")+" "+o.Component.Value("SUMMARY"))
		}
		slices.Sort(got)
		if !slices.Equal(got, out[i]) {
			t.Errorf("%s to %s in\n%s got %v\nwant %v", q.Start, q.End, q.Text, got, out[i])
		}
		if a := c.Index().Overlaps(ranges[i], time.UTC); a != answer(len(out[i]) > 0) {
			t.Errorf("the index says %v of %s to %s in\n%s", a, q.Start, q.End, q.Text)
		}
	}
}
