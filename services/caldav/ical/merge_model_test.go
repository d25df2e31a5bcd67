package ical

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// slots are places of an object that are changed apart from each other. What stands
// in one is the line, with its value for %d, or nothing for 0.
var slots = []string{
	"SUMMARY:s%d", "LOCATION:l%d", "DESCRIPTION;LANGUAGE=de:d%d", "URL:u%d", "CLASS:c%d", "PRIORITY:%d", "X-MINE;X-P=%[1]d:%[1]d", "DURATION:PT%dH", "STATUS:s%d",
	"ATTENDEE;PARTSTAT=P%d:mailto:alice@example.org", "ATTENDEE;PARTSTAT=P%d:mailto:bob@example.org",
	"BEGIN:VALARM\nUID:a\nACTION:DISPLAY\nTRIGGER:-PT%dM\nEND:VALARM",
	"BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260112T100000Z\nDTSTART:20260112T100000Z\nSUMMARY:o%d\nEND:VEVENT",
}

// write writes an object with these values in its slots.
func write(values []int) string {
	var inner, after string
	for i, v := range values {
		if v == 0 {
			continue
		}
		s := fmt.Sprintf(slots[i], v) + "\n"
		if strings.HasPrefix(s, "BEGIN:VEVENT") {
			after += s
		} else {
			inner += s
		}
	}
	return object("BEGIN:VEVENT\nUID:1\nDTSTART:20260105T100000Z\nRRULE:FREQ=WEEKLY\n"+inner+"END:VEVENT\n", after)
}

// TestMergeModel merges random changes and compares with what must come of them: all
// of both, or a conflict where both changed one slot in two ways, never less.
func TestMergeModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	merged, conflicts := 0, 0
	for range rounds(3000, 50000) {
		base, ours, theirs, want := make([]int, len(slots)), make([]int, len(slots)), make([]int, len(slots)), make([]int, len(slots))
		clash := false
		for i := range slots {
			base[i] = rnd.IntN(3)
			ours[i], theirs[i] = base[i], base[i]
			if rnd.IntN(5) == 0 {
				ours[i] = rnd.IntN(4)
			}
			if rnd.IntN(5) == 0 {
				theirs[i] = rnd.IntN(4)
			}
			switch {
			case ours[i] == theirs[i], theirs[i] == base[i]:
				want[i] = ours[i]
			case ours[i] == base[i]:
				want[i] = theirs[i]
			default:
				clash = true
			}
		}
		got, err := Merge([]byte(write(base)), []byte(write(ours)), []byte(write(theirs)))
		switch {
		case clash && !errors.Is(err, ErrConflict):
			t.Fatalf("%v of %v and %v: %v, want %v; got\n%s", base, ours, theirs, err, ErrConflict, got)
		case clash:
			conflicts++
		case err != nil || sortedLines(string(got)) != sortedLines(write(want)):
			t.Fatalf("%v of %v and %v: %v\n got %s\nwant %s", base, ours, theirs, err, got, write(want))
		default:
			merged++
		}
	}
	if merged < 100 || conflicts < 100 {
		t.Errorf("%d merged, %d conflicts", merged, conflicts)
	}
}
