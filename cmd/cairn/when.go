package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// errWhen says how a moment is written.
const errWhen = `%q is no moment in the past: write '2 days ago', 'yesterday', '2026-11-20 14:00' or, as RFC 3339 has it, 2026-11-20T14:00:00Z`

// layouts are how people write a moment, in their own time zone where none is
// given. A day alone is its beginning.
var layouts = []string{time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}

// parseWhen reads a moment that is not after now. now's location is the time zone
// of the person.
func parseWhen(text string, now time.Time) (time.Time, error) {
	t, ok := relative(strings.Fields(strings.ToLower(text)), now)
	if !ok {
		t, ok = absolute(strings.TrimSpace(text), now.Location())
	}
	if !ok || t.After(now) {
		return time.Time{}, fmt.Errorf(errWhen, text)
	}
	return t, nil
}

func absolute(text string, zone *time.Location) (time.Time, bool) {
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// relative reads what is said from now on back: "now", "yesterday", "2 days ago", "an
// hour ago". Days, months and years go by the calendar, so that yesterday is the
// same time of day whatever the clocks were changed by.
func relative(words []string, now time.Time) (time.Time, bool) {
	switch {
	case len(words) == 1 && words[0] == "now":
		return now, true
	case len(words) == 1 && words[0] == "yesterday":
		return now.AddDate(0, 0, -1), true
	case len(words) != 3 || words[2] != "ago":
		return time.Time{}, false
	}
	n, err := strconv.Atoi(words[0])
	if words[0] == "a" || words[0] == "an" {
		n, err = 1, nil
	}
	if err != nil || n < 0 || n > 1e6 {
		return time.Time{}, false
	}
	switch strings.TrimSuffix(words[1], "s") {
	case "second", "sec":
		return now.Add(-time.Duration(n) * time.Second), true
	case "minute", "min":
		return now.Add(-time.Duration(n) * time.Minute), true
	case "hour":
		return now.Add(-time.Duration(n) * time.Hour), true
	case "day":
		return now.AddDate(0, 0, -n), true
	case "week":
		return now.AddDate(0, 0, -7*n), true
	case "month":
		return now.AddDate(0, -n, 0), true
	case "year":
		return now.AddDate(-n, 0, 0), true
	}
	return time.Time{}, false
}
