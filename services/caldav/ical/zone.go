package ical

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones, where the machine has none of its own
)

// resolve returns the moment at which clocks in loc show w (RFC 5545 §3.3.5): the
// first one where they show it twice; where they skip it, the moment by the offset
// before the change.
func resolve(w wall, loc *time.Location) int64 {
	if loc == time.UTC {
		return int64(w)
	}
	_, off := time.Unix(int64(w), 0).In(loc).Zone()
	u := time.Unix(int64(w)-int64(off), 0).In(loc)
	begin, end := u.ZoneBounds()
	if _, o := u.Zone(); o == off && (begin.IsZero() || u.Unix()-begin.Unix() > slack) && (end.IsZero() || end.Unix()-u.Unix() > slack) {
		return u.Unix()
	}
	return resolveNear(w, loc, u.Unix())
}

// resolveNear is resolve close to a change, at about the moment near. It goes through
// the pieces of time about it in which one offset holds.
func resolveNear(w wall, loc *time.Location, near int64) int64 {
	skipped := near
	for begin := near - 2*slack; begin < near+2*slack; {
		_, off := time.Unix(begin, 0).In(loc).Zone()
		end := pieceEnd(begin, loc)
		m := int64(w) - int64(off)
		if begin <= m && m < end {
			return m
		}
		if _, after := time.Unix(end, 0).In(loc).Zone(); m >= end && int64(w)-int64(after) < end {
			skipped = m
		}
		begin = end
	}
	return skipped
}

// pieceEnd returns a moment after t until which the offset at t holds.
func pieceEnd(t int64, loc *time.Location) int64 {
	_, end := time.Unix(t, 0).In(loc).ZoneBounds()
	switch {
	case end.IsZero():
		return int64(lastWall) + 366*day
	case end.Unix() <= t: // as Go has it on the last day of leap years after 2037
		return t + hour
	}
	return end.Unix()
}

// wallAt returns what clocks in loc show at a moment.
func wallAt(unix int64, loc *time.Location) wall {
	if loc == time.UTC {
		return wall(unix)
	}
	_, off := time.Unix(unix, 0).In(loc).Zone()
	return wall(unix + int64(off))
}

// zones keeps the locations that have been asked for: time.LoadLocation reads
// them anew each time. It holds no more than there are names.
var zones sync.Map // string → *time.Location

// Zone returns the time zone called tzid: a name of Go's tzdata, such a name after
// the path of a vendor ("/freeassociation.sourceforge.net/Europe/Vienna"), or a
// name that Windows uses ("W. Europe Standard Time").
func Zone(tzid string) (*time.Location, bool) {
	tzid = strings.Trim(tzid, `" `)
	if name, ok := windows()[tzid]; ok {
		tzid = name
	}
	if loc, ok := olson(tzid); ok {
		return loc, true
	}
	for rest, ok := strings.CutPrefix(tzid, "/"); ok && rest != ""; {
		if loc, found := olson(rest); found {
			return loc, true
		}
		_, rest, ok = strings.Cut(rest, "/")
	}
	return nil, false
}

// olson returns the zone of tzdata with just that name.
func olson(name string) (*time.Location, bool) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), true
	}
	if name == "" || name == "Local" || len(name) > 40 || strings.ContainsFunc(name, notInName) || strings.Contains(name, "//") {
		return nil, false
	}
	if allLoaded.Load() {
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	if name == "UTC" || name == "Etc/UTC" || name == "GMT" || name == "Etc/GMT" {
		loc = time.UTC
	}
	kept, _ := zones.LoadOrStore(strings.Clone(name), loc)
	return kept.(*time.Location), true
}

// notInName reports whether r is in no name of tzdata.
func notInName(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("+-_/", r))
}
