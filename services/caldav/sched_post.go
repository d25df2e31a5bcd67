package caldav

import (
	"context"
	"iter"
	"net/http"
	"time"

	"cairn/services/caldav/dav"
	"cairn/services/caldav/ical"
	"cairn/services/caldav/sched"
	"cairn/services/caldav/shelf"
)

// askBusy answers a POST to the outbox: when are these people busy (RFC 6638 §5).
func (x *exchange) askBusy() error {
	data, err := x.body(x.Shelf.MaxResource(), dav.Cal("max-resource-size"))
	if err != nil {
		return err
	}
	c, err := ical.Parse(data)
	if err != nil {
		return x.objectError(nil, err)
	}
	q, err := sched.ReadBusy(c, ownBy(x.user))
	if err != nil {
		return refused(err)
	}
	answers := make([]busyAnswer, len(q.To))
	for i, address := range q.To {
		if answers[i], err = x.busyOf(q, address); err != nil {
			return err
		}
	}
	return dav.Write(x.w, http.StatusOK, dav.Cal("schedule-response"), func(b *dav.Builder) {
		for _, a := range answers {
			a.write(b)
		}
	})
}

// A busyAnswer is what is known of one person.
type busyAnswer struct{ address, status, calendar string }

func (a *busyAnswer) write(b *dav.Builder) {
	b.Start(dav.Cal("response"))
	b.Start(dav.Cal("recipient"))
	b.Href(a.address)
	b.End(dav.Cal("recipient"))
	b.Element(dav.Cal("request-status"), a.status)
	if a.calendar != "" {
		b.Element(dav.CalendarData, a.calendar)
	}
	b.End(dav.Cal("response"))
}

func (x *exchange) busyOf(q *sched.BusyRequest, address string) (busyAnswer, error) {
	u, err := x.local(address)
	if err != nil {
		return busyAnswer{}, err
	}
	if u == nil {
		return busyAnswer{address: address, status: "3.7;Nobody here has this address"}, nil
	}
	in, err := x.snapshots()(u.Name)
	if err != nil {
		return busyAnswer{}, err
	}
	own := ownBusy{ctx: x.ctx(), in: in}
	fb := ical.FreeBusy(own.indexes(), q.Range, time.UTC, x.now())
	if own.err != nil {
		return busyAnswer{}, own.err
	}
	return busyAnswer{address, "2.0;Success", string(q.Reply(address, fb).Encode())}, nil
}

// ownBusy are the objects that make somebody busy: those of their own calendars that
// count.
type ownBusy struct {
	ctx context.Context // of the request that asks
	in  shelves
	err error // why they are not all there
}

func (b *ownBusy) indexes() iter.Seq[*ical.Index] {
	return func(yield func(*ical.Index) bool) {
		list, err := b.in.Collections(shelf.Calendars)
		b.err = err
		for _, c := range list {
			if c.Conflicts() || c.Props().Transparent {
				continue
			}
			if !b.of(c, yield) {
				return
			}
		}
	}
}

func (b *ownBusy) of(c *shelf.Collection, yield func(*ical.Index) bool) bool {
	for r, err := range c.Resources() {
		var index *ical.Index
		if err == nil {
			err = b.ctx.Err()
		}
		if err == nil {
			index, err = c.Event(r)
		}
		if unlessInvalid(err) != nil {
			b.err = err
			return false
		}
		if index != nil && !yield(index) {
			return false
		}
	}
	return true
}
