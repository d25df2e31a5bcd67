// Package caldav measures a calendar beside those of Cyrus IMAP, Radicale and Xandikos:
// what the programs of a family ask of a server all day, in a calendar that is as
// large as the size says.
package caldav

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"cairn/bench/measure"
)

// Run measures at each of the room's sizes.
func Run(ctx context.Context, room *measure.Room) error {
	for _, size := range room.Sizes {
		if err := room.Stage(ctx, "calendar", size, func(ctx context.Context, dir string, size int) error {
			return calendar(ctx, room, dir, size)
		}); err != nil {
			return err
		}
	}
	return nil
}

// calendar measures all servers that are there.
func calendar(ctx context.Context, room *measure.Room, dir string, size int) error {
	list, err := start(ctx, dir, size, room.Log)
	defer func() {
		for _, s := range list {
			s.stop()
		}
	}()
	if err != nil {
		return err
	}
	for _, peer := range list[1:] {
		b := &bench{room: room, ours: list[0], peer: peer, size: size}
		if err := b.all(ctx); err != nil {
			return fmt.Errorf("beside %s: %w", peer.name, err)
		}
	}
	return nil
}

// A bench compares two servers.
type bench struct {
	room       *measure.Room
	ours, peer *server
	size       int
}

// Of what is asked of a slow server not more is asked than fits into this time.
const (
	putSeconds  = 2
	getSeconds  = 1
	listRepeats = 3
	fewRepeats  = 10
)

var made atomic.Int64 // events beyond those that a calendar began with

func (b *bench) all(ctx context.Context) error {
	for _, work := range []struct {
		what string
		unit measure.Unit
		do   func(ctx context.Context, s *server) (float64, error)
	}{
		{"PUT of a new event, 1 connection", measure.PerSecond, func(ctx context.Context, s *server) (float64, error) {
			return rate(ctx, 1, putSeconds, func(ctx context.Context, i int) error { return s.putNew(ctx) })
		}},
		{"PUT of new events, 8 connections", measure.PerSecond, func(ctx context.Context, s *server) (float64, error) {
			return rate(ctx, 8, putSeconds, func(ctx context.Context, i int) error { return s.putNew(ctx) })
		}},
		{"GET of an event, 8 connections", measure.PerSecond, func(ctx context.Context, s *server) (float64, error) {
			return rate(ctx, 8, getSeconds, func(ctx context.Context, i int) error {
				return s.expect(ctx, "GET", s.event(i*7919%b.size), "", http.StatusOK, "BEGIN:VEVENT")
			})
		}},
		{"PROPFIND of all ETags", measure.Seconds, func(ctx context.Context, s *server) (float64, error) {
			return each(ctx, listRepeats, func(ctx context.Context, i int) error {
				return s.expect(ctx, "PROPFIND", s.calendar, propfindETags, http.StatusMultiStatus, name(b.size-1))
			})
		}},
		{"multiget of 100 events", measure.Seconds, func(ctx context.Context, s *server) (float64, error) {
			return each(ctx, fewRepeats, func(ctx context.Context, i int) error {
				return s.expect(ctx, "REPORT", s.calendar, s.multiget(i, b.size), http.StatusMultiStatus, "BEGIN:VEVENT")
			})
		}},
		{"query for the events of a month", measure.Seconds, func(ctx context.Context, s *server) (float64, error) {
			return each(ctx, fewRepeats, func(ctx context.Context, i int) error {
				return s.expect(ctx, "REPORT", s.calendar, monthQuery(i), http.StatusMultiStatus, s.findsEvents())
			})
		}},
		{"sync after a change", measure.Seconds, syncs},
	} {
		ours, theirs, err := measure.InTurn(b.room.Rounds,
			func() (float64, error) { return work.do(ctx, b.ours) },
			func() (float64, error) { return work.do(ctx, b.peer) })
		if err != nil {
			return fmt.Errorf("%s: %w", work.what, err)
		}
		b.add(work.what, work.unit, ours, theirs)
	}
	mine, err := b.ours.resident()
	if err != nil {
		return err
	}
	theirs, err := b.peer.resident()
	if err != nil {
		return err
	}
	b.add("memory (resident)", measure.Bytes, []float64{mine}, []float64{theirs})
	return nil
}

// findsEvents is what the answer to a query must hold. Xandikos (0.2.8) finds nothing in some
// months; its time is taken as it is.
func (s *server) findsEvents() string {
	if s.name == "xandikos" {
		return "multistatus"
	}
	return "BEGIN:VEVENT"
}

// add takes a result. The goals are beside the fast one.
func (b *bench) add(what string, unit measure.Unit, ours, theirs []float64) {
	r := measure.Result{Work: what, Size: b.size, Unit: unit, Ours: ours, Peer: theirs, Tool: b.peer.name}
	switch {
	case unit == measure.Bytes:
		r.Goal = measure.Goal{Value: 100 << 20}
	case b.peer.name == "cyrus":
		r.Goal = measure.Goal{Ratio: 1}
	}
	b.room.Add(r)
}

// syncs makes a change and then asks what has changed; only the asking counts.
func syncs(ctx context.Context, s *server) (float64, error) {
	token, err := s.sync(ctx, "")
	if err != nil {
		return 0, err
	}
	return each(ctx, fewRepeats, func(ctx context.Context, i int) error {
		var err error
		token, err = s.sync(ctx, token)
		return err
	}, s.putNew)
}
