package feed

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/services/caldav/shelf"
)

// A Follower keeps calendars that follow an outside one (Props.Source) as that is.
// Its fields are set before it is used. Several replicas may each have one: what one
// has brought in already the other finds unchanged.
type Follower struct {
	Shelf *shelf.Shelf

	// Client fetches. It is handed addresses that users gave, so it must reach
	// nothing but the public internet, whatever names and redirects say.
	Client *http.Client

	Now func() time.Time
	Log *slog.Logger // default: discard

	taking sync.Mutex // one is taken apart at a time: that needs memory

	mu    sync.Mutex
	known map[key]*state
}

type key struct{ user, name string }

// A state is what a Follower remembers of one calendar.
type state struct {
	url      string
	next     time.Time // when to look again
	failures int       // in a row
	seen     validators
}

// validators tell whether what is fetched has changed (RFC 9110 §8.8).
type validators struct{ etag, modified string }

// How often is looked: as the other side wishes between soonest and latest, every
// usual if it says nothing, and ever less often while it fails.
const (
	soonest = 15 * time.Minute
	usual   = time.Hour
	latest  = 24 * time.Hour

	look   = time.Minute // between two rounds
	atOnce = 4           // fetches
)

// Run follows all calendars until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := f.round(ctx); err != nil && ctx.Err() == nil {
			f.log().Error("follow calendars", "err", err)
		}
		t.Reset(look)
	}
}

// round refreshes every calendar that is due.
func (f *Follower) round(ctx context.Context) error {
	list, err := f.Shelf.Follows(ctx)
	if err != nil {
		return err
	}
	f.forget(list)
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, c := range list {
		if !f.due(c) {
			continue
		}
		g.Go(func() error {
			if err := f.Refresh(ctx, c.Owner, c.Name); err != nil && ctx.Err() == nil {
				f.log().Info("follow a calendar", "user", c.Owner, "calendar", c.Name, "err", err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (f *Follower) log() *slog.Logger {
	if f.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return f.Log
}

// forget drops what is known of calendars that do not follow any more.
func (f *Follower) forget(list []shelf.Followed) {
	now := map[key]bool{}
	for _, c := range list {
		now[key{c.Owner, c.Name}] = true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for k := range f.known {
		if !now[k] {
			delete(f.known, k)
		}
	}
}

func (f *Follower) due(c shelf.Followed) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.known[key{c.Owner, c.Name}]
	return s == nil || s.url != c.Source.URL || !s.next.After(f.Now())
}

// state returns a copy of what is known of a calendar.
func (f *Follower) state(k key, src *shelf.Source) state {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.known[k]; s != nil && s.url == src.URL {
		return *s
	}
	return state{url: src.URL, seen: validators{src.ETag, src.Modified}}
}

func (f *Follower) remember(k key, s state) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil {
		f.known = map[key]*state{}
	}
	f.known[k] = &s
}
