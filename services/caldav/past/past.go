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
	"slices"

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
		if in.Name == "" || p.before == nil || p.after == nil {
			deeds = append(deeds, d...)
		}
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
