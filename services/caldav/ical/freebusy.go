package ical

import (
	"iter"
	"slices"
	"time"

	"cairn/services/caldav/line"
)

// A period is some time and what it is taken up by.
type period struct {
	begin, end int64
	kind       busy
}

// maxBusy is how many occurrences of one series are looked at one by one. One that
// takes place more often is taken to last until the end of the range.
// Once all series together have had maxBusyInAll, each has only minBusy.
const (
	maxBusy      = 1 << 14
	maxBusyInAll = 1 << 20
	minBusy      = 1 << 8
)

// FreeBusy returns the VFREEBUSY of those calendars in r, which must be bounded
// (RFC 4791 §7.10): DTSTAMP, DTSTART, DTEND and FREEBUSY lines in UTC, in order and
// merged, each kind by itself. floating is the zone of times that have none, nil for
// UTC.
func FreeBusy(all iter.Seq[*Index], r TimeRange, floating *time.Location, now time.Time) *line.Component {
	from, to := r.bounds()
	from, to = max(from, int64(firstWall)), min(to, int64(lastWall)) // what can be written
	var found []period
	room, left := maxBusy, maxBusyInAll
	for x := range all {
		for i := range x.series {
			var n int
			found, n = x.series[i].busy(found, from, to, floating, min(maxBusy, max(left, minBusy)))
			left -= n
		}
		if len(found) > room {
			found = merged(found)
			room = 2*len(found) + maxBusy
		}
	}
	fb := &line.Component{Name: "VFREEBUSY", Lines: []line.Line{
		{Name: "DTSTAMP", Value: utcTime(now.Unix()).String()},
		{Name: "DTSTART", Value: utcTime(from).String()},
		{Name: "DTEND", Value: utcTime(to).String()},
	}}
	for _, p := range merged(found) {
		fb.Add(line.Line{
			Name:   "FREEBUSY",
			Params: []line.Param{{Name: "FBTYPE", Values: []string{p.kind.String()}}},
			Value:  utcTime(p.begin).String() + "/" + utcTime(p.end).String(),
		})
	}
	return fb
}

func (b busy) String() string {
	return [...]string{"FREE", "BUSY-TENTATIVE", "BUSY", "BUSY-UNAVAILABLE"}[b]
}

// busy appends the time within the range that is taken up.
// Of many occurrences it looks at limit; n is how many it has looked at.
func (s *series) busy(found []period, from, to int64, floating *time.Location, limit int) (_ []period, n int) {
	take := func(o occurrence) bool {
		if n++; n > limit {
			o.end = to
		}
		begin, end := max(o.begin, from), min(o.end, to)
		if o.p.busy != free && begin < end {
			found = append(found, period{begin, end, o.p.busy})
		}
		return n <= limit
	}
	for i := range s.parts {
		if p := &s.parts[i]; p.shape == hidden {
			c := newClock(p.start.zone(floating))
			take(p.at(p.start, p.span, &c))
		}
	}
	s.each(scope{from: from, to: to, floating: floating, comp: anyComp}, take)
	return found, n
}

// merged joins periods of a kind that overlap or touch.
func merged(all []period) []period {
	slices.SortFunc(all, func(a, b period) int {
		if a.kind != b.kind {
			return int(a.kind) - int(b.kind)
		}
		return compare(a.begin, b.begin)
	})
	out := all[:0]
	for _, p := range all {
		if n := len(out); n > 0 && out[n-1].kind == p.kind && p.begin <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, p.end)
			continue
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b period) int { return compare(a.begin, b.begin) })
	return out
}
