package lazy_test

import (
	"context"
	"iter"
	"testing"

	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/mem"
	"cairn/store/object"
	"cairn/store/storetest"
)

// A backend is a Store with the refs of a repository in memory.
type backend struct {
	*lazy.Store
	refs
	commit func(context.Context, []object.Object, []store.RefChange) error
}

type refs interface {
	Ref(context.Context, string) (store.Ref, error)
	Refs(context.Context, string) iter.Seq2[store.Ref, error]
	Wait(context.Context, string, store.Hash) (store.Ref, error)
}

// Commit implements store.Backend.
func (b backend) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if err := b.Put(ctx, objs...); err != nil {
		return err
	}
	return b.commit(ctx, nil, changes)
}

// TestBackend runs the suite of all backends over a Store that forgets nothing.
func TestBackend(t *testing.T) {
	storetest.Test(t, func(t *testing.T) store.Backend {
		s := lazy.New(lazy.Options{Bytes: 512 << 20})
		t.Cleanup(func() { s.Close() })
		m := mem.New()
		return backend{s, m, m.Commit}
	})
}
