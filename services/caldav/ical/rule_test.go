package ical

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// expand returns what a rule yields from start, at most n of it.
func expand(t testing.TB, start, text string, n int) []string {
	t.Helper()
	at, ok := parseTime(start, nil)
	if !ok {
		t.Fatalf("bad start %q", start)
	}
	r, err := parseRule(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	r.complete(at.wall, at.IsDate())
	r.settle(at.wall)
	var all []string
	for c := r.walk(at.wall, at.wall, lastWall); len(all) < n; {
		w, ok := c.next()
		if !ok {
			break
		}
		all = append(all, at.with(w).String())
	}
	return all
}

// TestRuleRFC expands the examples of RFC 5545 §3.8.5.3 and of its §3.3.10.
func TestRuleRFC(t *testing.T) {
	for _, c := range []struct{ start, rule, want string }{
		{"19970902T090000", "FREQ=DAILY;COUNT=10", "0902 0903 0904 0905 0906 0907 0908 0909 0910 0911"},
		{"19970902T090000", "FREQ=DAILY;UNTIL=19970907T000000Z", "0902 0903 0904 0905 0906"},
		{"19970902T090000", "FREQ=DAILY;INTERVAL=2", "0902 0904 0906 0908 0910 ..."},
		{"19970902T090000", "FREQ=DAILY;INTERVAL=10;COUNT=5", "0902 0912 0922 1002 1012"},
		{"19980128T090000", "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA", "0128 0129 0130 0131 19990101 ..."},
		{"19980128T090000", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "0128 0129 0130 0131 19990101 ..."},
		{"19970902T090000", "FREQ=WEEKLY;COUNT=10", "0902 0909 0916 0923 0930 1007 1014 1021 1028 1104"},
		{"19970902T090000", "FREQ=WEEKLY;INTERVAL=2;WKST=SU", "0902 0916 0930 1014 1028 ..."},
		{"19970902T090000", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH", "0902 0904 0909 0911 0916 0918 0923 0925 0930 1002"},
		{"19970902T090000", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH", "0902 0904 0909 0911 0916 0918 0923 0925 0930 1002"},
		{"19970901T090000", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971024T000000Z;WKST=SU;BYDAY=MO,WE,FR", "0901 0903 0905 0915 0917 0919 0929 1001 1003 1013 1015 1017"},
		{"19970902T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", "0902 0904 0916 0918 0930 1002 1014 1016"},
		{"19970905T090000", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "0905 1003 1107 1205 19980102 0206 0306 0403 0501 0605"},
		{"19970905T090000", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "0905 1003 1107 1205"},
		{"19970907T090000", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU", "0907 0928 1102 1130 19980104 0125 0301 0329 0503 0531"},
		{"19970922T090000", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "0922 1020 1117 1222 19980119 0216"},
		{"19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3", "0928 1029 1128 1229 19980129 0226 ..."},
		{"19970902T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15", "0902 0915 1002 1015 1102 1115 1202 1215 19980102 0115"},
		{"19970930T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1", "0930 1001 1031 1101 1130 1201 1231 19980101 0131 0201"},
		{"19970910T090000", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15", "0910 0911 0912 0913 0914 0915 19990310 0311 0312 0313"},
		{"19970902T090000", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU", "0902 0909 0916 0923 0930 1104 1111 1118 1125 19980106 0113 ..."},
		{"19970610T090000", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7", "0610 0710 19980610 0710 19990610 0710 20000610 0710 20010610 0710"},
		{"19970310T090000", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3", "0310 19990110 0210 0310 20010110 0210 0310 20030110 0210 0310"},
		{"19970101T090000", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200", "0101 0410 0719 20000101 0409 0718 20030101 0410 0719 20060101"},
		{"19970519T090000", "FREQ=YEARLY;BYDAY=20MO", "0519 19980518 19990517 ..."},
		{"19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "0512 19980511 19990517 ..."},
		{"19970313T090000", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "0313 0320 0327 19980305 0312 0319 0326 19990304 ..."},
		{"19970605T090000", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8", "0605 0612 0619 0626 0703 0710 0717 0724 0731 0807 ..."},
		{"19970902T090000", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "19980213 0313 1113 19990813 20001013 ..."},
		{"19970913T090000", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13", "0913 1011 1108 1213 19980110 0207 0307 0411 0509 0613 ..."},
		{"19961105T090000", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1105 20001107 20041102 ..."},
		{"19970904T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "0904 1007 1106"},
		{"19970929T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "0929 1030 1127 1230 19980129 0226 0330 ..."},
		{"19970902T090000", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z", "0902T090000 0902T120000 0902T150000"},
		{"19970902T090000", "FREQ=MINUTELY;INTERVAL=15;COUNT=6", "0902T090000 0902T091500 0902T093000 0902T094500 0902T100000 0902T101500"},
		{"19970902T090000", "FREQ=MINUTELY;INTERVAL=90;COUNT=4", "0902T090000 0902T103000 0902T120000 0902T133000"},
		{"19970902T090000", "FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,40", "0902T090000 0902T094000 0902T100000 0902T104000 0903T090000 ..."},
		{"19970902T160000", "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,16", "0902T160000 0902T162000 0902T164000 0903T090000 0903T092000 ..."},
		{"19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "0805 0810 0819 0824"},
		{"19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "0805 0817 0819 0831"},
		{"20070115T090000", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "0115 0130 0215 0315 0330"},
		{"19970105T083000", "FREQ=YEARLY;INTERVAL=2;BYMONTH=1;BYDAY=SU;BYHOUR=8,9;BYMINUTE=30", "0105T083000 0105T093000 0112T083000 0112T093000 ..."},
	} {
		got := expand(t, c.start, c.rule, 1000)
		want := strings.Fields(c.want)
		if last := len(want) - 1; want[last] == "..." {
			want, got = want[:last], got[:min(last, len(got))]
		}
		year := c.start[:4]
		for i, w := range want {
			if !strings.Contains(w, "T") {
				w += c.start[8:]
			}
			if len(w) == len("0902T090000") {
				w = year + w
			}
			year, want[i] = w[:4], w
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s %s\n got %v\nwant %v", c.start, c.rule, got, want)
		}
	}
}

// TestRuleOwn expands what the RFC leaves open, the way we read it.
func TestRuleOwn(t *testing.T) {
	for _, c := range []struct {
		name, start, rule string
		want              []string
	}{
		{"the week's day is that of the start", "20260105T080000", "FREQ=YEARLY;BYWEEKNO=3", []string{"20260112T080000", "20270118T080000"}},
		{"BYSETPOS counts from the beginning of the week", "20260107", "FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=1", []string{"20260112", "20260119"}},
		{"days that a month has not are passed over", "20260131", "FREQ=MONTHLY", []string{"20260131", "20260331", "20260531"}},
		{"leap days", "20240229", "FREQ=YEARLY", []string{"20240229", "20280229", "20320229"}},
		{"no leap day in 2100", "20960229", "FREQ=YEARLY", []string{"20960229", "21040229"}},
		{"leap days on a Monday", "20240229", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", []string{"20440229", "20720229", "21120229"}},
		{"UNTIL a day means all of it", "20260101T230000", "FREQ=DAILY;UNTIL=20260102", []string{"20260101T230000", "20260102T230000"}},
		{"a DATE has no time of day", "20260101", "FREQ=DAILY;BYHOUR=9;COUNT=2", []string{"20260101", "20260102"}},
		{"the start counts though the rule yields it not", "20260101", "FREQ=WEEKLY;BYDAY=MO;COUNT=3", []string{"20260105", "20260112"}},
		{"numbers of weekdays mean nothing in a week", "20260105", "FREQ=WEEKLY;BYDAY=2MO;COUNT=2", []string{"20260105", "20260112"}},
		{"an instance in the last week of the year that ISO counts to the next", "20241230", "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", []string{"20241230", "20251229", "20270104"}},
		{"every second of an hour", "20260101T000000", "FREQ=SECONDLY;BYHOUR=5;BYMINUTE=0;INTERVAL=30", []string{"20260101T050000", "20260101T050030", "20260102T050000"}},
		{"small letters, blanks and parts of others", " 20260101", " freq=daily; count=2 ;X-NOTE=1", []string{"20260101", "20260102"}},
	} {
		if got := expand(t, c.start, c.rule, len(c.want)+map[bool]int{true: 1}[strings.Contains(strings.ToUpper(c.rule), "COUNT")]); !slices.Equal(got, c.want) {
			t.Errorf("%s: %s %s\n got %v\nwant %v", c.name, c.start, c.rule, got, c.want)
		}
	}
}

func TestRuleRefused(t *testing.T) {
	for _, s := range []string{
		"", "FREQ=", "FREQ=SOMETIMES", "INTERVAL=2", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;INTERVAL=99999999999",
		"FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=1;UNTIL=20260101", "FREQ=DAILY;COUNT=1;COUNT=2", "FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;UNTIL=20260230",
		"FREQ=DAILY;BYDAY=XX", "FREQ=DAILY;BYDAY=0MO", "FREQ=DAILY;BYDAY=54MO", "FREQ=DAILY;BYDAY=", "FREQ=DAILY;BYMONTH=13", "FREQ=DAILY;BYMONTH=-1",
		"FREQ=DAILY;BYMONTHDAY=0", "FREQ=DAILY;BYMONTHDAY=32", "FREQ=DAILY;BYYEARDAY=367", "FREQ=DAILY;BYWEEKNO=54", "FREQ=DAILY;BYHOUR=24",
		"FREQ=DAILY;BYMINUTE=60", "FREQ=DAILY;BYSECOND=61", "FREQ=DAILY;BYSETPOS=0", "FREQ=DAILY;WKST=8",
		"FREQ=DAILY;BYYEARDAY=" + strings.Repeat("1,", 2000) + "1",
	} {
		if _, err := parseRule(s); err == nil || err.Precondition != ValidData {
			t.Errorf("parseRule(%.40q) = %v, want a %s", s, err, ValidData)
		}
	}
	for _, s := range []string{"RSCALE=CHINESE;FREQ=YEARLY", "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=FORWARD"} {
		if _, err := parseRule(s); err == nil || err.Precondition != SupportedRScale {
			t.Errorf("parseRule(%q) = %v, want a %s", s, err, SupportedRScale)
		}
	}
	if _, err := parseRule("RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=OMIT"); err != nil {
		t.Error(err)
	}
}

// TestRuleEnds asks for rules that yield nothing, or nearly: the answer must come
// after a bounded number of steps, which a test that hangs would show.
func TestRuleEnds(t *testing.T) {
	for _, rule := range []string{
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31",
		"FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1;BYDAY=MO",
		"FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1",
		"FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4,6",
		"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=WEEKLY;BYDAY=MO;BYMONTHDAY=31;BYMONTH=4",
		"FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=SECONDLY;INTERVAL=2;BYSECOND=1",
		"FREQ=SECONDLY;INTERVAL=86400;BYHOUR=3",
		"FREQ=SECONDLY;INTERVAL=2147483647;BYMONTH=2;BYMONTHDAY=30",
		"FREQ=YEARLY;INTERVAL=2147483647",
		"FREQ=WEEKLY;INTERVAL=2147483647",
		"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300",
		"FREQ=YEARLY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYSETPOS=366;BYMONTHDAY=1;BYMONTH=1",
	} {
		if got := expand(t, "20260101T000000", rule, 3); len(got) > 1 {
			t.Errorf("%s yields %v, want nothing but the start", rule, got)
		}
	}
}

// TestWeeks counts the weeks of years day by day: the first is the first that has
// four days in the year, and they begin on WKST.
func TestWeeks(t *testing.T) {
	numbers := []int{1, 2, 26, 51, 52, 53, -1, -2, -51, -52, -53}
	for wkst := range 7 {
		var rules []*rule
		for _, n := range numbers {
			r, err := parseRule(fmt.Sprintf("FREQ=YEARLY;WKST=%s;BYWEEKNO=%d", weekdays[wkst], n))
			if err != nil {
				t.Fatal(err)
			}
			rules = append(rules, r)
		}
		week, left, year := 0, 0, 0 // the week we are in, the days left in it, and the year it belongs to
		var days []struct{ day, year, week int }
		for d := dayOf(1989, 1, 1); d < dayOf(2062, 1, 1); d++ {
			if weekday(d) == wkst {
				y, _, _ := civil(d + 3) // the year that has four days of it or more
				if week++; y != year {
					week, year = 1, y
				}
				left = 7
			}
			if left--; left >= 0 && year > 1989 {
				days = append(days, struct{ day, year, week int }{d, year, week})
			}
		}
		last := map[int]int{}
		for _, d := range days {
			last[d.year] = d.week
		}
		for _, d := range days {
			if d.year > 2060 {
				break
			}
			y, _, _ := civil(d.day)
			for i, n := range numbers {
				want := n == d.week || n == d.week-last[d.year]-1
				if got := rules[i].isWeek(d.day, y); got != want {
					t.Fatalf("%v in week %d of weeks from %s: %v, want %v", Time{wall: wall(d.day) * day}, n, weekdays[wkst], got, want)
				}
			}
			if iso, w := time.Unix(int64(d.day)*day, 0).UTC().ISOWeek(); wkst == 0 && (iso != d.year || w != d.week) {
				t.Fatalf("%v is counted in week %d of %d, which by ISO is %d of %d", d.day, d.week, d.year, w, iso)
			}
		}
	}
}
