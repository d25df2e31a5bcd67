package feed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"cairn/services/caldav/shelf"
	"cairn/store"
)

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
