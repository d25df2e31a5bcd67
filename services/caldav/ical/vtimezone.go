package ical

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"

	"cairn/services/caldav/line"
)

// Changes of the clock are reckoned in these years; before and after them, zones
// that a calendar defines keep the offset they had.
var zoneFrom, zoneTo = wall(dayOf(1900, 1, 1)) * day, wall(dayOf(2150, 1, 1)) * day

const (
	maxChanges = 1 << 12   // in one zone
	maxNear    = 16        // within four days
	maxOffset  = 18 * hour // from UTC
	maxCustom  = 256       // zones that are kept
	maxZones   = 256       // in one calendar
	maxOnsets  = 512       // rules of one calendar's zones, and of one zone
)

// A change is what clocks do at a moment.
type change struct {
	at  int64
	to  int // seconds east of UTC
	dst bool
}

// custom keeps the zones that calendars define by the text that defines them: most
// calendars bring the same few. When it is full any one gives way.
var custom = struct {
	sync.Mutex
	m map[[sha256.Size]byte]*time.Location
}{m: map[[sha256.Size]byte]*time.Location{}}

// location returns the zone that a VTIMEZONE defines (RFC 5545 §3.6.5).
func location(c *line.Component) (*time.Location, *Error) {
	key := sha256.Sum256(c.Encode())
	custom.Lock()
	loc := custom.m[key]
	custom.Unlock()
	if loc != nil {
		return loc, nil
	}
	changes, before, err := changesOf(c)
	if err != nil {
		return nil, err
	}
	loc, bad := time.LoadLocationFromTZData(strings.Clone(c.Value("TZID")), tzif(changes, before))
	if bad != nil {
		return nil, invalid("VTIMEZONE %q: %v", c.Value("TZID"), bad)
	}
	custom.Lock()
	defer custom.Unlock()
	if len(custom.m) >= maxCustom {
		for old := range custom.m {
			delete(custom.m, old)
			break
		}
	}
	custom.m[key] = loc
	return loc, nil
}

// changesOf returns when clocks change, in order, and what they are set to before
// the first time.
func changesOf(c *line.Component) (all []change, before int, err *Error) {
	if onsetRules(c) > maxOnsets {
		return nil, 0, invalid("VTIMEZONE with more recurrence rules than can be kept")
	}
	first := lastWall
	for _, o := range c.Children {
		if o.Name != "STANDARD" && o.Name != "DAYLIGHT" {
			continue
		}
		onsets, from, to, err := observance(o)
		if err != nil {
			return nil, 0, err
		}
		for _, w := range onsets {
			all = append(all, change{int64(w) - int64(from), to, o.Name == "DAYLIGHT"})
			if w < first {
				first, before = w, from
			}
		}
		if len(all) > maxChanges {
			return nil, 0, invalid("VTIMEZONE with more changes than can be kept")
		}
	}
	if len(all) == 0 {
		return nil, 0, invalid("VTIMEZONE without STANDARD or DAYLIGHT")
	}
	slices.SortStableFunc(all, func(a, b change) int { return compare(a.at, b.at) })
	if all = effective(all, before); len(all) > maxNear {
		for i := maxNear; i < len(all); i++ {
			if all[i].at-all[i-maxNear].at < 4*day {
				return nil, 0, invalid("VTIMEZONE that changes its clocks all the time")
			}
		}
	}
	return all, before, nil
}

// onsetRules is how many recurrence rules a VTIMEZONE has.
func onsetRules(c *line.Component) (n int) {
	for _, o := range c.Children {
		n += number(o, "RRULE")
	}
	return n
}

// effective leaves out changes that change nothing, and of those at one moment all
// but the last.
func effective(all []change, before int) []change {
	kept := all[:0]
	now := change{to: before}
	for i, c := range all {
		if i+1 < len(all) && all[i+1].at == c.at || c.to == now.to && c.dst == now.dst {
			continue
		}
		kept = append(kept, c)
		now = c
	}
	return kept
}

// observance returns when a STANDARD or DAYLIGHT begins, by the clock before it,
// and the offsets before and after.
func observance(o *line.Component) (onsets []wall, from, to int, err *Error) {
	start, ok := parseTime(o.Value("DTSTART"), nil)
	if !ok {
		return nil, 0, 0, invalid("%s without a DTSTART", o.Name)
	}
	from, ok1 := parseOffset(o.Value("TZOFFSETFROM"))
	to, ok2 := parseOffset(o.Value("TZOFFSETTO"))
	if !ok1 || !ok2 {
		return nil, 0, 0, invalid("%s without its offsets", o.Name)
	}
	onsets = append(onsets, max(start.wall, zoneFrom))
	for l := range o.All("RDATE") {
		for v := range listed(l) {
			v, _, _ = strings.Cut(v, "/")
			t, ok := parseTime(v, nil)
			if !ok {
				return nil, 0, 0, invalid("%s with a bad RDATE", o.Name)
			}
			onsets = append(onsets, max(t.wall, zoneFrom))
		}
	}
	for l := range o.All("RRULE") {
		r, err := parseRule(l.Value)
		if err != nil {
			return nil, 0, 0, err
		}
		if r.freq > monthly {
			return nil, 0, 0, invalid("%s more often than every month", o.Name)
		}
		if r.untilUTC {
			r.until += wall(from)
		}
		r.complete(start.wall, start.form == dateForm)
		r.until = min(r.until, zoneTo)
		r.settle(start.wall)
		for c := r.walk(start.wall, zoneFrom, zoneTo); len(onsets) <= maxChanges; {
			w, ok := c.next()
			if !ok {
				break
			}
			onsets = append(onsets, w)
		}
	}
	return onsets, from, to, nil
}

// parseOffset reads a UTC-OFFSET (RFC 5545 §3.3.14) in seconds.
func parseOffset(s string) (int, bool) {
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	n, ok := digits((s[1:] + "00")[:6])
	n = n/10000*hour + n/100%100*minute + n%100
	if s[0] == '-' {
		n = -n
	}
	return n, ok && -maxOffset <= n && n <= maxOffset
}

// tzif writes a zone as a compiled time zone file has it (RFC 8536), which is how Go
// takes zones that it does not know.
func tzif(changes []change, before int) []byte {
	types := []change{{to: before}} // the first is that of the time before all changes
	index := make([]byte, 0, len(changes))
	var times []byte
	for _, c := range changes {
		i := 1 + slices.IndexFunc(types[1:], func(t change) bool { return t.to == c.to && t.dst == c.dst })
		if i == 0 {
			i = len(types)
			types = append(types, change{to: c.to, dst: c.dst})
		}
		if i > 255 {
			return nil // which Go refuses
		}
		index = append(index, byte(i))
		times = binary.BigEndian.AppendUint64(times, uint64(c.at))
	}
	data := append(tzifHeader(0, 0, 0), tzifHeader(len(index), len(types), 1)...)
	data = append(append(data, times...), index...)
	for _, t := range types {
		data = binary.BigEndian.AppendUint32(data, uint32(int32(t.to)))
		data = append(data, map[bool]byte{true: 1}[t.dst], 0)
	}
	return append(data, "\x00\n\n"...) // one name, empty; no rule for what comes after
}

// tzifHeader is the header of one of the two parts of a compiled zone.
func tzifHeader(times, types, chars int) []byte {
	h := append([]byte("TZif2"), make([]byte, 15+12)...)
	for _, n := range []int{times, types, chars} {
		h = binary.BigEndian.AppendUint32(h, uint32(n))
	}
	return h
}
