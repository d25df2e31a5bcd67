package message

import (
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	want := time.Date(2006, 1, 2, 22, 4, 5, 0, time.UTC)
	for _, s := range []string{
		"Mon, 2 Jan 2006 15:04:05 -0700",
		"2 Jan 2006 22:04:05 +0000",
		"Mon, 02 Jan 06 15:04:05 MST",
		"Mon,2 Jan 2006 15:04:05 -0700 (MST)",
		"Mon (a (b)), 2 Jan (c) 2006 15:04:05 -0700",
		"Monday, 2-Jan-06 22:04:05 GMT",
		"Mon Jan  2 22:04:05 2006",
		"Mon Jan  2 15:04:05 MST 2006",
		"Mon, 2 January 2006 15:04:05 -07:00",
		"Mon, 2 Jan 106 22:04:05 Z",
		"Mon, 2 Jan 2006 22:04:05",
		"Mon, 2 Jan 2006 15:04:05-0700",
		"Mon, 2 Jan 2006 15:04:05 GMT-0700",
		"Jan 2, 2006 10:04:05 PM UTC",
		"2006-01-02T15:04:05-07:00",
		"2006-01-02 22:04:05",
		"lun., 2 jan 2006 23:04:05 CET",
	} {
		got, ok := ParseDate(s)
		if !ok || !got.Equal(want) {
			t.Errorf("ParseDate(%q) = %v, %v, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "yesterday", "0 Jan 2006 15:04:05 +0000", "2 Foo 2006 15:04:05 +0000", "99 99 99", "2 Jan 2006 25:61:00 +0000", "Mon, 2 Jan", "2 Jan 99999 00:00:00 +0000"} {
		if got, ok := ParseDate(s); ok {
			t.Errorf("ParseDate(%q) = %v, want none", s, got)
		}
	}
	if got := FormatDate(want.In(time.FixedZone("", -7*3600))); got != "Mon, 2 Jan 2006 15:04:05 -0700" {
		t.Errorf("FormatDate = %q", got)
	}
}

func TestSent(t *testing.T) {
	received := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		date string
		want time.Time
	}{
		{"Date: 30 Dec 2019 00:00:00 +0000\n", received.AddDate(0, 0, -2)},
		{"Date: 1 Jan 2020 12:00:00 +0000\n", received.Add(12 * time.Hour)}, // a clock that is fast, or a zone that is wrong
		{"Date: 1 Jan 1970 00:00:00 +0000\n", received},
		{"Date: 1 Jan 2099 00:00:00 +0000\n", received},
		{"Date: soon\n", received},
		{"", received},
	} {
		h := ParseHeader([]byte(c.date))
		if got := h.Sent(received); !got.Equal(c.want) {
			t.Errorf("%q is sent at %v, want %v", c.date, got, c.want)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"Mon, 2 Jan 2006 15:04:05 -0700 (MST)", "2006-01-02T15:04:05Z", "Jan 2 10:04 PM 2006 +1", "1/Feb/3 4:5:6.7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseDate(s)
		if !ok {
			return
		}
		if again, ok := ParseDate(FormatDate(got)); !ok || got.Year() >= 1000 && !again.Equal(got.Truncate(time.Second)) {
			t.Fatalf("%q is %v, and that is %v, %v", s, got, again, ok)
		}
	})
}
