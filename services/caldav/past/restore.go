package past

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/services/caldav/shelf"
)

// Restore makes what is at a path as it was then: a resource, a collection, all
// of a kind, or (the zero Path) everything. What was not there then is removed. Who
// may read a collection that still exists stays as it is now: nobody gets in again
// to whom it was closed since. Errors are those of Edit.Put; fs.ErrNotExist
// when there is nothing at the path, neither now nor then.
func Restore(s *shelf.Shelf, e *shelf.Edit, then *shelf.Snapshot, p shelf.Path) error {
	if p.Name != "" {
		return restoreResource(s, e, then, p)
	}
	if p.Collection != "" || p.Kind == shelf.Inbox {
		return restoreCollection(s, e, then, p)
	}
	for _, kind := range shelf.Kinds {
		if p.Kind != "" && p.Kind != kind || kind == shelf.Inbox {
			continue
		}
		names, err := names(kind, then, e.Snapshot)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := restoreCollection(s, e, then, shelf.Path{Kind: kind, Collection: name}); err != nil {
				return err
			}
		}
	}
	return nil
}

// restored are the properties of a collection that is there, brought back as it was.
func restored(old, now side) *shelf.Props {
	p, is := old.Props().Clone(), now.Props()
	p.Shares, p.Public, p.Nonce, p.Source = is.Shares, is.Public, is.Nonce, is.Source
	return p
}

// Foretell returns what Restore is going to do.
func Foretell(ctx context.Context, now, then *shelf.Snapshot, p shelf.Path) ([]Deed, error) {
	deeds, err := Deeds(ctx, now, then, p)
	if err != nil {
		return nil, err
	}
	var list []Deed
	for _, d := range deeds {
		if d.Kind == shelf.Inbox && p.Kind == "" {
			continue
		}
		switch {
		case d.Verb == Dropped && p.Name != "": // the resource goes, and nothing else
			is, err := now.Collection(d.Kind, d.Name)
			if err != nil {
				return nil, err
			}
			r, err := is.Resource(p.Name)
			if err != nil {
				return nil, err
			}
			d = deed(Deleted, is, []shelf.Resource{r})
		case d.Verb == Set:
			is, err := now.Collection(d.Kind, d.Name)
			if err != nil {
				return nil, err
			}
			old, err := then.Collection(d.Kind, d.Name)
			if err != nil {
				return nil, err
			}
			if restored(old, is).Equal(is.Props()) {
				continue
			}
			d.What = looks(is, old)
		}
		list = append(list, d)
	}
	return list, nil
}

func restoreCollection(s *shelf.Shelf, e *shelf.Edit, then *shelf.Snapshot, p shelf.Path) error {
	old, err := find(then, p.Kind, p.Collection)
	if err != nil {
		return err
	}
	now, err := e.Collection(p.Kind, p.Collection)
	absent := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !absent:
		return err
	case old == nil && absent:
		return fmt.Errorf("%s: %w", p, fs.ErrNotExist)
	case old == nil:
		return e.Remove(p)
	case !absent && now.CTag() == old.CTag():
		return nil
	case absent:
		if err := e.Make(p, old.Props()); err != nil {
			return err
		}
	case p.Kind != shelf.Inbox:
		if err := e.SetProps(p, restored(old, now)); err != nil {
			return err
		}
	}
	return refill(s, e, old, p)
}

// refill gives a collection the resources that it had. Those that differ are
// removed first: a UID may have gone from one to another.
func refill(s *shelf.Shelf, e *shelf.Edit, old side, p shelf.Path) error {
	now, err := e.Collection(p.Kind, p.Collection)
	if err != nil {
		return err
	}
	have, err := all(now)
	if err != nil {
		return err
	}
	for _, r := range have {
		was, err := old.Resource(r.Name)
		if err == nil && was.ETag == r.ETag {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := e.Remove(shelf.Path{Kind: p.Kind, Collection: p.Collection, Name: r.Name}); err != nil {
			return err
		}
	}
	want, err := all(old)
	if err != nil {
		return err
	}
	for _, r := range want {
		now, err := e.Collection(p.Kind, p.Collection)
		if err != nil {
			return err
		}
		if _, err := now.Resource(r.Name); err == nil {
			continue
		}
		if err := put(s, e, old, r, p); err != nil {
			return err
		}
	}
	return nil
}

func restoreResource(s *shelf.Shelf, e *shelf.Edit, then *shelf.Snapshot, p shelf.Path) error {
	old, err := find(then, p.Kind, p.Collection)
	if err != nil {
		return err
	}
	r, err := shelf.Resource{}, fs.ErrNotExist
	if old != nil {
		r, err = old.Resource(p.Name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return e.Remove(p)
	}
	if err != nil {
		return err
	}
	if _, err := e.Collection(p.Kind, p.Collection); errors.Is(err, fs.ErrNotExist) {
		props := old.Props().Clone()
		props.Shares, props.Public, props.Nonce, props.Source = nil, false, "", nil
		if err := e.Make(shelf.Path{Kind: p.Kind, Collection: p.Collection}, props); err != nil {
			return err
		}
	}
	return put(s, e, old, r, p)
}

// put puts a resource of an old collection to where it was.
func put(s *shelf.Shelf, e *shelf.Edit, old side, r shelf.Resource, p shelf.Path) error {
	p.Name = r.Name
	data, err := old.Read(r)
	if err != nil {
		return err
	}
	o, err := s.Parse(p.Kind, data)
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	if _, err := e.Put(p, o); err != nil {
		return err
	}
	dead, err := old.ResourceProps(r)
	if err != nil || len(dead) == 0 {
		return err
	}
	return e.SetResourceProps(p, dead)
}
