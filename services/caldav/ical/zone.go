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

// resolveNear is resolve close to a change, about the moment near.
func resolveNear(w wall, loc *time.Location, near int64) int64 {
	gap, inGap := int64(0), false
	for t := near - slack; ; {
		u := time.Unix(t, 0).In(loc)
		_, off := u.Zone()
		begin, end := u.ZoneBounds()
		m := int64(w) - int64(off)
		if (begin.IsZero() || m >= begin.Unix()) && (end.IsZero() || m < end.Unix()) {
			return m
		}
		if end.IsZero() || end.Unix() > near+2*slack {
			break
		}
		if _, after := end.Zone(); !inGap && m >= end.Unix() && int64(w)-int64(after) < end.Unix() {
			gap, inGap = m, true
		}
		t = end.Unix()
	}
	if inGap {
		return gap
	}
	return near
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
	if name == "" || name == "Local" || len(name) > 40 || strings.ContainsFunc(name, notInName) {
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
