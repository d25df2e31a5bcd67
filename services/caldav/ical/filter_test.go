package ical

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// eastern is the time zone of the examples of RFC 4791, appendix B.
const eastern = `BEGIN:VTIMEZONE
TZID:US/Eastern
BEGIN:DAYLIGHT
DTSTART:20000404T020000
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=4
TZNAME:EDT
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20001026T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:EST
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
`

// shelf is a collection after RFC 4791, appendix B: three events, four tasks, a
// free-busy, and some more.
var shelf = map[string]string{
	"abcd1": object(eastern, "BEGIN:VEVENT\nUID:1@example.com\nDTSTART;TZID=US/Eastern:20060102T100000\nDURATION:PT1H\nSUMMARY:Event #1\nDESCRIPTION:Go Steelers!\nEND:VEVENT\n"),
	"abcd2": object(eastern, "BEGIN:VEVENT\nUID:2@example.com\nDTSTART;TZID=US/Eastern:20060102T120000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=5\nSUMMARY:Event #2\nEND:VEVENT\n",
		"BEGIN:VEVENT\nUID:2@example.com\nDTSTART;TZID=US/Eastern:20060104T140000\nDURATION:PT1H\nRECURRENCE-ID;TZID=US/Eastern:20060104T120000\nSUMMARY:Event #2 bis\nEND:VEVENT\n"),
	"abcd3": object(eastern, "BEGIN:VEVENT\nUID:3@example.com\nATTENDEE;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:cyrus@example.com\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:lisa@example.com\nDTSTART;TZID=US/Eastern:20060104T100000\nDURATION:PT1H\nORGANIZER:mailto:cyrus@example.com\nSTATUS:TENTATIVE\nSUMMARY:Event #3\nEND:VEVENT\n"),
	"abcd4": object("BEGIN:VTODO\nUID:4@example.com\nDUE;VALUE=DATE:20060101\nSTATUS:COMPLETED\nCOMPLETED:20060101T000000Z\nSUMMARY:Task #4\nEND:VTODO\n"),
	"abcd5": object("BEGIN:VTODO\nUID:5@example.com\nDUE:20060106T100000Z\nSTATUS:NEEDS-ACTION\nSUMMARY:Task #5\nBEGIN:VALARM\nACTION:AUDIO\nTRIGGER;RELATED=START:-PT10M\nEND:VALARM\nEND:VTODO\n"),
	"abcd6": object("BEGIN:VTODO\nUID:6@example.com\nDUE:20060105T100000Z\nSTATUS:COMPLETED\nCOMPLETED:20060104T100000Z\nSUMMARY:Task #6\nEND:VTODO\n"),
	"abcd7": object("BEGIN:VTODO\nUID:7@example.com\nDUE:20060105T100000Z\nSTATUS:CANCELLED\nSUMMARY:Task #7\nEND:VTODO\n"),
	"abcd8": object("BEGIN:VFREEBUSY\nUID:8@example.com\nDTSTART:20060102T000000Z\nDTEND:20060109T000000Z\nFREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20060102T000000Z/20060102T120000Z\nEND:VFREEBUSY\n"),
	"alarms": object(vienna, "BEGIN:VEVENT\nUID:9\nDTSTART;TZID=Europe/Vienna:20260101T100000\nDTEND;TZID=Europe/Vienna:20260101T120000\nRRULE:FREQ=WEEKLY\nSUMMARY:Caf\u00e9\\, und mehr\nCATEGORIES:A,B\n"+
		"BEGIN:VALARM\nUID:a\nACTION:DISPLAY\nTRIGGER:-PT30M\nREPEAT:2\nDURATION:PT5M\nEND:VALARM\nBEGIN:VALARM\nACTION:EMAIL\nTRIGGER;RELATED=END:P1D\nEND:VALARM\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER;VALUE=DATE-TIME:20270505T050505Z\nEND:VALARM\nEND:VEVENT\n"),
}

// utc reads a range, "20060104T000000Z 20060105T000000Z"; a side may be "-".
func utc(s string) *TimeRange {
	var side [2]time.Time
	for i, f := range strings.Fields(s) {
		side[i], _ = time.Parse("20060102T150405Z", f)
	}
	return &TimeRange{side[0], side[1]}
}

