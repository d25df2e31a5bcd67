package kernel

import (
	"testing"
	"time"
)

func bcd(v int) uint8 { return uint8(v/10<<4 | v%10) }

// rtcRegisters is what a clock shows at t.
func rtcRegisters(t time.Time, status uint8, century bool) rtcTime {
	number := bcd
	if status&rtcBinary != 0 {
		number = func(v int) uint8 { return uint8(v) }
	}
	r := rtcTime{
		second: number(t.Second()), minute: number(t.Minute()), hour: number(t.Hour()),
		day: number(t.Day()), month: number(int(t.Month())), year: number(t.Year() % 100), status: status,
	}
	if status&rtc24Hours == 0 {
		r.hour = number((t.Hour()+11)%12 + 1)
		if t.Hour() >= 12 {
			r.hour |= rtcPM
		}
	}
	if century {
		r.century = number(t.Year() / 100)
	}
	return r
}

func TestRTC(t *testing.T) {
	for at := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2400; at = at.Add(31*time.Hour + 7*time.Minute + 13*time.Second) {
		for status := uint8(0); status < 8; status += 2 {
			for _, century := range []bool{true, false} {
				if !century && at.Year() >= 2070 {
					continue
				}
				got, ok := rtcRegisters(at, status, century).unix()
				if !ok || got != at.Unix() {
					t.Fatalf("%v, status %d, century %v: got %d, %v, want %d", at, status, century, got, ok, at.Unix())
				}
			}
		}
	}
}

func TestRTCThatShowsNoTime(t *testing.T) {
	good := rtcRegisters(time.Date(2026, 11, 21, 13, 14, 15, 0, time.UTC), rtc24Hours, true)
	for name, spoil := range map[string]func(*rtcTime){
		"all ones: there is no clock": func(r *rtcTime) { *r = rtcTime{255, 255, 255, 255, 255, 255, 255, 255} },
		"all zeros":                   func(r *rtcTime) { *r = rtcTime{} },
		"month 13":                    func(r *rtcTime) { r.month = 0x13 },
		"day 0":                       func(r *rtcTime) { r.day = 0 },
		"hour 24":                     func(r *rtcTime) { r.hour = 0x24 },
		"minute 60":                   func(r *rtcTime) { r.minute = 0x60 },
		"second 1a":                   func(r *rtcTime) { r.second = 0x1a },
		"year a0":                     func(r *rtcTime) { r.year = 0xa0 },
		"hour 0 of 12":                func(r *rtcTime) { r.status, r.hour = 0, 0 },
	} {
		r := good
		spoil(&r)
		if got, ok := r.unix(); ok {
			t.Errorf("%s: taken for %v", name, time.Unix(got, 0).UTC())
		}
	}
	r := good
	r.century = 0x77 // not what the FADT promised
	if got, ok := r.unix(); !ok || time.Unix(got, 0).UTC().Year() != 2026 {
		t.Errorf("a century that is none: %d, %v", got, ok)
	}
}

func FuzzRTC(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 0x20, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 8 {
			return
		}
		got, ok := rtcTime{b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]}.unix()
		if at := time.Unix(got, 0).UTC(); ok && (at.Year() < 1970 || at.Year() > 2400) {
			t.Errorf("registers %v are a time in %v", b[:8], at)
		}
	})
}
