package ical

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// list returns the instances of an object in 2026 and 2027, each as "start/end
// summary", in UTC.
func list(t *testing.T, text string) (all []string) {
	t.Helper()
	r := utc("20260101T000000Z 20280101T000000Z")
	for in, err := range parse(t, text).Instances(*r, time.UTC, 1000) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.TrimSpace(in.Start.UTC().Format("0102T1504")+"/"+in.End.UTC().Format("0102T1504")+" "+in.Component.Value("SUMMARY")))
	}
	return all
}

func TestInstances(t *testing.T) {
	event := func(lines ...string) string {
		return "BEGIN:VEVENT\nUID:1\n" + strings.Join(lines, "\n") + "\nEND:VEVENT\n"
	}
	weekly := []string{"DTSTART;TZID=Europe/Vienna:20260302T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=6", "SUMMARY:a"}
	for _, c := range []struct {
		name string
		text string
		want []string
	}{
		{"across a change of the clock", object(vienna, event(weekly...)),
			[]string{"0302T0900/0302T1000 a", "0309T0900/0309T1000 a", "0316T0900/0316T1000 a", "0323T0900/0323T1000 a", "0330T0800/0330T0900 a", "0406T0800/0406T0900 a"}},
		{"a zone that is not defined but known", object(event(weekly...)),
			[]string{"0302T0900/0302T1000 a", "0309T0900/0309T1000 a", "0316T0900/0316T1000 a", "0323T0900/0323T1000 a", "0330T0800/0330T0900 a", "0406T0800/0406T0900 a"}},
		{"exceptions in lists, in UTC, as dates", object(vienna, event(append(weekly, "EXDATE;TZID=Europe/Vienna:20260302T100000,20260316T100000", "EXDATE:20260323T090000Z", "EXDATE;VALUE=DATE:20260406", "EXDATE;TZID=Europe/Vienna:20260309T110000")...)),
			[]string{"0309T0900/0309T1000 a", "0330T0800/0330T0900 a"}},
		{"additions, one of its own length, one twice, one that is excepted", object(vienna, event("DTSTART;TZID=Europe/Vienna:20260302T100000", "DTEND;TZID=Europe/Vienna:20260302T110000",
			"RDATE;TZID=Europe/Vienna:20260305T120000,20260302T100000", "RDATE;VALUE=PERIOD:20260306T100000Z/PT3H,20260307T100000Z/20260307T100500Z", "RDATE:20260309T100000Z", "EXDATE:20260309T100000Z")),
			[]string{"0302T0900/0302T1000", "0305T1100/0305T1200", "0306T1000/0306T1300", "0307T1000/0307T1005"}},
		{"an end is exact", object(vienna, event("DTSTART;TZID=Europe/Vienna:20260322T120000", "DTEND;TZID=Europe/Vienna:20260323T120000", "RRULE:FREQ=WEEKLY;COUNT=2;INTERVAL=1")),
			[]string{"0322T1100/0323T1100", "0329T1000/0330T1000"}},
		{"days of a duration are nominal", object(vienna, event("DTSTART;TZID=Europe/Vienna:20260321T120000", "DURATION:P1DT1H", "RRULE:FREQ=WEEKLY;COUNT=2")),
			[]string{"0321T1100/0322T1200", "0328T1100/0329T1100"}},
		{"in a gap, and in a fold", object(vienna, event("DTSTART;TZID=Europe/Vienna:20260328T023000", "DURATION:PT1H", "RDATE;TZID=Europe/Vienna:20260329T023000,20261025T023000")),
			[]string{"0328T0130/0328T0230", "0329T0130/0329T0230", "1025T0030/1025T0130"}},
		{"days", object(event("DTSTART;VALUE=DATE:20260227", "RRULE:FREQ=DAILY;UNTIL=20260301", "EXDATE;VALUE=DATE:20260228")),
			[]string{"0227T0000/0228T0000", "0301T0000/0302T0000"}},
		{"days, with times where days belong", object(event("DTSTART;VALUE=DATE:20260227", "RRULE:FREQ=DAILY;UNTIL=20260301T120000Z", "EXDATE:20260228T000000Z")),
			[]string{"0227T0000/0228T0000", "0301T0000/0302T0000"}},
		{"UNTIL is included, in UTC", object(vienna, event("DTSTART;TZID=Europe/Vienna:20260601T100000", "RRULE:FREQ=DAILY;UNTIL=20260603T080000Z")),
			[]string{"0601T0800/0601T0800", "0602T0800/0602T0800", "0603T0800/0603T0800"}},
		{"UNTIL just before", object(vienna, event("DTSTART;TZID=Europe/Vienna:20260601T100000", "RRULE:FREQ=DAILY;UNTIL=20260603T075959Z")),
			[]string{"0601T0800/0601T0800", "0602T0800/0602T0800"}},
		{"the start is there even if the rule yields it not", object(event("DTSTART:20260101T100000Z", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3")),
			[]string{"0101T1000/0101T1000", "0105T1000/0105T1000", "0112T1000/0112T1000"}},
		{"two rules, and one that takes out", object(event("DTSTART:20260105T100000Z", "RRULE:FREQ=DAILY;COUNT=3", "RRULE:FREQ=WEEKLY;COUNT=3", "EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2")),
			[]string{"0106T1000/0106T1000", "0112T1000/0112T1000", "0119T1000/0119T1000"}},
		{"an override, and one of a day that is not in the set", object(vienna, event(weekly...),
			event("RECURRENCE-ID;TZID=Europe/Vienna:20260309T100000", "DTSTART:20260310T200000Z", "DTEND:20260310T210000Z", "SUMMARY:moved"),
			event("RECURRENCE-ID:20260801T100000Z", "DTSTART:20260801T100000Z", "SUMMARY:odd")),
			[]string{"0302T0900/0302T1000 a", "0310T2000/0310T2100 moved", "0316T0900/0316T1000 a", "0323T0900/0323T1000 a", "0330T0800/0330T0900 a", "0406T0800/0406T0900 a", "0801T1000/0801T1000 odd"}},
		{"an override with a day for its id", object(vienna, event(weekly...), event("RECURRENCE-ID;VALUE=DATE:20260309", "DTSTART;VALUE=DATE:20260309", "SUMMARY:day")),
			[]string{"0302T0900/0302T1000 a", "0309T0000/0310T0000 day", "0316T0900/0316T1000 a", "0323T0900/0323T1000 a", "0330T0800/0330T0900 a", "0406T0800/0406T0900 a"}},
		{"this and future", object(vienna, event(weekly...),
			event("RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Vienna:20260316T100000", "DTSTART;TZID=Europe/Vienna:20260317T113000", "DURATION:PT2H", "SUMMARY:later"),
			event("RECURRENCE-ID;TZID=Europe/Vienna:20260330T100000", "DTSTART;TZID=Europe/Vienna:20260330T100000", "DURATION:PT5M", "SUMMARY:single")),
			[]string{"0302T0900/0302T1000 a", "0309T0900/0309T1000 a", "0317T1030/0317T1230 later", "0324T1030/0324T1230 later", "0330T0800/0330T0805 single", "0407T0930/0407T1130 later"}},
		{"this and future, twice", object(event("DTSTART:20260105T100000Z", "RRULE:FREQ=DAILY;COUNT=5", "SUMMARY:a"),
			event("RECURRENCE-ID;RANGE=THISANDFUTURE:20260107T100000Z", "DTSTART:20260107T090000Z", "SUMMARY:b"),
			event("RECURRENCE-ID;RANGE=THISANDFUTURE:20260109T100000Z", "DTSTART:20260109T080000Z", "SUMMARY:c")),
			[]string{"0105T1000/0105T1000 a", "0106T1000/0106T1000 a", "0107T0900/0107T0900 b", "0108T0900/0108T0900 b", "0109T0800/0109T0800 c"}},
		{"overrides without a master", object(event("RECURRENCE-ID:20260107T100000Z", "DTSTART:20260107T090000Z"), event("RECURRENCE-ID:20260108T100000Z", "DTSTART:20260108T090000Z")),
			[]string{"0107T0900/0107T0900", "0108T0900/0108T0900"}},
		{"tasks", object("BEGIN:VTODO\nUID:1\nDTSTART:20260105T100000Z\nDUE:20260105T120000Z\nRRULE:FREQ=DAILY;COUNT=2\nEND:VTODO\n"),
			[]string{"0105T1000/0105T1200", "0106T1000/0106T1200"}},
		{"tasks that are only due", object("BEGIN:VTODO\nUID:1\nDUE:20260105T120000Z\nRRULE:FREQ=DAILY;COUNT=2\nEND:VTODO\n"),
			[]string{"0105T1200/0105T1200", "0106T1200/0106T1200"}},
	} {
		if got := list(t, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestInstanceFacts(t *testing.T) {
	c := parse(t, object(vienna, "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Vienna:20260301T100000\nRRULE:FREQ=DAILY\nEND:VEVENT\n",
		"BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=Europe/Vienna:20260302T100000\nDTSTART;TZID=Europe/Vienna:20260302T110000\nSUMMARY:moved\nEND:VEVENT\n"))
	var last error
	var found []Instance
	for in, err := range c.Instances(TimeRange{}, nil, 5) {
		if last = err; err == nil {
			found = append(found, in)
		}
	}
	if len(found) != 5 || !errors.Is(last, ErrTooMany) {
		t.Fatalf("%d instances and %v, want 5 and %v", len(found), last, ErrTooMany)
	}
	in := found[1]
	if id := in.RecurrenceID.UTC().Format(time.RFC3339); !in.Recurring || in.AllDay || in.Floating || id != "2026-03-02T09:00:00Z" || in.Component.Value("SUMMARY") != "moved" {
		t.Errorf("the second is %+v", in)
	}
	if got := in.Start.Format("15:04 -0700"); got != "11:00 +0100" {
		t.Errorf("it starts at %s, want 11:00 +0100", got)
	}
	tokyo, _ := Zone("Asia/Tokyo")
	for in := range parse(t, object("BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260301\nEND:VEVENT\n")).Instances(TimeRange{}, tokyo, 5) {
		if !in.AllDay || in.Recurring || !in.RecurrenceID.IsZero() || in.Start.Format(time.RFC3339) != "2026-03-01T00:00:00+09:00" || in.End.Sub(in.Start) != 24*time.Hour {
			t.Errorf("the day is %+v", in)
		}
	}
	b, err := Parse([]byte(object("BEGIN:VEVENT\nUID:1\nDTSTART:20260301T000000Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nDTSTART:soon\nEND:VEVENT\n")))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, last = range b.Instances(TimeRange{}, nil, 5) {
		n++
	}
	if _, ok := errors.AsType[*Error](last); n != 2 || !ok {
		t.Errorf("%d pairs, the last with %v, want 2 and an *Error", n, last)
	}
}

// TestTogether asks one calendar from several sides at once, for the race detector.
func TestTogether(t *testing.T) {
	c, err := Parse([]byte(shelf["alarms"]))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			x := c.Index()
			f := query(CompFilter{Name: "VEVENT", Range: &month})
			if !f.Match(c, nil) || f.MatchIndex(x, nil) != Yes || c.CheckObject() != nil {
				t.Error("not found")
			}
			if out, err := (&Data{Expand: &month}).Project(c, nil); err != nil || len(out) == 0 {
				t.Error(err)
			}
			for range c.Instances(month, nil, 10) {
				continue
			}
		})
	}
	all.Wait()
}

// TestManyInstances asks what never ends for little of it, and for what is hard to
// find in it. Without bounds each of these would take hours.
func TestManyInstances(t *testing.T) {
	override := "END:VEVENT\nBEGIN:VEVENT\nUID:1\nRECURRENCE-ID:19700102T000000Z\nDTSTART:19700102T000000Z\nSUMMARY:other"
	for _, lines := range []string{
		"RRULE:FREQ=SECONDLY",
		"RRULE:FREQ=SECONDLY\nDURATION:P100000D",
		"RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
		"RRULE:FREQ=SECONDLY;INTERVAL=3607;BYMINUTE=0;BYSECOND=0;COUNT=60000",
		"RRULE:FREQ=MINUTELY;INTERVAL=7",
		"RRULE:FREQ=HOURLY;BYDAY=MO",
		"RRULE:FREQ=SECONDLY;COUNT=2000000000",
		"RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
		"RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;BYYEARDAY=366;COUNT=65000",
		"RRULE:FREQ=SECONDLY\nEXRULE:FREQ=SECONDLY",
		"RRULE:FREQ=SECONDLY\nEXDATE;VALUE=DATE:20260329,20260330,20260331",
		"RRULE:FREQ=SECONDLY\nSUMMARY:x\n" + override,
		"RRULE:FREQ=SECONDLY\n" + strings.Replace(override, "RECURRENCE-ID", "RECURRENCE-ID;RANGE=THISANDFUTURE", 1),
		"RRULE:FREQ=SECONDLY;INTERVAL=86400\nBEGIN:VALARM\nTRIGGER:-P100000D\nREPEAT:1000000\nDURATION:P100DT1S\nEND:VALARM",
		"RRULE:FREQ=SECONDLY;INTERVAL=86400\nBEGIN:VALARM\nTRIGGER;RELATED=END:P100000D\nREPEAT:1000000\nDURATION:P1D\nEND:VALARM",
	} {
		c := parse(t, object(vienna, "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Vienna:19700101T000000\n"+lines+"\nEND:VEVENT\n"))
		x := c.Index()
		ranges := []TimeRange{{}, *utc("20260329T061000Z 20260329T061001Z"), *utc("20260301T000000Z -"), *utc("- 20260301T000000Z"), *utc("21000101T000000Z -"), *utc("20260329T000000Z 20260329T060000Z")}
		for _, r := range ranges[:rounds(2, len(ranges))] {
			for range c.Instances(r, nil, 100) {
				continue
			}
			x.Overlaps(r, nil)
			for _, f := range []Filter{
				query(CompFilter{Name: "VEVENT", Range: &r, Props: []PropFilter{{Name: "SUMMARY", Text: has("other")}}}),
				query(CompFilter{Name: "VEVENT", Props: []PropFilter{{Name: "DTSTART", Range: &r}, {Name: "DTEND", Range: &r}}}),
				query(CompFilter{Name: "VEVENT", Comps: []CompFilter{{Name: "VALARM", Range: &r}}}),
			} {
				f.Match(c, nil)
			}
		}
		if fb := FreeBusy(slices.Values([]*Index{x}), *utc("20200101T000000Z 20300101T000000Z"), nil, time.Time{}); fb == nil {
			t.Error("no free-busy")
		}
	}
	many := object("BEGIN:VEVENT\nUID:1\nDTSTART:20260101T000000Z\n" + strings.Repeat("RRULE:FREQ=DAILY\n", 100) + "END:VEVENT\n")
	if c, err := Parse([]byte(many)); err != nil || c.CheckObject() == nil {
		t.Errorf("100 rules are taken (%v)", err)
	}
}
