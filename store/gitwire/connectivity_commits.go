package gitwire

import (
	"context"
	"fmt"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// commits walks the commits of the pack from tip.
func (c *connectivity) commits(ctx context.Context, tip store.Hash) error {
	todo := []store.Hash{tip}
	for len(todo) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !c.see(h) {
			continue
		}
		o, err := c.object(ctx, h)
		if err != nil {
			return fmt.Errorf("read pushed commit: %w", err)
		}
		tree, parents, _, ok := commitLinks(o.Data)
		if !ok {
			return badRequest("commit %s is malformed", h)
		}
		if _, cut := c.cut[h]; cut {
			parents = nil
		}
		inside, err := c.parents(ctx, h, parents)
		if err != nil {
			return err
		}
		todo = append(todo, inside...)
		if err := c.root(ctx, tree, parents); err != nil {
			return err
		}
	}
	return nil
}

// parents checks those parents of h that are not in the pack and returns
// those that are.
func (c *connectivity) parents(ctx context.Context, h store.Hash, parents []store.Hash) (inside []store.Hash, err error) {
	for _, p := range parents {
		if k, packed := c.kinds[p]; packed {
			if !k.is(object.TypeCommit) {
				return nil, errMissing
			}
			inside = append(inside, p)
			continue
		}
		err := c.outside(ctx, p, object.TypeCommit)
		if _, cut := c.shallow[h]; cut && err == errMissing {
			return nil, errShallow
		}
		if err != nil {
			return nil, err
		}
		if len(c.boundary) < maxBoundary {
			c.boundary = append(c.boundary, p)
		}
	}
	return inside, nil
}

// maxBoundary is in how many parents' trees moved files are looked for first.
const maxBoundary = 64

// root checks a commit's tree against the trees of its parents.
func (c *connectivity) root(ctx context.Context, tree store.Hash, parents []store.Hash) error {
	w := treeWork{tree: tree}
	copy(w.sides[:], parents)
	k, packed := c.kinds[tree]
	switch {
	case packed && !k.is(object.TypeTree):
		return errMissing
	case packed:
		return c.tree(ctx, w)
	case c.promised:
		return nil
	}
	for _, p := range w.sides {
		side, err := c.treeOf(ctx, p)
		if err != nil {
			return err
		}
		if side == tree {
			return nil
		}
	}
	return c.leave(ctx, tree, object.TypeTree)
}

// treeOf returns the tree of a commit that has been checked or is going to be.
func (c *connectivity) treeOf(ctx context.Context, h store.Hash) (tree store.Hash, err error) {
	if h.IsZero() {
		return h, nil
	}
	o, err := c.object(ctx, h)
	if err != nil {
		return tree, fmt.Errorf("read parent: %w", err)
	}
	tree, _, _, _ = commitLinks(o.Data)
	return tree, nil
}

// object reads from the pack or else the repository.
func (c *connectivity) object(ctx context.Context, h store.Hash) (o object.Object, err error) {
	if o, ok := c.recent.find(h); ok {
		return o, nil
	}
	if _, packed := c.kinds[h]; packed {
		o, err = c.pack.Object(ctx, h)
	} else {
		o, err = c.repo.Object(ctx, h)
	}
	if err == nil {
		c.recent.add(h, o)
	}
	return o, err
}

// recentObjects are the commits and trees read last: along a line of commits each is
// read as a parent, and then for itself.
type recentObjects struct {
	names [8]store.Hash
	objs  [8]object.Object
	next  int
}

// maxRecent is how many bytes the content of one of them has at most.
const maxRecent = 1 << 20

func (r *recentObjects) find(h store.Hash) (object.Object, bool) {
	if i := slices.Index(r.names[:], h); i >= 0 {
		return r.objs[i], true
	}
	return object.Object{}, false
}

func (r *recentObjects) add(h store.Hash, o object.Object) {
	if len(o.Data) > maxRecent {
		return
	}
	r.names[r.next], r.objs[r.next] = h, o
	r.next = (r.next + 1) % len(r.names)
}
