package shelf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/object"
)

// A Change is a resource that is new or has changed, or (Removed) is gone.
type Change struct {
	Name     string
	Resource Resource
	Removed  bool
}

// A Sync is an answer to sync-collection (RFC 6578 §3).
type Sync struct {
	Changes []Change // in the order of their names
	Token   string   // for the next time
	More    bool     // there is more to be had with Token at once
}

// Sync returns what has changed since a token was given, "" being that of
// nothing, and at most limit changes if that is not 0. Names that were cut off
// come when it is called with the new token; a resource may come twice if it
// changes meanwhile. A token that will not do is ErrToken. It is for Collections of
// a Snapshot.
func (c *Collection) Sync(ctx context.Context, tok string, limit int) (*Sync, error) {
	now := c.commit()
	t := token{at: now, cut: true}
	if tok != "" {
		var err error
		if t, err = c.decodeToken(tok); err != nil {
			return nil, err
		}
	}
	from, to := t.at, now
	if t.cut {
		from, to = t.base, t.at
	}
	changes, err := c.between(ctx, from, to)
	if err != nil {
		return nil, err
	}
	if t.cut {
		changes = slices.DeleteFunc(changes, func(ch Change) bool { return ch.Name <= t.resume })
	}
	s := &Sync{Changes: changes}
	switch {
	case limit > 0 && len(changes) > limit:
		s.Changes, s.More = changes[:limit], true
		s.Token = c.encodeToken(token{at: to, base: from, cut: true, resume: changes[limit-1].Name})
	case to != now:
		// What has changed while the client fetched the parts of the last answer.
		s.More = len(changes) > 0
		s.Token = c.encodeToken(token{at: to})
		if !s.More {
			return c.Sync(ctx, s.Token, limit)
		}
	default:
		s.Token = c.encodeToken(token{at: now})
	}
	return s, nil
}

// Since returns what has changed since a commit (Zero: everything is new), in the
// order of the names. A commit that cannot be had is fs.ErrNotExist.
func (c *Collection) Since(ctx context.Context, commit store.Hash) ([]Change, error) {
	changes, err := c.between(ctx, commit, c.snap.Commit())
	if errors.Is(err, ErrToken) {
		err = fs.ErrNotExist
	}
	return changes, err
}

// between returns what has changed between two commits, as it is now: where a
// resource has changed again after the second, it comes as it has become.
func (c *Collection) between(ctx context.Context, from, to store.Hash) ([]Change, error) {
	old, err := c.at(ctx, from)
	if err != nil {
		return nil, err
	}
	then := c
	if to != c.snap.Commit() && to != c.commit() {
		if then, err = c.at(ctx, to); err != nil {
			return nil, err
		}
	}
	if from == to || old.hash == then.hash {
		return nil, nil
	}
	names, err := differing(ctx, old, then)
	if err != nil {
		return nil, err
	}
	return c.changes(names)
}

// at returns the collection as it was at a commit; Zero: before there was one. A
// commit that is not at hand is fetched by the repository where that is possible.
func (c *Collection) at(ctx context.Context, commit store.Hash) (*Collection, error) {
	empty := &Collection{Kind: c.Kind, Name: c.Name, snap: c.snap, dir: c.dir, props: &Props{}}
	if commit == object.Zero {
		return empty, nil
	}
	t, err := c.snap.shelf.repo.Tree(ctx, commit)
	if errors.Is(err, fs.ErrNotExist) {
		c.unsay(commit)
		return nil, fmt.Errorf("%s of %q at %v: %w", c.Path(), c.snap.user, commit, ErrToken)
	}
	if err != nil {
		return nil, err
	}
	old, err := c.snap.shelf.View(c.snap.user, t).Collection(c.Kind, c.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil // it was a default collection, or has been made anew since
	}
	return old, err
}

// changes says what has become of names.
func (c *Collection) changes(names []string) ([]Change, error) {
	list := make([]Change, 0, len(names))
	for _, name := range names {
		r, err := c.Resource(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		list = append(list, Change{Name: name, Resource: r, Removed: err != nil})
	}
	slices.SortFunc(list, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}
