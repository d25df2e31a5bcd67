package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/services/caldav/shelf"
	"cairn/store"
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

// Refresh fetches one calendar now and brings in what has changed. Why it could not
// is returned and, in words for its owner, kept in the calendar's Props.Source. A
// calendar that follows nothing is fs.ErrNotExist.
func (f *Follower) Refresh(ctx context.Context, user, name string) error {
	snap, err := f.Shelf.Snapshot(ctx, user)
	if err != nil {
		return err
	}
	c, err := snap.Collection(shelf.Calendars, name)
	if err != nil {
		return err
	}
	src := c.Props().Source
	if src == nil {
		return fmt.Errorf("%s of %q follows nothing: %w", name, user, fs.ErrNotExist)
	}
	k := key{user, name}
	s := f.state(k, src)
	got, err := f.fetch(ctx, src.URL, s.seen)
	if err == nil {
		err = f.bring(ctx, k, src.URL, &got)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.failures++
		s.next = f.Now().Add(min(soonest<<min(s.failures-1, 10), latest))
	} else {
		s.failures, s.seen = 0, got.validators
		s.next = f.Now().Add(got.every)
	}
	f.remember(k, s)
	return errors.Join(err, f.tell(ctx, k, src, err))
}

// tell keeps in the calendar's properties that it can not be fetched, or that it
// can again.
func (f *Follower) tell(ctx context.Context, k key, was *shelf.Source, err error) error {
	if errors.Is(err, store.ErrTemporary) {
		return nil // it is our own repository that is away
	}
	words := inWords(err)
	if was.Error == words {
		return nil
	}
	message := "The calendar " + k.name + " can be fetched again"
	if words != "" {
		message = "The calendar " + k.name + " cannot be fetched: " + words
	}
	return f.update(ctx, k, was.URL, message, func(e *shelf.Edit, c *shelf.Collection) error {
		p := c.Props().Clone()
		switch {
		case words == "":
			p.Source.Since = time.Time{}
		case p.Source.Error == "":
			p.Source.Since = f.Now().UTC().Truncate(time.Second)
		}
		p.Source.Error = words
		return e.SetProps(c.Path(), p)
	})
}

// update changes a calendar that still follows url.
func (f *Follower) update(ctx context.Context, k key, url, message string, change func(*shelf.Edit, *shelf.Collection) error) error {
	return f.Shelf.Update(ctx, store.Change{Message: message}, []string{k.user}, func(edits map[string]*shelf.Edit) error {
		e := edits[k.user]
		c, err := e.Collection(shelf.Calendars, k.name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if src := c.Props().Source; src == nil || src.URL != url {
			return nil // it was told otherwise meanwhile
		}
		return change(e, c)
	})
}
