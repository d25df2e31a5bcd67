package caldav

import (
	"iter"
	"net/http"
	"strconv"
	"time"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/line"
)

// freeBusyQuery answers free-busy-query (RFC 4791 §7.10): when is somebody busy by this calendar, or by all in a
// home. Of a home, calendars that do not make busy, those of others, and what could not be merged do not count. Depth
// 0 of a calendar would say that everybody is always free; it is taken as 1.
func (x *exchange) freeBusyQuery(n *node, q *dav.FreeBusyQuery) error {
	depth, err := dav.ParseDepth(x.r.Header, dav.DepthOne)
	if err != nil {
		return err
	}
	busy := busyNodes{x: x, n: n, depth: max(depth, dav.DepthOne)}
	fb := ical.FreeBusy(busy.indexes(), q.Range, busy.zone(), x.now())
	if busy.err != nil {
		return busy.err
	}
	cal := &line.Component{Name: "VCALENDAR", Children: []*line.Component{fb}}
	cal.Add(line.Line{Name: "VERSION", Value: "2.0"}, line.Line{Name: "PRODID", Value: productID})
	data := cal.Encode()
	h := x.w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8; component=VFREEBUSY")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	x.w.WriteHeader(http.StatusOK)
	_, err = x.w.Write(data)
	return err
}

// productID names who made a calendar (RFC 5545 §3.7.3).
const productID = "-//Cairn//Calendars//EN"

// busyNodes are the objects that say when somebody is busy.
type busyNodes struct {
	x     *exchange
	n     *node
	depth dav.Depth
	err   error // why they are not all there
}

// zone is where times without a zone are.
func (b *busyNodes) zone() *time.Location {
	if b.n.col == nil {
		return time.UTC
	}
	return zoneOf(b.n.col.Props())
}

// counts reports whether an object makes busy: of a home, that of a person's own calendar that does.
func (b *busyNodes) counts(c *node) bool {
	return b.n.col != nil || c.owner == b.x.user.Name && !c.col.Conflicts() && !c.col.Props().Transparent
}

func (b *busyNodes) indexes() iter.Seq[*ical.Index] {
	return func(yield func(*ical.Index) bool) {
		b.err = b.x.eachBelow(b.n, b.depth, func(c *node) error {
			if !b.counts(c) {
				return nil
			}
			index, err := c.col.Event(c.res)
			if err != nil {
				return unlessInvalid(err)
			}
			if !yield(index) {
				return errEnough
			}
			return nil
		})
	}
}
