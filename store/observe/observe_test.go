package observe_test

import (
	"errors"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/observe"
	"cairn/store/storetest"
)

// A record keeps what it is told.
type record struct {
	mu      sync.Mutex
	commits []observe.Commit
}

func (r *record) add(c observe.Commit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commits = append(r.commits, c)
}

func TestTold(t *testing.T) {
	var r record
	b := observe.New(mem.New(), r.add)
	repo := store.New(b, store.Options{})
	put := func(tx *store.Tx) error { return tx.Put("a", []byte("1")) }
	if err := repo.Branch("main").Update(t.Context(), store.Change{Message: "Put a"}, put); err != nil {
		t.Fatal(err)
	}
	stale := []store.RefChange{{Name: "refs/heads/main", Old: store.Hash{1}}}
	if err := b.Commit(t.Context(), nil, stale); err == nil {
		t.Fatal("a stale change went through")
	}
	if len(r.commits) != 2 {
		t.Fatalf("told of %d commits, want 2", len(r.commits))
	}
	if c := r.commits[0]; c.Objects != 3 || c.Changes[0].Name != "refs/heads/main" || c.Err != nil {
		t.Errorf("told of %+v, want a blob, a tree and a commit on main", c)
	}
	var conflict *store.ConflictError
	if c := r.commits[1]; !errors.As(c.Err, &conflict) {
		t.Errorf("told of error %v, want the conflict", c.Err)
	}
}

// TestSuite: being observed changes nothing.
func TestSuite(t *testing.T) {
	storetest.Test(t, func(*testing.T) store.Backend { return observe.New(mem.New(), func(observe.Commit) {}) })
}
