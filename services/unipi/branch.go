package unipi

import (
	"context"
	"fmt"
	"sync/atomic"

	"cairn/store"
)

// Follow returns a Site's Tree for a branch: the snapshot that the branch has when
// it is asked. While the branch does not move, that costs one look at its ref.
func Follow(b *store.Branch) func(context.Context) (*store.Tree, error) {
	var last atomic.Pointer[store.Tree]
	refs, name := b.Repo().Backend(), b.Ref()
	return func(ctx context.Context) (*store.Tree, error) {
		ref, err := refs.Ref(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("read branch %q: %w", b.Name(), err)
		}
		if t := last.Load(); t != nil {
			if rev, ok := t.Commit(); ok && rev.Hash == ref.Hash {
				return t, nil
			}
		}
		t, err := b.Tree(ctx)
		if err == nil {
			last.Store(t)
		}
		return t, err
	}
}
