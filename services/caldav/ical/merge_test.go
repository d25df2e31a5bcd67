package ical

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// mergeBase is what two sides change in TestMerge.
const mergeBase = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//a//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
SEQUENCE:3
DTSTART:20260105T100000Z
DURATION:PT1H
RRULE:FREQ=WEEKLY
SUMMARY:Meeting
LOCATION:Room 1
CATEGORIES:A,B
ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:alice@example.org
ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@example.org
COMMENT:first
BEGIN:VALARM
UID:a1
ACTION:DISPLAY
TRIGGER:-PT5M
END:VALARM
BEGIN:VALARM
ACTION:AUDIO
TRIGGER:-PT15M
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:1
RECURRENCE-ID:20260112T100000Z
DTSTART:20260112T110000Z
SUMMARY:Meeting, later
END:VEVENT
END:VCALENDAR
`

// An edit is a replacement in mergeBase.
type edit struct{ old, new string }

func edited(t *testing.T, edits []edit) string {
	t.Helper()
	s := mergeBase
	for _, e := range edits {
		if strings.Count(s, e.old) != 1 {
			t.Fatalf("%q stands %d times in\n%s", e.old, strings.Count(s, e.old), s)
		}
		s = strings.Replace(s, e.old, e.new, 1)
	}
	return s
}

// end is where the text of the last component ends.
const end = "SUMMARY:Meeting, later\nEND:VEVENT\n"

var override = "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260119T100000Z\nDTSTART:20260119T120000Z\nEND:VEVENT\n"

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name         string
		ours, theirs []edit
		want         []edit // nil is a conflict
	}{
		{"different properties", []edit{{"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}}, []edit{{"Room 1", "Room 2"}}, []edit{{"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}, {"Room 1", "Room 2"}}},
		{"the same change", []edit{{"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}}, []edit{{"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}, {"Room 1", "Room 2"}}, []edit{{"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}, {"Room 1", "Room 2"}}},
		{"one property, two ways", []edit{{"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}}, []edit{{"SUMMARY:Meeting\n", "SUMMARY:Chat\n"}}, nil},
		{"changed and taken away", []edit{{"LOCATION:Room 1\n", ""}}, []edit{{"Room 1", "Room 2"}}, nil},
		{"taken away, and another", []edit{{"LOCATION:Room 1\n", ""}}, []edit{{"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}}, []edit{{"LOCATION:Room 1\n", ""}, {"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}}},
		{"added, and another added", []edit{{"SEQUENCE:3\n", "SEQUENCE:3\nURL:x\n"}}, []edit{{"LOCATION:Room 1\n", "LOCATION:Room 1\nCLASS:PRIVATE\n"}},
			[]edit{{"SEQUENCE:3\n", "SEQUENCE:3\nURL:x\n"}, {"COMMENT:first\n", "COMMENT:first\nCLASS:PRIVATE\n"}}},
		{"the greater number and the later time", []edit{{"SEQUENCE:3", "SEQUENCE:9"}, {"DTSTAMP:20260101T000000Z", "DTSTAMP:20260102T000000Z"}, {"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}},
			[]edit{{"SEQUENCE:3", "SEQUENCE:10"}, {"DTSTAMP:20260101T000000Z", "DTSTAMP:20260101T120000Z"}, {"Room 1", "Room 2"}},
			[]edit{{"SEQUENCE:3", "SEQUENCE:10"}, {"DTSTAMP:20260101T000000Z", "DTSTAMP:20260102T000000Z"}, {"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}, {"Room 1", "Room 2"}}},
		{"the time in two ways", []edit{{"DURATION:PT1H", "DURATION:PT2H"}}, []edit{{"DTSTART:20260105T100000Z", "DTSTART:20260105T110000Z"}}, nil},
		{"the time and the words", []edit{{"DURATION:PT1H", "DURATION:PT2H"}}, []edit{{"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}}, []edit{{"DURATION:PT1H", "DURATION:PT2H"}, {"SUMMARY:Meeting\n", "SUMMARY:Talk\n"}}},
		{"attendees answer at once", []edit{{"NEEDS-ACTION:mailto:alice", "ACCEPTED:mailto:alice"}}, []edit{{"NEEDS-ACTION:mailto:bob", "DECLINED:mailto:bob"}}, []edit{{"NEEDS-ACTION:mailto:alice", "ACCEPTED:mailto:alice"}, {"NEEDS-ACTION:mailto:bob", "DECLINED:mailto:bob"}}},
		{"an attendee answers two things", []edit{{"NEEDS-ACTION:mailto:alice", "ACCEPTED:mailto:alice"}}, []edit{{"NEEDS-ACTION:mailto:alice", "DECLINED:mailto:Alice"}}, nil},
		{"an attendee is taken out and another comes", []edit{{"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:alice@example.org\n", ""}}, []edit{{"COMMENT:first", "ATTENDEE:mailto:carol@example.org\nCOMMENT:first"}},
			[]edit{{"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:alice@example.org\n", ""}, {"COMMENT:first", "COMMENT:first\nATTENDEE:mailto:carol@example.org"}}},
		{"values of a list", []edit{{"CATEGORIES:A,B", "CATEGORIES:B,C"}}, []edit{{"CATEGORIES:A,B", "CATEGORIES:A,B,D"}}, []edit{{"CATEGORIES:A,B", "CATEGORIES:B,C,D"}}},
		{"comments", []edit{{"COMMENT:first\n", "COMMENT:second\n"}}, []edit{{"COMMENT:first\n", "COMMENT:first\nCOMMENT:third\n"}}, []edit{{"COMMENT:first\n", "COMMENT:second\nCOMMENT:third\n"}}},
		{"parameters in another order are no change", []edit{{"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:alice", "ATTENDEE;PARTSTAT=ACCEPTED;CN=x:mailto:alice"}}, []edit{{"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:alice", "ATTENDEE;CN=x;PARTSTAT=ACCEPTED:mailto:alice"}}, []edit{{"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:alice", "ATTENDEE;PARTSTAT=ACCEPTED;CN=x:mailto:alice"}}},
		{"programs name themselves", []edit{{"-//a//EN", "-//b//EN"}}, []edit{{"-//a//EN", "-//c//EN"}, {"Room 1", "Room 2"}}, []edit{{"-//a//EN", "-//b//EN"}, {"Room 1", "Room 2"}}},
		{"alarms of two kinds", []edit{{"TRIGGER:-PT5M", "TRIGGER:-PT6M"}}, []edit{{"TRIGGER:-PT15M", "TRIGGER:-PT20M"}}, []edit{{"TRIGGER:-PT5M", "TRIGGER:-PT6M"}, {"TRIGGER:-PT15M", "TRIGGER:-PT20M"}}},
		{"one alarm, two ways", []edit{{"TRIGGER:-PT5M", "TRIGGER:-PT6M"}}, []edit{{"TRIGGER:-PT5M", "TRIGGER:-PT7M"}}, nil},
		{"an override and the master", []edit{{"SUMMARY:Meeting, later", "SUMMARY:Much later"}}, []edit{{"Room 1", "Room 2"}}, []edit{{"SUMMARY:Meeting, later", "SUMMARY:Much later"}, {"Room 1", "Room 2"}}},
		{"a new override and words", []edit{{end, end + override}}, []edit{{"Room 1", "Room 2"}}, []edit{{end, end + override}, {"Room 1", "Room 2"}}},
		{"a new override and a series that moved", []edit{{end, end + override}}, []edit{{"DTSTART:20260105T100000Z", "DTSTART:20260106T100000Z"}}, nil},
		{"a new override and its exception", []edit{{end, end + override}}, []edit{{"RRULE:FREQ=WEEKLY\n", "RRULE:FREQ=WEEKLY\nEXDATE:20260119T100000Z\n"}}, nil},
		{"a new override and another's exception", []edit{{end, end + override}}, []edit{{"RRULE:FREQ=WEEKLY\n", "RRULE:FREQ=WEEKLY\nEXDATE:20260126T100000Z\n"}}, []edit{{end, end + override}, {"RRULE:FREQ=WEEKLY\n", "RRULE:FREQ=WEEKLY\nEXDATE:20260126T100000Z\n"}}},
		{"an override taken away and changed", []edit{{"BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260112T100000Z\nDTSTART:20260112T110000Z\n" + end, ""}}, []edit{{"SUMMARY:Meeting, later", "SUMMARY:Much later"}}, nil},
		{"an alarm dismissed on two devices", []edit{{"UID:a1\n", "UID:a1\nACKNOWLEDGED:20260105T095600Z\n"}}, []edit{{"UID:a1\n", "UID:a1\nACKNOWLEDGED:20260105T095700Z\n"}}, []edit{{"UID:a1\n", "UID:a1\nACKNOWLEDGED:20260105T095700Z\n"}}},
		{"a zone in two ways", []edit{{"BEGIN:VEVENT\nUID:1\nDTSTAMP", vienna + "BEGIN:VEVENT\nUID:1\nDTSTAMP"}}, []edit{{"BEGIN:VEVENT\nUID:1\nDTSTAMP", strings.Replace(vienna, "+0100", "+0130", 1) + "BEGIN:VEVENT\nUID:1\nDTSTAMP"}}, nil},
		{"a result that is no object", []edit{{"DTSTART:20260112T110000Z\n", "DTSTART:20260112T110000Z\nLOCATION:x\n"}, {"LOCATION:Room 1", "METHOD:y"}, {"PRODID:-//a//EN", "METHOD:z"}}, []edit{{"Room 1", "Room 2"}}, nil},
	} {
		for _, swap := range []bool{false, true} {
			ours, theirs := edited(t, c.ours), edited(t, c.theirs)
			if swap {
				ours, theirs = theirs, ours
			}
			got, err := Merge([]byte(mergeBase), []byte(ours), []byte(theirs))
			if c.want == nil {
				if !errors.Is(err, ErrConflict) {
					t.Errorf("%s: %v, want %v; got\n%s", c.name, err, ErrConflict, got)
				}
				continue
			}
			want := sortedLines(edited(t, c.want))
			if swap { // the order of lines is ours, and of what only one side can give
				want = strings.Replace(want, "-//b//EN", "-//c//EN", 1)
				want = strings.Replace(want, "PARTSTAT=ACCEPTED;CN=x:mailto:alice", "CN=x;PARTSTAT=ACCEPTED:mailto:alice", 1)
				want = strings.Replace(want, "CATEGORIES:B,C,D", "CATEGORIES:B,D,C", 1)
				want = sortedLines(want)
			}
			if err != nil || sortedLines(string(got)) != want {
				t.Errorf("%s (swapped: %v): %v\n got\n%s\nwant\n%s", c.name, swap, err, sortedLines(string(got)), want)
			}
		}
	}
}

// sortedLines returns a text's lines in order.
func sortedLines(s string) string {
	all := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func TestMergeBytes(t *testing.T) {
	base, changed := mergeBase, strings.Replace(mergeBase, "Room 1", "Room 2", 1)
	for _, c := range []struct{ name, base, ours, theirs, want string }{
		{"only ours changed: its bytes", base, changed, base, changed},
		{"only theirs changed: its bytes", base, base, changed, changed},
		{"the same bytes", base, changed, changed, changed},
		{"nothing readable, but one side is as it was", "x", "x", "y", "y"},
	} {
		got, err := Merge([]byte(c.base), []byte(c.ours), []byte(c.theirs))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s", c.name, err, got)
		}
	}
	for name, c := range map[string][3]string{
		"both made it, differently": {"", base, changed},
		"other UIDs":                {base, changed, strings.ReplaceAll(base, "UID:1", "UID:2")},
		"not readable":              {base, changed, "x"},
	} {
		b := []byte(c[0])
		if c[0] == "" {
			b = nil
		}
		if got, err := Merge(b, []byte(c[1]), []byte(c[2])); !errors.Is(err, ErrConflict) {
			t.Errorf("%s: %v, want %v\n%s", name, err, ErrConflict, got)
		}
	}
	if got, err := Merge(nil, []byte(base), []byte(strings.ReplaceAll(base, "\n", "\r\n"))); err != nil || string(got) != base {
		t.Errorf("both made the same: %v\n%s", err, got)
	}
}
