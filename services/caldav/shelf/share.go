package shelf

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cairn/store"
)

// A Shared is a collection that somebody shares.
type Shared struct {
	Owner  string
	Kind   Kind
	Name   string
	Access Access
}

// A Followed is a calendar that follows an outside one.
type Followed struct {
	Owner, Name string
	Source      Source
}

// An outline is what the branch of one person says, at one commit, to others and to
// those who look after all.
type outline struct {
	tip     store.Hash
	shares  map[string][]Shared // by user
	follows []Followed
}

// SharedWith returns the collections that others share with a user, in the order
// of their owners and names. It looks again only at those whose branch has moved.
func (s *Shelf) SharedWith(ctx context.Context, user string) (list []Shared, err error) {
	err = s.everybody(ctx, func(owner string, o outline) {
		if owner != user {
			list = append(list, o.shares[user]...)
		}
	})
	return list, err
}

// Follows returns all calendars that follow an outside one.
func (s *Shelf) Follows(ctx context.Context) (list []Followed, err error) {
	err = s.everybody(ctx, func(_ string, o outline) { list = append(list, o.follows...) })
	return list, err
}

// A Person is somebody who has a branch.
type Person struct {
	Name string
	Tip  store.Hash // the commit that the branch is at
}

// People returns everybody who has a branch and is known, in the order of their names. It
// reads no branch.
func (s *Shelf) People(ctx context.Context) (list []Person, err error) {
	for ref, err := range s.repo.Backend().Refs(ctx, heads+branches) {
		if err != nil {
			return nil, fmt.Errorf("list people: %w", err)
		}
		if name := strings.TrimPrefix(ref.Name, heads+branches); validUser(name) && s.Known(ctx, name) {
			list = append(list, Person{name, ref.Hash})
		}
	}
	return list, nil
}

// everybody calls f with each person's outline, in the order of their names.
func (s *Shelf) everybody(ctx context.Context, f func(owner string, o outline)) error {
	people, err := s.People(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, p := range people {
		seen[p.Name] = true
		o, err := s.outline(ctx, p.Name, p.Tip)
		switch {
		case errors.Is(err, store.ErrTemporary) || ctx.Err() != nil:
			return err
		case err != nil: // nobody else shall lose what they have by it
			s.o.Log.Error("a branch that cannot be read", "user", p.Name, "err", err)
			continue
		}
		f(p.Name, o)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.outlines, func(owner string, _ outline) bool { return !seen[owner] })
	return nil
}

func (s *Shelf) outline(ctx context.Context, owner string, tip store.Hash) (outline, error) {
	s.mu.Lock()
	o, ok := s.outlines[owner]
	s.mu.Unlock()
	if ok && o.tip == tip {
		return o, nil
	}
	t, err := s.repo.Tree(ctx, tip)
	if err != nil {
		return o, fmt.Errorf("collections of %q: %w", owner, err)
	}
	o = outline{tip: tip, shares: map[string][]Shared{}}
	snap := s.View(owner, t)
	for _, kind := range []Kind{Calendars, Contacts} {
		list, err := snap.Collections(kind)
		if err != nil {
			return o, err
		}
		for _, c := range list {
			o.add(c)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outlines[owner] = o
	return o, nil
}

func (o *outline) add(c *Collection) {
	for user, access := range c.props.Shares {
		o.shares[user] = append(o.shares[user], Shared{c.User(), c.Kind, c.Name, access})
	}
	if c.props.Source != nil && c.Kind == Calendars {
		o.follows = append(o.follows, Followed{c.User(), c.Name, *c.props.Source})
	}
}

// Access returns what a share allows a user to do with a collection.
func (c *Collection) Access(user string) Access { return c.props.Shares[user] }

// Users returns whom the collection is shared with, in order.
func (p *Props) Users() []string { return slices.Sorted(maps.Keys(p.Shares)) }
