package gitwire

import (
	"context"
	"fmt"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// What a push is refused with, in git's words. Neither says whether what is
// missing exists where the pusher may not look.
const (
	errMissing = requestError("missing necessary objects")
	errShallow = requestError("shallow update not allowed")
)

// A connectivity finds out whether everything that a pushed tip reaches is
// either in the pushed pack or reachable from the refs that the pusher sees.
// That an object exists in the repository counts for nothing: a pusher who
// knows the hash of somebody else's object must not get at it by
// naming it in a tree.
//
// The cost follows what was pushed. Commits of the pack are walked down to
// visible ones. Their trees are compared with the trees at the same path in their
// parents, so that only what changed is opened; an entry that is neither in
// the pack nor in a parent at that path (a moved file) is looked for in the
// trees of the visible parents, then in the whole visible history.
//
// Comparing with a parent that is itself only being checked is sound, because
// a tip passes only when all its ancestors in the pack do.
//
// Memory is about 50 bytes for each object of the pack. One goroutine uses it.
type connectivity struct {
	pack    store.Objects // nil when the push brought no pack
	repo    store.Objects
	reach   *reach // over repo
	shallow map[store.Hash]struct{}

	// Of a fetch:
	cut      map[store.Hash]struct{} // commits that are to be had without their parents
	promised bool                    // what is not in the pack counts as being there

	kinds  map[store.Hash]packedKind // the objects of pack
	recent recentObjects

	// Of the tip being checked, boundary also of the one checked last:
	visited  []store.Hash               // objects of the pack marked as seen
	left     map[store.Hash]object.Type // named by the pack, not in it, not yet found
	boundary []store.Hash               // visible parents of commits in the pack
	trees    []treeWork
}

// A packedKind is an object's type and whether it has been looked at.
type packedKind uint8

const kindSeen packedKind = 0x80

func (k packedKind) is(t object.Type) bool { return k&^kindSeen == packedKind(t) }

// A treeWork is a tree of the pack that waits to be looked at, and the trees
// at its path in the first parents of its commit. For the root of a commit these
// are the parents themselves.
type treeWork struct {
	tree  store.Hash
	sides [maxSides]store.Hash // Zero when there is none
}

const (
	maxSides = 2       // parents that a tree is compared with; more are searched
	maxLeft  = 1 << 16 // objects to be searched for at a time
)

// newConnectivity prepares checks of tips. q may be nil.
func newConnectivity(q store.Quarantine, repo store.Objects, r *reach, shallow map[store.Hash]struct{}) *connectivity {
	c := &connectivity{repo: repo, reach: r, shallow: shallow, left: make(map[store.Hash]object.Type)}
	if q != nil {
		c.pack = q
		c.kinds = make(map[store.Hash]packedKind)
		for h, t := range q.All() {
			c.kinds[h] = packedKind(t)
		}
	}
	return c
}

// check returns nil when everything that tip reaches is there, a requestError
// when it is not. What one check has found sound the next does not look at.
func (c *connectivity) check(ctx context.Context, tip store.Hash) error {
	c.boundary = nil
	err := c.tip(ctx, tip)
	if err == nil {
		err = c.findLeft(ctx)
	}
	if err != nil {
		for _, h := range c.visited {
			c.kinds[h] &^= kindSeen
		}
	}
	c.visited, c.trees = c.visited[:0], nil
	clear(c.left)
	return err
}

// standsOn says of the tip checked last that it is a commit from which others of the pack
// lead to old. A no may be wrong.
func (c *connectivity) standsOn(tip, old store.Hash) bool {
	return c.kinds[tip].is(object.TypeCommit) && slices.Contains(c.boundary, old)
}

// tip follows tags to what they tag.
func (c *connectivity) tip(ctx context.Context, h store.Hash) error {
	var want object.Type // any at first
	for range maxTagChain {
		k, packed := c.kinds[h]
		switch {
		case !packed:
			return c.outside(ctx, h, want)
		case want != 0 && !k.is(want):
			return errMissing
		case k.is(object.TypeCommit):
			return c.commits(ctx, h)
		case k.is(object.TypeTree):
			return c.tree(ctx, treeWork{tree: h})
		case k.is(object.TypeBlob):
			return nil
		}
		c.see(h)
		o, err := c.pack.Object(ctx, h)
		if err != nil {
			return fmt.Errorf("read pushed tag: %w", err)
		}
		tag, err := object.ParseTag(o.Data)
		if err != nil {
			return badRequest("tag %s is malformed", h)
		}
		h, want = tag.Object, tag.Type
	}
	return badRequest("more than %d tags of tags", maxTagChain)
}

// outside checks an object that the pack only names. want is its type, 0 for any.
func (c *connectivity) outside(ctx context.Context, h store.Hash, want object.Type) error {
	if c.promised {
		return nil
	}
	ok, err := c.reach.has(ctx, h)
	if err != nil {
		return err
	}
	if !ok {
		return errMissing
	}
	if want == 0 {
		return nil
	}
	t, _, err := c.repo.Stat(ctx, h)
	if err != nil {
		return fmt.Errorf("look at object %s: %w", h, err)
	}
	if t != want {
		return errMissing
	}
	return nil
}

// see marks an object of the pack and reports whether it was not marked yet.
func (c *connectivity) see(h store.Hash) bool {
	k := c.kinds[h]
	if k&kindSeen != 0 {
		return false
	}
	c.kinds[h] = k | kindSeen
	c.visited = append(c.visited, h)
	return true
}
