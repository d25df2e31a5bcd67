package ical

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
)

// python returns the path of an interpreter that can import these modules.
func python(t *testing.T, modules string) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if p, err := exec.LookPath(name); err == nil && exec.Command(p, "-c", "import "+modules).Run() == nil {
			return p
		}
	}
	if os.Getenv("CAIRN_CI") != "" {
		t.Fatalf("no python3 with %s", modules)
	}
	t.Skipf("no python3 with %s", modules)
	return ""
}

// ask runs a script over lines of JSON and returns what it says of each.
func ask(t *testing.T, python, script string, questions any, answers any) {
	t.Helper()
	in, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", script)
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", python, err)
	}
	if err := json.Unmarshal(out, answers); err != nil {
		t.Fatal(err)
	}
}

// A question is a rule, and what it begins with.
type question struct{ Start, Rule string }

// shown is how many recurrences are compared.
const shown = 25

// randomRule returns a rule that is not likely to be empty, and whose meaning is not
// in dispute: see TestRuleOwn for those where it is.
func randomRule(rnd *rand.Rand) question {
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	some := func(lo, hi, most int) string {
		var out []string
		for range 1 + rnd.IntN(most) {
			out = append(out, strconv.Itoa(lo+rnd.IntN(hi-lo+1)))
		}
		slices.Sort(out)
		return strings.Join(slices.Compact(out), ",")
	}
	signed := func(hi, most int) string {
		s := some(1, hi, most)
		if rnd.IntN(3) == 0 {
			s = "-" + strings.ReplaceAll(s, ",", ",-")
		}
		return s
	}
	days := func() string {
		n := 1 + rnd.IntN(4)
		perm := rnd.Perm(7)[:n]
		var out []string
		for _, i := range perm {
			out = append(out, weekdays[i])
		}
		return strings.Join(out, ",")
	}
	start := time.Date(1990+rnd.IntN(60), time.Month(1+rnd.IntN(12)), 1+rnd.IntN(31), rnd.IntN(24), rnd.IntN(60), rnd.IntN(60), 0, time.UTC)
	f := freq(rnd.IntN(7))
	rule := "FREQ=" + freqs[f] + ";WKST=" + pick(weekdays...)
	if rnd.IntN(2) == 0 {
		rule += ";INTERVAL=" + strconv.Itoa(1+rnd.IntN(map[bool]int{true: 5, false: 100}[f < daily]))
	}
	add := func(chance int, part string) {
		if rnd.IntN(chance) == 0 {
			rule += ";" + part
		}
	}
	switch f {
	case yearly:
		switch rnd.IntN(5) {
		case 0:
			// The others take the last days of a year, and the first, for those of wrong
			// weeks: see TestWeeks.
			rule += ";BYWEEKNO=" + signed(51, 3) + ";BYDAY=" + days()
		case 1:
			rule += ";BYYEARDAY=" + signed(366, 4)
		case 2:
			rule += ";BYDAY=" + signed(5, 1) + pick(weekdays...) + ";BYMONTH=" + some(1, 12, 3)
		case 3:
			rule += ";BYDAY=" + signed(52, 1) + pick(weekdays...)
		default:
			add(2, "BYMONTH="+some(1, 12, 4))
			add(2, "BYMONTHDAY="+signed(31, 4))
			add(3, "BYDAY="+days())
		}
	case monthly:
		add(3, "BYMONTH="+some(1, 12, 6))
		add(2, "BYMONTHDAY="+signed(28, 6))
		add(2, "BYDAY="+pick(days(), signed(4, 1)+pick(weekdays...), "2TU,-1FR"))
	case weekly, daily:
		add(4, "BYMONTH="+some(1, 12, 6))
		add(2, "BYDAY="+days())
		if f == daily {
			add(4, "BYMONTHDAY="+signed(28, 8))
		}
	case hourly:
		add(3, "BYDAY="+days())
	}
	if f <= hourly {
		add(5, "BYHOUR="+some(0, 23, 6))
	}
	add(5, "BYMINUTE="+some(0, 59, 6))
	if f != secondly {
		add(5, "BYSECOND="+some(0, 59, 4))
	}
	if strings.Count(rule, ";BY") > 1 && f < secondly && f != hourly && rnd.IntN(3) == 0 {
		rule += ";BYSETPOS=" + signed(4, 2)
	}
	if f == weekly { // dateutil lets the first week begin on the day of the start
		rule = strings.Replace(rule, rule[strings.Index(rule, ";WKST="):][:8], ";WKST="+weekdays[(int(start.Weekday())+6)%7], 1)
	}
	return question{start.Format("20060102T150405"), rule}
}

