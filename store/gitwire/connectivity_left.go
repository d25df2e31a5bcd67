package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"cairn/store"
	"cairn/store/object"
)

// leave notes an object that has to be searched for.
func (c *connectivity) leave(ctx context.Context, h store.Hash, t object.Type) error {
	if c.promised {
		return nil
	}
	if was, ok := c.left[h]; ok && was != t {
		return errMissing
	}
	c.left[h] = t
	if len(c.left) < maxLeft {
		return nil
	}
	return c.findLeft(ctx)
}

// findLeft searches for what has been left, in the trees of the boundary first.
func (c *connectivity) findLeft(ctx context.Context) error {
	if len(c.left) == 0 {
		return nil
	}
	if err := c.reach.beginWith(ctx, c.boundary); err != nil {
		return err
	}
	missing, err := c.reach.missing(ctx, slices.Collect(maps.Keys(c.left)))
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return errMissing
	}
	for h, want := range c.left {
		t, _, err := c.repo.Stat(ctx, h)
		if err != nil {
			return fmt.Errorf("look at object %s: %w", h, err)
		}
		if t != want {
			return errMissing
		}
	}
	clear(c.left)
	return nil
}

// beginWith makes the next search look into the trees of these commits (or tags
// of such) before all others, as far as they are known to be visible.
func (r *reach) beginWith(ctx context.Context, commits []store.Hash) error {
	for _, h := range commits {
		if _, visible := r.seen[h]; !visible {
			continue
		}
		_, end, t, err := r.g.peel(ctx, h)
		if errors.Is(err, fs.ErrNotExist) || err == nil && t != object.TypeCommit {
			continue
		}
		if err != nil {
			return err
		}
		i := r.g.number(end)
		if err := r.g.load(ctx, i); err != nil {
			return err
		}
		r.see(r.g.nodes[i].tree, true)
	}
	return nil
}
