package past

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/services/caldav/shelf"
)

// ErrChanged says that what a commit did cannot be taken back, because somebody has
// changed the same since.
var ErrChanged = errors.New("it was changed again since")

// Undo takes back what made after of before, two snapshots one commit apart, and
// keeps what was done since. Where the same was changed since it is ErrChanged, and
// nothing is undone.
func Undo(ctx context.Context, s *shelf.Shelf, e *shelf.Edit, before, after *shelf.Snapshot) error {
	pairs, err := compare(ctx, before, after, shelf.Path{})
	if err != nil {
		return err
	}
	for _, p := range pairs {
		if err := p.same(e); err != nil {
			return err
		}
	}
	for _, p := range pairs {
		if err := p.undo(s, e); err != nil {
			return err
		}
	}
	return nil
}

// path is that of the collection.
func (p *pair) path() shelf.Path {
	if p.after != nil {
		return p.after.Path()
	}
	return p.before.Path()
}

// same reports whether what the commit made is there as it made it.
func (p *pair) same(e *shelf.Edit) error {
	at := p.path()
	now, err := e.Collection(at.Kind, at.Collection)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return err
	}
	switch {
	case p.after == nil && absent:
		return nil
	case p.after == nil, absent && !p.idle():
		return fmt.Errorf("%s: %w", at, ErrChanged)
	case p.idle():
		return nil
	case p.before == nil && now.CTag() != p.after.CTag(), p.set() && !now.Props().Equal(p.after.Props()):
		return fmt.Errorf("%s: %w", at, ErrChanged)
	}
	for _, list := range [][]shelf.Resource{p.added, p.changed} {
		for _, r := range list {
			if is, err := now.Resource(r.Name); err != nil || is.ETag != r.ETag {
				return fmt.Errorf("%s: %w", r.Name, ErrChanged)
			}
		}
	}
	for _, r := range p.removed {
		if _, err := now.Resource(r.Name); err == nil {
			return fmt.Errorf("%s: %w", r.Name, ErrChanged)
		}
	}
	return nil
}

// idle says that the commit did nothing here.
func (p *pair) idle() bool {
	return p.before != nil && p.after != nil && p.before.CTag() == p.after.CTag()
}

// set says that the commit changed the properties of a collection that was there.
func (p *pair) set() bool {
	return p.before != nil && p.after != nil && !p.before.Props().Equal(p.after.Props())
}

// undo makes everything that the commit changed here as it was before.
func (p *pair) undo(s *shelf.Shelf, e *shelf.Edit) error {
	at := p.path()
	switch {
	case p.idle():
		return nil
	case p.before == nil:
		return e.Remove(at)
	case p.after == nil:
		if err := e.Make(at, p.before.Props()); err != nil {
			return err
		}
		return refill(s, e, p.before, at)
	}
	if p.set() {
		if err := e.SetProps(at, p.before.Props()); err != nil {
			return err
		}
	}
	for _, list := range [][]shelf.Resource{p.added, p.changed} {
		for _, r := range list {
			if err := e.Remove(shelf.Path{Kind: at.Kind, Collection: at.Collection, Name: r.Name}); err != nil {
				return err
			}
		}
	}
	for _, list := range [][]shelf.Resource{p.removed, p.changed} {
		for _, r := range list {
			was, err := p.before.Resource(r.Name)
			if err != nil {
				return err
			}
			if err := put(s, e, p.before, was, at); err != nil {
				return err
			}
		}
	}
	return nil
}