// horizon returns until when a rule is followed: dateutil looks for what never comes
// until the year 9999, however long that takes.
func horizon(q question) time.Time {
	start, _ := time.Parse("20060102T150405", q.Start)
	switch {
	case strings.Contains(q.Rule, "SECONDLY"):
		return start.Add(3 * time.Hour)
	case strings.Contains(q.Rule, "MINUTELY"):
		return start.AddDate(0, 0, 3)
	case strings.Contains(q.Rule, "HOURLY"):
		return start.AddDate(0, 2, 0)
	}
	return start.AddDate(40, 0, 0)
}

// ours answers a question.
func ours(t testing.TB, q question) []string {
	stop := horizon(q).Format("20060102T150405")
	all := expand(t, q.Start, q.Rule, shown)
	if i := slices.IndexFunc(all, func(s string) bool { return s > stop }); i >= 0 {
		all = all[:i]
	}
	return all
}

// questions returns n rules, the same each time, all of which yield something.
func questions(t testing.TB, n int) []question {
	rnd := rand.New(rand.NewPCG(5545, 4791))
	var all []question
	for len(all) < n {
		q := randomRule(rnd)
		if len(ours(t, q)) > 1 { // the others would look for more until the year 9999
			all = append(all, q)
		}
	}
	return all
}

func rounds(short, long int) int {
	if os.Getenv("CAIRN_LONG") != "" {
		return long
	}
	return short
}

// TestRulesLikeRRuleGo compares random rules with rrule-go's.
func TestRulesLikeRRuleGo(t *testing.T) {
	for _, q := range questions(t, rounds(2000, 50000)) {
		start, err := time.Parse("20060102T150405", q.Start)
		if err != nil {
			t.Fatal(err)
		}
		o, err := rrule.StrToROption(q.Rule)
		if err != nil {
			t.Fatal(err)
		}
		o.Dtstart, o.Until = start, horizon(q)
		r, err := rrule.NewRRule(*o)
		if err != nil {
			t.Fatalf("%v: %v", q, err)
		}
		var want []string
		for next := r.Iterator(); len(want) < shown; {
			at, ok := next()
			if !ok {
				break
			}
			want = append(want, at.Format("20060102T150405"))
		}
		if got := ours(t, q); !slices.Equal(got, want) {
			t.Errorf("%v\n got %v\nwant %v", q, got, want)
		}
	}
}

// TestRulesLikeDateutil compares random rules with those of python3-dateutil.
func TestRulesLikeDateutil(t *testing.T) {
	py := python(t, "dateutil.rrule")
	const script = `
import json, sys, itertools, datetime
from dateutil.rrule import rrulestr
out = []
for q in json.load(sys.stdin):
    start = datetime.datetime.strptime(q["Start"], "%Y%m%dT%H%M%S")
    r = rrulestr(q["Rule"] + ";UNTIL=" + q["Until"], dtstart=start)
    out.append([d.strftime("%Y%m%dT%H%M%S") for d in itertools.islice(r, q["Shown"])])
json.dump(out, sys.stdout)
`
	type asked struct {
		Start, Rule, Until string
		Shown              int
	}
	all := questions(t, rounds(500, 10000))
	var in []asked
	for _, q := range all {
		in = append(in, asked{q.Start, q.Rule, horizon(q).Format("20060102T150405"), shown})
	}
	var out [][]string
	ask(t, py, script, in, &out)
	for i, q := range all {
		if got := ours(t, q); !slices.Equal(got, out[i]) {
			t.Errorf("%v\n got %v\nwant %v", q, got, out[i])
		}
	}
}

// TestWalkFromAnywhere walks rules from the middle: what comes must be what a walk
// from the start passes there.
func TestWalkFromAnywhere(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, q := range questions(t, rounds(500, 20000)) {
		at, _ := parseTime(q.Start, nil)
		r, err := parseRule(q.Rule)
		if err != nil {
			t.Fatal(err)
		}
		r.complete(at.wall, false)
		var all []wall
		for c := r.walk(at.wall, at.wall, lastWall); len(all) < 200; {
			w, ok := c.next()
			if !ok {
				break
			}
			all = append(all, w)
		}
		for range 5 {
			if len(all) < 2 {
				break
			}
			i := rnd.IntN(len(all) - 1)
			from := all[i] + wall(rnd.Int64N(int64(all[i+1]-all[i]))) + 1
			got, ok := r.walk(at.wall, from, all[len(all)-1]).next()
			if !ok || got != all[i+1] {
				t.Errorf("%v from %v: %v, want %v", q, at.with(from), at.with(got), at.with(all[i+1]))
			}
		}
	}
}

func (q question) String() string { return fmt.Sprintf("%s %s", q.Start, q.Rule) }
