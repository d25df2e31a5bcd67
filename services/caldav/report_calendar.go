package caldav

import (
	"errors"
	"net/http"
	"time"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/shelf"
	"cairn/services/caldav/vcard"
)

// calendarQuery answers calendar-query (RFC 4791 §7.8).
func (x *exchange) calendarQuery(n *node, q *dav.CalendarQuery) error {
	depth, err := x.queryDepth()
	if err != nil {
		return err
	}
	m, _ := x.multistatus()
	s, z := selected(&q.Want), zones{asked: q.Floating}
	err = x.eachBelow(n, depth, func(c *node) error {
		e, ok, err := c.meets(q.Filter, z.of(c.col))
		if err != nil || !ok {
			return err
		}
		x.respondEvent(m, e, s, q.Data, z.of(c.col))
		return m.Err()
	})
	return x.closing(m, err)
}

// calendarMultiget answers calendar-multiget (RFC 4791 §7.9).
func (x *exchange) calendarMultiget(n *node, q *dav.CalendarMultiget) error {
	m, _ := x.multistatus()
	s, z := selected(&q.Want), zones{}
	err := x.eachHref(n, q.Hrefs, m, func(c *node) error {
		x.respondEvent(m, eventNode{node: c}, s, q.Data, z.of(c.col))
		return nil
	})
	return x.closing(m, err)
}

// An eventNode is a calendar object, and what has been read of it so far.
type eventNode struct {
	*node
	data []byte
	cal  *ical.Calendar
}

// meets reports whether a calendar object meets a filter. It is read only if its index does not tell.
// What is no calendar meets none.
func (n *node) meets(f *ical.Filter, floating *time.Location) (e eventNode, ok bool, err error) {
	e.node = n
	index, err := n.col.Event(n.res)
	if err != nil {
		return e, false, unlessInvalid(err)
	}
	switch f.MatchIndex(index, floating) {
	case ical.No:
		return e, false, nil
	case ical.Yes:
		return e, true, nil
	}
	if err := e.read(); err != nil {
		return e, false, unlessInvalid(err)
	}
	return e, f.Match(e.cal, floating), nil
}

// read parses the object.
func (e *eventNode) read() (err error) {
	if e.data == nil {
		if e.data, err = e.col.Read(e.res); err != nil {
			return err
		}
	}
	if e.cal == nil {
		e.cal, err = ical.Parse(e.data)
	}
	return err
}

// unlessInvalid passes over an error that says that something is no calendar or no card.
func unlessInvalid(err error) error {
	var (
		noCalendar *ical.Error
		noCard     *vcard.Error
	)
	if errors.As(err, &noCalendar) || errors.As(err, &noCard) {
		return nil
	}
	return err
}

// show returns what is wanted of the object's data (RFC 4791 §9.6).
func (e *eventNode) show(d *ical.Data, floating *time.Location) ([]byte, error) {
	if d.Whole() {
		return e.col.Read(e.res)
	}
	if err := e.read(); err != nil {
		return nil, err
	}
	return d.Project(e.cal, floating)
}

// respondEvent adds one calendar object to an answer; d is nil when its data is not asked for.
func (x *exchange) respondEvent(m *dav.Multistatus, e eventNode, s *selection, d *ical.Data, floating *time.Location) {
	r := m.Response(e.href)
	if d != nil {
		data, err := x.show(&e, d, floating)
		if err != nil {
			x.unreadable(r, dav.CalendarData, e.node, err)
		} else {
			r.Data(dav.CalendarData, data)
		}
	}
	x.describe(e.node, s, r)
	r.Done()
}

// maxExpansions bounds what the instances of all objects in one answer take together, in bytes.
const maxExpansions = 128 << 20

// show is e.show within that bound.
func (x *exchange) show(e *eventNode, d *ical.Data, floating *time.Location) ([]byte, error) {
	if d.Expand != nil && x.expanded > maxExpansions {
		return nil, ical.ErrTooMany
	}
	data, err := e.show(d, floating)
	if d.Expand != nil {
		x.expanded += len(data)
	}
	return data, err
}

// unreadable says in an answer about many resources why the data of one is not shown.
func (x *exchange) unreadable(r *dav.Response, name dav.Name, n *node, err error) {
	var e *dav.Error
	switch {
	case errors.Is(err, ical.ErrTooMany):
		e = dav.Violated(http.StatusInsufficientStorage, dav.D("number-of-matches-within-limits"), "it takes place too often in that time")
	case unlessInvalid(err) == nil:
		e = dav.Errorf(http.StatusConflict, "it is damaged: %s", err)
	default:
		x.log().Error("object cannot be read", "user", n.owner, "path", n.path, "err", err)
		e = x.refusal(err)
	}
	r.Refuse(name, e.Status, e)
}

// zones finds out in which zone times without one are (RFC 4791 §7.3): that of the request, of the
// collection, or UTC.
type zones struct {
	asked *time.Location
	col   *shelf.Collection
	zone  *time.Location // of col
}

func (z *zones) of(c *shelf.Collection) *time.Location {
	if z.asked != nil {
		return z.asked
	}
	if z.zone == nil || z.col != c {
		z.col, z.zone = c, zoneOf(c.Props())
	}
	return z.zone
}

// zoneOf is a calendar's own zone.
func zoneOf(p *shelf.Props) *time.Location {
	if p.Timezone != "" {
		if loc, err := ical.ParseZone([]byte(p.Timezone)); err == nil {
			return loc
		}
	}
	if loc, ok := ical.Zone(p.TimezoneID); ok {
		return loc
	}
	return time.UTC
}
