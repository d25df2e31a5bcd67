// Package mem keeps a repository in memory: for tests, for previews, for what
// need not survive. It behaves as store/gitdir does, but for durability.
//
//	repo := store.New(mem.New(), store.Options{})
//
// Nothing is ever forgotten: objects that no ref reaches any longer stay in
// memory as long as the Backend does.
package mem

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// A Backend is a store.Backend, store.Receiver and store.Packed in memory. Safe
// for concurrent use.
type Backend struct {
	bases *pack.BaseCache // of all packs

	mu      sync.RWMutex
	packs   []packed // that were received
	objects map[store.Hash]object.Object
	refs    map[string]store.Hash
	moved   chan struct{} // closed when a ref moves
}

var _ store.Backend = (*Backend)(nil)

// New returns an empty repository.
func New() *Backend {
	return &Backend{
		bases:   pack.NewBaseCache(baseCacheBytes),
		objects: map[store.Hash]object.Object{},
		refs:    map[string]store.Hash{},
		moved:   make(chan struct{}),
	}
}

// place finds where an object is: among those that were committed, or in a
// pack.
func (b *Backend) place(h store.Hash) store.Objects {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if o, ok := b.objects[h]; ok {
		return loose(o)
	}
	for _, p := range b.packs {
		if _, err := p.place(h); err == nil {
			return p
		}
	}
	return nowhere{}
}

// Object implements store.Objects.
func (b *Backend) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	return b.place(h).Object(ctx, h)
}

// Stat implements store.Objects.
func (b *Backend) Stat(ctx context.Context, h store.Hash) (object.Type, int64, error) {
	return b.place(h).Stat(ctx, h)
}

// Open implements store.Objects.
func (b *Backend) Open(ctx context.Context, h store.Hash) (io.ReadCloser, error) {
	return b.place(h).Open(ctx, h)
}

// Ref implements store.Backend.
func (b *Backend) Ref(_ context.Context, name string) (store.Ref, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	h, ok := b.refs[name]
	if !ok {
		return store.Ref{}, fmt.Errorf("ref %s: %w", name, fs.ErrNotExist)
	}
	return store.Ref{Name: name, Hash: h}, nil
}

// Refs implements store.Backend. It yields the refs as they were at one moment.
func (b *Backend) Refs(_ context.Context, prefix string) iter.Seq2[store.Ref, error] {
	return func(yield func(store.Ref, error) bool) {
		for _, ref := range b.list(prefix) {
			if !yield(ref, nil) {
				return
			}
		}
	}
}

func (b *Backend) list(prefix string) []store.Ref {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var refs []store.Ref
	for name, h := range b.refs {
		if strings.HasPrefix(name, prefix) {
			refs = append(refs, store.Ref{Name: name, Hash: h})
		}
	}
	slices.SortFunc(refs, func(a, b store.Ref) int { return cmp.Compare(a.Name, b.Name) })
	return refs
}

// Commit implements store.Backend.
func (b *Backend) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	names := make([]store.Hash, len(objs))
	for i, o := range objs {
		names[i] = o.Hash()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.check(changes); err != nil {
		return err
	}
	for i, o := range objs {
		o.Base = object.Zero
		b.objects[names[i]] = o
	}
	for _, c := range changes {
		if c.New == object.Zero {
			delete(b.refs, c.Name)
		} else {
			b.refs[c.Name] = c.New
		}
	}
	if len(changes) > 0 {
		close(b.moved)
		b.moved = make(chan struct{})
	}
	return nil
}

// Wait implements store.Backend.
func (b *Backend) Wait(ctx context.Context, name string, old store.Hash) (store.Ref, error) {
	for {
		b.mu.RLock()
		h, moved := b.refs[name], b.moved
		b.mu.RUnlock()
		if h != old {
			return store.Ref{Name: name, Hash: h}, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return store.Ref{}, ctx.Err()
		}
	}
}
