package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"testing"

	"cairn/store"
)

// A model is what a branch should be: its files by path, and its history.
type model struct {
	files   map[string]string
	history []version // oldest first
}

type version struct {
	commit store.Hash
	files  map[string]string
}

// testModel makes random changes to a few branches and to models of them, and
// compares.
func testModel(t *testing.T, b store.Backend) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	// A small cache, so that forgetting is part of it.
	r := store.New(b, store.Options{CacheBytes: 256 << 10})
	models := map[string]*model{}
	for range 150 {
		name := fmt.Sprintf("b%d", rnd.IntN(3))
		m, ok := models[name]
		if !ok {
			m = &model{files: map[string]string{}}
			models[name] = m
		}
		m.step(t, r.Branch(name), rnd)
		if t.Failed() {
			return
		}
	}
	for name, m := range models {
		m.compare(t, r.Branch(name))
		m.compare(t, store.New(b, store.Options{}).Branch(name))
	}
}

// step makes one random change.
func (m *model) step(t *testing.T, b *store.Branch, rnd *rand.Rand) {
	ctx := soon(t)
	switch op := rnd.IntN(20); {
	case op == 0 && len(m.history) > 0:
		old := m.history[rnd.IntN(len(m.history))]
		tree, err := b.Repo().Tree(ctx, old.commit)
		if err == nil {
			err = b.Reset(ctx, change("reset"), tree)
		}
		if err != nil {
			t.Fatalf("reset: %v", err)
		}
		m.files = maps.Clone(old.files)
	case op == 1 && len(m.history) > 1:
		m.revert(t, b)
	default:
		ops := randomOps(rnd)
		next := maps.Clone(m.files)
		for i := range ops {
			ops[i].want = ops[i].inModel(next)
		}
		err := b.Update(ctx, change("edit"), func(tx *store.Tx) error {
			for _, o := range ops {
				if got, err := o.inTx(tx); err != nil || got != o.want {
					return fmt.Errorf("%+v: got %s, %v, want %s", o, got, err, o.want)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatalf("update: %v", err)
		}
		m.files = next
	}
	m.record(t, b)
}

// revert undoes the last change.
func (m *model) revert(t *testing.T, b *store.Branch) {
	last, before := m.history[len(m.history)-1], m.history[len(m.history)-2]
	if err := b.Revert(soon(t), change("revert"), last.commit, nil); err != nil {
		t.Fatalf("revert: %v", err)
	}
	m.files = maps.Clone(before.files)
}

func (m *model) record(t *testing.T, b *store.Branch) {
	tree, err := b.Tree(soon(t))
	if errors.Is(err, fs.ErrNotExist) && len(m.files) == 0 && len(m.history) == 0 {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	rev, _ := tree.Commit()
	if n := len(m.history); n > 0 && m.history[n-1].commit == rev.Hash {
		if !maps.Equal(m.history[n-1].files, m.files) {
			t.Errorf("there is no commit for a change")
		}
		return
	}
	m.history = append(m.history, version{rev.Hash, maps.Clone(m.files)})
	holds(t, tree, m.files)
}

// compare checks every version in the history, and Log and At with them.
func (m *model) compare(t *testing.T, b *store.Branch) {
	t.Helper()
	ctx := context.Background()
	i := len(m.history)
	for rev, err := range b.Log(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		if i--; i < 0 || rev.Hash != m.history[i].commit {
			t.Fatalf("log of %s: commit %d is %v", b.Name(), i, rev.Hash)
		}
		tree, err := b.Repo().Tree(ctx, rev.Hash)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, tree, m.history[i].files)
	}
	if i != 0 {
		t.Errorf("log of %s ends %d commits too early", b.Name(), i)
	}
}
