package past

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"cairn/services/caldav/shelf"
	"cairn/store"
)

// A side is a collection before or after; nil when there is none.
type side = *shelf.Collection

// A pair is a collection before and after.
type pair struct {
	before, after side
	removed       []shelf.Resource
	added         []shelf.Resource
	changed       []shelf.Resource
}

// compare pairs the collections of two snapshots and finds what differs in each.
func compare(ctx context.Context, before, after *shelf.Snapshot, in shelf.Path) ([]*pair, error) {
	var pairs []*pair
	for _, kind := range shelf.Kinds {
		if in.Kind != "" && in.Kind != kind {
			continue
		}
		names, err := names(kind, before, after)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if in.Collection != "" && in.Collection != name {
				continue
			}
			p, err := newPair(ctx, before, after, kind, name)
			if err != nil {
				return nil, err
			}
			if in.Name != "" {
				p.only(in.Name)
			}
			pairs = append(pairs, p)
		}
	}
	return pairs, nil
}

// names are those of the collections of a kind that are in either snapshot.
func names(kind shelf.Kind, snapshots ...*shelf.Snapshot) ([]string, error) {
	var names []string
	for _, s := range snapshots {
		list, err := s.Collections(kind)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// find returns a collection, nil when there is none.
func find(s *shelf.Snapshot, kind shelf.Kind, name string) (side, error) {
	c, err := s.Collection(kind, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return c, err
}

func newPair(ctx context.Context, before, after *shelf.Snapshot, kind shelf.Kind, name string) (*pair, error) {
	p := new(pair)
	var err error
	if p.before, err = find(before, kind, name); err != nil {
		return nil, err
	}
	if p.after, err = find(after, kind, name); err != nil {
		return nil, err
	}
	if p.before != nil && p.after != nil && p.before.CTag() == p.after.CTag() {
		return p, nil
	}
	switch {
	case p.after == nil:
		p.removed, err = all(p.before)
	case p.before == nil:
		p.added, err = all(p.after)
	default:
		err = p.compare(ctx, before.Commit())
	}
	return p, err
}

func (p *pair) compare(ctx context.Context, before store.Hash) error {
	changes, err := p.after.Since(ctx, before)
	if err != nil {
		return err
	}
	for _, ch := range changes {
		was, err := p.before.Resource(ch.Name)
		switch absent := errors.Is(err, fs.ErrNotExist); {
		case err != nil && !absent:
			return err
		case absent && !ch.Removed:
			p.added = append(p.added, ch.Resource)
		case !absent && ch.Removed:
			p.removed = append(p.removed, was)
		case !absent:
			p.changed = append(p.changed, ch.Resource)
		}
	}
	return nil
}

// only drops what is not of one resource.
func (p *pair) only(name string) {
	other := func(r shelf.Resource) bool { return r.Name != name }
	p.added = slices.DeleteFunc(p.added, other)
	p.removed = slices.DeleteFunc(p.removed, other)
	p.changed = slices.DeleteFunc(p.changed, other)
}

func all(c side) ([]shelf.Resource, error) {
	var list []shelf.Resource
	for r, err := range c.Resources() {
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b shelf.Resource) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}
