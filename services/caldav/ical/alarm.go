package ical

import (
	"strconv"
	"strings"
	"time"

	"cairn/services/caldav/line"
)

// An alarm says when a VALARM goes off (RFC 5545 §3.6.6).
type alarm struct {
	at       Time // absolute, if not relative
	relative bool
	toEnd    bool // relative to the end of the instance
	offset   span
	repeat   int64 // how many times again
	every    int64 // seconds
}

const maxRepeat = 1 << 20

// alarm reads a VALARM.
func (k *compiled) alarm(c *line.Component) (a alarm, err *Error) {
	l := c.First("TRIGGER")
	if l == nil {
		return a, invalid("VALARM without TRIGGER")
	}
	value := strings.TrimSpace(l.Value)
	if a.offset, a.relative = parseDuration(value); a.relative {
		related, _ := l.Param("RELATED")
		a.toEnd = strings.EqualFold(related, "END")
	} else if a.at, err = k.time(l, value); err != nil {
		return a, err
	}
	d, hasLength := parseDuration(strings.TrimSpace(c.Value("DURATION")))
	n, bad := strconv.ParseInt(strings.TrimSpace(c.Value("REPEAT")), 10, 64)
	if every := d.days*day + d.secs; hasLength && bad == nil && every > 0 && n > 0 {
		a.every, a.repeat = every, min(n, maxRepeat)
	}
	return a, nil
}

// within reports whether the alarm goes off between from and to if it first does at
// first (RFC 4791 §9.9).
func (a *alarm) within(first, from, to int64) bool {
	if first >= to {
		return false
	}
	if first >= from {
		return true
	}
	if a.every == 0 {
		return false
	}
	n := (from - first + a.every - 1) / a.every
	return n <= a.repeat && first+n*a.every < to
}

// rings reports whether an alarm of component comp goes off between from and to.
func (k *compiled) rings(a alarm, comp int, from, to int64, floating *time.Location) bool {
	if !a.relative {
		return a.within(a.at.unix(floating), from, to)
	}
	if k.owner[comp] < 0 {
		return false
	}
	reach := a.offset.longest() + a.every*a.repeat + day
	found, looks := false, 0
	q := k.only(comp, scope{from: max(from, -far/2) - reach, to: min(to, far/2) + reach, floating: floating})
	k.series[k.owner[comp]].each(q, func(o occurrence) bool {
		if o.p.shape < madeAndDone && o.p.shape != always {
			found = a.within(a.first(o, floating), from, to)
		}
		looks++
		return !found && looks < maxLooks
	})
	return found
}

// first returns when the alarm first goes off for an occurrence.
func (a *alarm) first(o occurrence, floating *time.Location) int64 {
	base := o.start
	if a.toEnd {
		base = base.with(wallAt(o.end, base.zone(floating)))
		if a.offset.days == 0 {
			return o.end + a.offset.secs
		}
	}
	return base.with(base.wall+wall(a.offset.days*day)).unix(floating) + a.offset.secs
}