func query(comps ...CompFilter) Filter { return Filter{CompFilter{Name: "VCALENDAR", Comps: comps}} }
func event(props ...PropFilter) CompFilter {
	return CompFilter{Name: "VEVENT", Props: props}
}
func todo(props ...PropFilter) CompFilter { return CompFilter{Name: "VTODO", Props: props} }
func has(s string) *TextMatch             { return &TextMatch{Text: s} }
func not(s string) *TextMatch             { return &TextMatch{Text: s, Negate: true} }
func rings(s string) CompFilter           { return CompFilter{Name: "VALARM", Range: utc(s)} }

func TestFilter(t *testing.T) {
	in := func(kind, s string, comps ...CompFilter) CompFilter {
		return CompFilter{Name: kind, Range: utc(s), Comps: comps}
	}
	for _, c := range []struct {
		name string
		f    Filter
		want string
	}{
		// the examples of RFC 4791 §7.8
		{"7.8.1", query(in("VEVENT", "20060104T000000Z 20060105T000000Z")), "abcd2 abcd3"},
		{"7.8.4", Filter{CompFilter{Name: "VCALENDAR", Comps: []CompFilter{{Name: "VFREEBUSY", Range: utc("20060102T000000Z 20060103T000000Z")}}}}, "abcd8"},
		{"after the alarm of a task", query(CompFilter{Name: "VTODO", Comps: []CompFilter{rings("20060106T100000Z 20060107T100000Z")}}), ""},
		{"at the alarm of a task", query(CompFilter{Name: "VTODO", Comps: []CompFilter{rings("20060106T095000Z 20060107T100000Z")}}), "abcd5"},
		{"7.8.6", query(event(PropFilter{Name: "UID", Text: &TextMatch{Text: "1@example.com", Collation: "i;octet"}})), "abcd1"},
		{"7.8.7", query(event(PropFilter{Name: "ATTENDEE", Text: has("mailto:lisa@example.com"), Params: []ParamFilter{{Name: "PARTSTAT", Text: has("needs-action")}}})), "abcd3"},
		{"7.8.8", query(event()), "abcd1 abcd2 abcd3 alarms"},
		{"7.8.9", query(todo(PropFilter{Name: "COMPLETED", NotDefined: true}, PropFilter{Name: "STATUS", Text: not("CANCELLED")})), "abcd5"},

		{"everything", query(), "abcd1 abcd2 abcd3 abcd4 abcd5 abcd6 abcd7 abcd8 alarms"},
		{"no events", query(CompFilter{Name: "VEVENT", NotDefined: true}), "abcd4 abcd5 abcd6 abcd7 abcd8"},
		{"no calendar", Filter{CompFilter{Name: "VCALENDAR", NotDefined: true}}, ""},
		{"another thing", Filter{CompFilter{Name: "VCARD"}}, ""},
		{"not another thing", Filter{CompFilter{Name: "VCARD", NotDefined: true}}, "abcd1 abcd2 abcd3 abcd4 abcd5 abcd6 abcd7 abcd8 alarms"},
		{"a property of the calendar", Filter{CompFilter{Name: "VCALENDAR", Props: []PropFilter{{Name: "PRODID", Text: has("TEST")}}}}, "abcd1 abcd2 abcd3 abcd4 abcd5 abcd6 abcd7 abcd8 alarms"},
		{"events and tasks at once", query(event(), todo()), ""},
		{"zones", query(CompFilter{Name: "VTIMEZONE", Props: []PropFilter{{Name: "TZID", Text: has("us/")}}}), "abcd1 abcd2 abcd3"},
		{"a time range on zones", query(in("VTIMEZONE", "20060104T000000Z -")), ""},
		{"the summary of the override alone", query(event(PropFilter{Name: "SUMMARY", Text: has("bis")})), "abcd2"},
		{"a range that only the override is in, and the master's summary", query(CompFilter{Name: "VEVENT", Range: utc("20060104T190000Z 20060104T193000Z"), Props: []PropFilter{{Name: "SUMMARY", Text: not("bis")}}}), ""},
		{"where the override was before", query(in("VEVENT", "20060104T170000Z 20060104T180000Z")), ""},
		{"the last of five", query(in("VEVENT", "20060106T173000Z 20060106T180000Z")), "abcd2"},
		{"the sixth of five", query(in("VEVENT", "20060107T000000Z 20060109T000000Z")), ""},
		{"text with escapes and accents", query(event(PropFilter{Name: "SUMMARY", Text: &TextMatch{Text: "CAFE\u0301, UND", Collation: "i;unicode-casemap"}})), "alarms"},
		{"the same by octets", query(event(PropFilter{Name: "SUMMARY", Text: &TextMatch{Text: "CAF\u00c9, UND"}})), ""},
		{"a parameter that is not there", query(event(PropFilter{Name: "ATTENDEE", Params: []ParamFilter{{Name: "ROLE", NotDefined: true}}})), "abcd3"},
		{"a parameter that is there", query(event(PropFilter{Name: "ATTENDEE", Text: has("lisa"), Params: []ParamFilter{{Name: "ROLE"}}})), ""},
		{"a parameter that is not so", query(event(PropFilter{Name: "ATTENDEE", Params: []ParamFilter{{Name: "PARTSTAT", Text: not("accepted")}}})), "abcd3"},
		{"a property that is not there", query(event(PropFilter{Name: "LOCATION", Text: not("x")})), ""},
		{"completed when", query(todo(PropFilter{Name: "COMPLETED", Range: utc("20060104T000000Z 20060105T000000Z")})), "abcd6"},
		{"begun when, of any instance", query(event(PropFilter{Name: "DTSTART", Range: utc("20060105T170000Z 20060105T170001Z")})), "abcd2"},
		{"ended when, though only its length is known", query(event(PropFilter{Name: "DTEND", Range: utc("20060102T160000Z 20060102T160001Z")})), "abcd1"},
		{"due when", query(todo(PropFilter{Name: "DUE", Range: utc("20060105T000000Z 20060106T000000Z")})), "abcd6 abcd7"},

		{"an alarm before the start, in winter", query(CompFilter{Name: "VEVENT", Comps: []CompFilter{rings("20260108T083000Z 20260108T083001Z")}}), "alarms"},
		{"an alarm before the start, in summer", query(CompFilter{Name: "VEVENT", Comps: []CompFilter{rings("20260702T073000Z 20260702T073001Z")}}), "alarms"},
		{"the alarm's last repetition", query(CompFilter{Name: "VEVENT", Comps: []CompFilter{rings("20260108T083600Z 20260108T084001Z")}}), "alarms"},
		{"between repetitions", query(CompFilter{Name: "VEVENT", Comps: []CompFilter{rings("20260108T083600Z 20260108T084000Z")}}), ""},
		{"after the last", query(CompFilter{Name: "VEVENT", Comps: []CompFilter{rings("20260108T084001Z 20260108T095500Z")}}), ""},
		{"an alarm a day after the end, across a change of the clock", query(CompFilter{Name: "VEVENT", Comps: []CompFilter{rings("20260109T110000Z 20260109T110001Z")}}), "alarms"},
		{"an alarm at a moment", query(CompFilter{Name: "VEVENT", Comps: []CompFilter{rings("20270505T050505Z 20270505T050506Z")}}), "alarms"},
		{"no alarms", query(CompFilter{Name: "VEVENT", Comps: []CompFilter{{Name: "VALARM", NotDefined: true}}}), "abcd1 abcd2 abcd3"},
		{"an alarm of a kind", query(CompFilter{Name: "VEVENT", Comps: []CompFilter{{Name: "VALARM", Props: []PropFilter{{Name: "ACTION", Text: has("email")}}}}}), "alarms"},
	} {
		var got []string
		for name, data := range shelf {
			cal := parse(t, data)
			ok := c.f.Match(cal, time.UTC)
			if ok {
				got = append(got, name)
			}
			if a := c.f.MatchIndex(cal.Index(), time.UTC); a != Maybe && a != answer(ok) {
				t.Errorf("%s: the index says %v of %s, want %v", c.name, a, name, ok)
			}
		}
		slices.Sort(got)
		if want := strings.Fields(c.want); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
}

// TestIndexKnows makes sure that the queries that clients send are answered without
// reading objects.
func TestIndexKnows(t *testing.T) {
	for _, f := range []Filter{
		query(CompFilter{Name: "VEVENT", Range: utc("20060104T000000Z 20060105T000000Z")}),
		query(CompFilter{Name: "VTODO", Range: utc("20060104T000000Z -")}),
		query(event()), query(todo()), query(),
		query(event(PropFilter{Name: "UID", Text: &TextMatch{Text: "1@example.com", Collation: "i;octet"}})),
	} {
		for name, data := range shelf {
			if f.MatchIndex(index(t, data), time.UTC) == Maybe {
				t.Errorf("%+v: the index of %s does not know", f, name)
			}
		}
	}
}
