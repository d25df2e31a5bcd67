// Package past says in words what was done to calendars and contacts, and brings
// back what was.
//
//	deeds, err := past.Deeds(ctx, before, after, shelf.Path{})
//	fmt.Println(past.Words(deeds)) // Added “Lunch” (2026-12-02) to Home; deleted …
//
// Restore makes something as it was at another time, Undo takes one commit back
// and keeps what was done since. Both work within an Update of the shelf, so they
// are one new commit, refuse what would break its rules, and take nothing out of
// history.
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

// A Verb is what was done.
type Verb string

// What can be done to resources, and (Made, Dropped, Set) to a collection.
const (
	Added   Verb = "added"
	Changed Verb = "changed"
	Deleted Verb = "deleted"
	Moved   Verb = "moved"
	Made    Verb = "made"
	Dropped Verb = "dropped"
	Set     Verb = "set"
)

// A Deed is something that was done to resources of one collection, or to the
// collection.
type Deed struct {
	Verb   Verb
	Kind   shelf.Kind
	Name   string   // of the collection
	Called string   // what people call it
	From   string   // of what was moved: what people call the collection where it was
	Count  int      // of resources; of a collection that was dropped: those that were in it
	Titles []string // of the first of them
	What   []string // of what was Set, where people know it: each in words
}

// maxTitles is how many resources of a Deed are looked into.
const maxTitles = 3

// A side is a collection before or after; nil when there is none.
type side = *shelf.Collection

// A pair is a collection before and after.
type pair struct {
	before, after side
	removed       []shelf.Resource
	added         []shelf.Resource
	changed       []shelf.Resource
}

// Deeds returns what makes after of before, two snapshots of the same person: first
// what was done to collections, then to what is in them. With a path, only what
// is there.
func Deeds(ctx context.Context, before, after *shelf.Snapshot, in shelf.Path) ([]Deed, error) {
	pairs, err := compare(ctx, before, after, in)
	if err != nil {
		return nil, err
	}
	var deeds, inside []Deed
	for _, p := range pairs {
		d, err := p.collection()
		if err != nil {
			return nil, err
		}
		deeds = append(deeds, d...)
	}
	inside = append(inside, moves(pairs)...)
	for _, p := range pairs {
		if p.after == nil {
			continue
		}
		for _, d := range []struct {
			verb  Verb
			where side
			list  []shelf.Resource
		}{{Added, p.after, p.added}, {Changed, p.after, p.changed}, {Deleted, p.before, p.removed}} {
			if len(d.list) > 0 {
				inside = append(inside, deed(d.verb, d.where, d.list))
			}
		}
	}
	return append(deeds, inside...), nil
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

// collection is what was done to the collection itself.
func (p *pair) collection() ([]Deed, error) {
	switch {
	case p.after == nil:
		d := deed(Dropped, p.before, p.removed)
		return []Deed{d}, nil
	case p.before == nil:
		return []Deed{deed(Made, p.after, nil)}, nil
	case !p.before.Props().Equal(p.after.Props()):
		d := deed(Set, p.after, nil)
		d.What = settings(p.before, p.after)
		return []Deed{d}, nil
	}
	return nil, nil
}

// moves takes what was moved from one collection to another out of the pairs: what
// is gone here has come there, the same byte for byte.
func moves(pairs []*pair) []Deed {
	gone := map[store.Hash]*pair{}
	for _, p := range pairs {
		if p.after == nil {
			continue
		}
		for _, r := range p.removed {
			gone[r.ETag] = p
		}
	}
	var deeds []Deed
	for _, to := range pairs {
		moved := map[*pair][]shelf.Resource{}
		to.added = slices.DeleteFunc(to.added, func(r shelf.Resource) bool {
			from := gone[r.ETag]
			if from == nil || from == to {
				return false
			}
			from.removed = slices.DeleteFunc(from.removed, func(g shelf.Resource) bool { return g.ETag == r.ETag })
			moved[from] = append(moved[from], r)
			return true
		})
		for _, from := range pairs {
			if list := moved[from]; len(list) > 0 {
				d := deed(Moved, to.after, list)
				d.From = called(from.before)
				deeds = append(deeds, d)
			}
		}
	}
	return deeds
}

func deed(verb Verb, c side, list []shelf.Resource) Deed {
	d := Deed{Verb: verb, Kind: c.Kind, Name: c.Name, Called: called(c), Count: len(list)}
	if verb == Dropped {
		return d
	}
	for _, r := range list[:min(len(list), maxTitles)] {
		d.Titles = append(d.Titles, title(c, r))
	}
	return d
}
