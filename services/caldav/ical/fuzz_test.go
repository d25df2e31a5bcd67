package ical

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"
)

// seeds adds objects of all kinds to a fuzzer's corpus.
func seeds(add func(text string)) {
	for _, text := range shelf {
		add(text)
	}
	for _, text := range household(20) {
		add(text)
	}
	add(mergeBase)
	add(object("BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260302\nDURATION:P1D\nRDATE;VALUE=PERIOD:20260306T100000Z/PT3H\nEXRULE:FREQ=DAILY\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260316T100000\nDTSTART:20260317T113000\nEND:VEVENT\n"))
}

// fuzzRange is asked of everything that a fuzzer makes.
var fuzzRange = TimeRange{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}

// FuzzParse makes sure that nothing panics or hangs, whatever is asked of an object,
// that the index says what the object says, and that an object is written and read
// the same ever after.
func FuzzParse(f *testing.F) {
	seeds(func(text string) { f.Add([]byte(text)) })
	vienna, _ := Zone("Europe/Vienna")
	f.Fuzz(func(t *testing.T, data []byte) {
		for c, err := range Split(data) {
			if c != nil && err == nil {
				c.Index()
			}
		}
		c, err := Parse(data)
		if err != nil {
			return
		}
		bad := c.CheckObject()
		x := c.Index()
		for _, kind := range []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"} {
			q := query(CompFilter{Name: kind, Range: &fuzzRange})
			got, want := q.MatchIndex(x, vienna), q.Match(c, vienna)
			if bad == nil && got != answer(want) {
				t.Fatalf("the index says %v of %s, want %v", got, kind, want)
			}
			alarms := query(CompFilter{Name: kind, Comps: []CompFilter{{Name: "VALARM", Range: &fuzzRange}}})
			alarms.Match(c, vienna)
		}
		n := 0
		for range c.Instances(fuzzRange, vienna, 100) {
			n++
		}
		if over := x.Overlaps(fuzzRange, vienna); bad == nil && (over == Yes) != (n > 0) {
			t.Fatalf("%d instances, but the index says %v", n, over)
		}
		FreeBusy(slices.Values([]*Index{x}), fuzzRange, vienna, time.Time{})
		for _, d := range []Data{{Expand: &fuzzRange}, {LimitRecurrence: &fuzzRange, LimitFreeBusy: &fuzzRange}} {
			out, err := d.Project(c, vienna)
			if err != nil {
				if !errors.Is(err, ErrTooMany) {
					t.Fatal(err)
				}
				continue
			}
			if _, err := Parse(out); err != nil {
				t.Fatalf("%v in what is shown:\n%s", err, out)
			}
		}
		first := c.Encode()
		again, err := Parse(first)
		if err != nil || !bytes.Equal(again.Encode(), first) {
			t.Fatalf("%v in what was written:\n%s", err, first)
		}
	})
}

// FuzzRecur makes sure that every rule that can be read comes to an end, goes
// forward, and goes on from anywhere as it does from the start.
func FuzzRecur(f *testing.F) {
	for _, q := range questions(f, 100) {
		f.Add(q.Start, q.Rule, uint32(86400*30))
	}
	f.Add("20260101", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", uint32(1))
	f.Add("00010101T000000", "FREQ=YEARLY;BYWEEKNO=-53;BYSETPOS=-366,366", uint32(1))
	f.Add("99991231T235959", "FREQ=WEEKLY;INTERVAL=2147483647;COUNT=2147483647", uint32(1))
	f.Fuzz(func(t *testing.T, start, text string, ahead uint32) {
		at, ok := parseTime(start, nil)
		if !ok || len(text) > 500 {
			return
		}
		r, err := parseRule(text)
		if err != nil {
			return
		}
		r.complete(at.wall, at.IsDate())
		r.settle(at.wall)
		var all []wall
		c := r.walk(at.wall, at.wall, lastWall)
		for len(all) < 50 {
			w, ok := c.next()
			if !ok {
				break
			}
			if w < at.wall || w > lastWall || len(all) > 0 && w <= all[len(all)-1] {
				t.Fatalf("%d comes after %v", w, all)
			}
			all = append(all, w)
		}
		from := at.wall + wall(ahead)
		i, _ := slices.BinarySearch(all, from)
		if i == len(all) {
			r.walk(at.wall, from, from+366*day).next()
			return
		}
		if got, ok := r.walk(at.wall, from, all[i]).next(); !ok || got != all[i] {
			t.Fatalf("from %d on: %d, want %d", from, got, all[i])
		}
	})
}

// FuzzMerge makes sure that what is merged is an object, that a side which changed
// nothing gives way, and that the order of the sides makes no difference to whether
// there is a conflict.
func FuzzMerge(f *testing.F) {
	seeds(func(text string) {
		f.Add([]byte(text), []byte(text), []byte(text))
		f.Add([]byte(mergeBase), []byte(text), []byte(mergeBase))
	})
	f.Add([]byte(mergeBase), bytes.Replace([]byte(mergeBase), []byte("Room 1"), []byte("Room 2"), 1), bytes.Replace([]byte(mergeBase), []byte("A,B"), []byte("A,B,C"), 1))
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		got, err := Merge(base, ours, theirs)
		_, swapped := Merge(base, theirs, ours)
		if (err == nil) != (swapped == nil) {
			t.Fatalf("%v, but the other way round %v", err, swapped)
		}
		if err != nil {
			if !errors.Is(err, ErrConflict) {
				t.Fatal(err)
			}
			return
		}
		if bytes.Equal(got, ours) || bytes.Equal(got, theirs) {
			return
		}
		c, err := Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckObject(); err != nil {
			t.Fatal(err)
		}
	})
}
