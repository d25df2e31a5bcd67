package main

import (
	"testing"
	"time"
	_ "time/tzdata" // where the system has none
)

func TestParseWhen(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	// A week before, the clocks were put back.
	now := time.Date(2026, 11, 1, 15, 30, 0, 0, vienna)
	for text, want := range map[string]string{
		"now":                       "2026-11-01T15:30:00+01:00",
		"yesterday":                 "2026-10-31T15:30:00+01:00",
		"Yesterday":                 "2026-10-31T15:30:00+01:00",
		"2 days ago":                "2026-10-30T15:30:00+01:00",
		"8 days ago":                "2026-10-24T15:30:00+02:00",
		"192 hours ago":             "2026-10-24T16:30:00+02:00",
		"an hour ago":               "2026-11-01T14:30:00+01:00",
		"a  minute ago":             "2026-11-01T15:29:00+01:00",
		"90 seconds ago":            "2026-11-01T15:28:30+01:00",
		"2 weeks ago":               "2026-10-18T15:30:00+02:00",
		"1 month ago":               "2026-10-01T15:30:00+02:00",
		"1 year ago":                "2025-11-01T15:30:00+01:00",
		"2026-10-20 14:00":          "2026-10-20T14:00:00+02:00",
		"2026-10-20 14:00:07":       "2026-10-20T14:00:07+02:00",
		"2026-10-20 14:00:07 +0000": "2026-10-20T14:00:07Z",
		"2026-10-20":                "2026-10-20T00:00:00+02:00",
		"2026-10-20T14:00":          "2026-10-20T14:00:00+02:00",
		"2026-10-20T14:00:00Z":      "2026-10-20T14:00:00Z",
		"2026-10-20T14:00:00-05:00": "2026-10-20T14:00:00-05:00",
	} {
		w, err := time.Parse(time.RFC3339, want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseWhen(text, now); err != nil || !got.Equal(w) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, w)
		}
	}
	for _, text := range []string{"", "tomorrow", "2 days", "days ago", "-1 days ago", "99999999999999999999 days ago", "2026-11-02", "2 fortnights ago", "20.11.2026", "2026-13-01", "yesterday ago"} {
		if got, err := parseWhen(text, now); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func FuzzParseWhen(f *testing.F) {
	for _, s := range []string{"2 days ago", "yesterday", "2026-11-20 14:00", "2026-11-20T14:00:00Z", "an hour ago", "9999-12-31"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 1, 15, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseWhen(text, now); err == nil && got.After(now) {
			t.Errorf("%q: %v lies in the future", text, got)
		}
	})
}
