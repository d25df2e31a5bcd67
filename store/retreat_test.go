package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// TestRetreatOfOthers: an update that waits for the next commit keeps its place
// when one behind it on the same branch falls with another branch.
func TestRetreatOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		u := newUpdates(t, g)
		u.start("first", write("x"))
		u.start("a", write("1"))
		put(t, store.New(g.Backend, store.Options{}).Branch("a"), "outside", "1")
		g.next(nil)
		changes := <-g.arrived // of a, and will conflict
		u.start("b", write("1"))
		u.wg.Go(func() {
			err := u.repo.Update(t.Context(), change("a and b"), []string{"a", "b"}, func(txs map[string]*store.Tx) error {
				return errors.Join(txs["a"].Put("both", nil), txs["b"].Put("both", nil))
			})
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if len(changes) != 1 || changes[0].Name != "refs/heads/a" {
			t.Errorf("commit: got %v, want a alone", changes)
		}
		g.pass <- nil
		go func() {
			for range g.arrived {
				g.pass <- nil
			}
		}()
		u.wg.Wait()
		close(g.arrived)
		for branch, want := range map[string]string{"a": "1=1 both= outside=1", "b": "1=1 both="} {
			if got := show(t, tree(t, u.repo.Branch(branch))); got != want {
				t.Errorf("%s: got %s, want %s", branch, got, want)
			}
		}
	})
}

// TestRetreatOneByOne: updates that were refused together are tried one by one. What stands on one that fails
// for a time has been sent before: it fails as well and does not run again.
func TestRetreatOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		u := newUpdates(t, g)
		u.start("first", write("x"))
		u.start("a", write("1"))
		runs := 0
		u.start("a", func(tx *store.Tx) error { runs++; return tx.Put("2", nil) })
		u.start("b", write("3"))
		g.next(nil)
		g.next(errors.New("refused"))
		away := fmt.Errorf("away: %w", store.ErrTemporary)
		if got := g.next(away); !slices.Equal(got, []string{"refs/heads/a"}) {
			t.Errorf("first of one by one: got %q, want a alone", got)
		}
		if got := g.next(nil); !slices.Equal(got, []string{"refs/heads/b"}) {
			t.Errorf("second of one by one: got %q, want b alone", got)
		}
		u.wg.Wait()
		if err := u.errs["a"]; runs != 1 || !errors.Is(err, store.ErrTemporary) {
			t.Errorf("on top of what failed: got %d runs and %v, want 1 and %v", runs, err, store.ErrTemporary)
		}
		if err := u.errs["b"]; err != nil {
			t.Errorf("beside it: %v", err)
		}
	})
}

// A lateFault is a backend whose Commit fails when it has done its work.
type lateFault struct {
	*gate
	fault func() error
}

func (f lateFault) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if err := f.gate.Commit(ctx, objs, changes); err != nil || len(changes) == 1 {
		return err
	}
	return f.fault()
}

// TestLateFault: when a commit has failed or panicked after the branches have moved,
// everybody hears of it and nothing is done twice.
func TestLateFault(t *testing.T) {
	for name, fault := range map[string]func() error{
		"error": func() error { return errors.New("moved, but not synced") },
		"panic": func() error { panic("moved") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate()
				u := newUpdates(t, lateFault{g, fault})
				u.start("first", write("x"))
				runs := 0
				for _, name := range []string{"a", "b", "b"} {
					u.start(name, func(tx *store.Tx) error {
						runs++
						return tx.Put(fmt.Sprint(runs), nil)
					})
				}
				g.next(nil)
				g.next(nil)
				u.wg.Wait()
				if runs != 3 {
					t.Errorf("got %d runs, want 3", runs)
				}
				for _, name := range []string{"a", "b"} {
					if u.errs[name] == nil {
						t.Errorf("%s: got no error, want that of the backend", name)
					}
				}
				u.start("after", write("1"))
				g.next(nil)
				u.wg.Wait()
				if err := u.errs["after"]; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A panicky backend panics before it has done anything.
type panicky struct{ store.Backend }

func (panicky) Commit(context.Context, []object.Object, []store.RefChange) error { panic("boom") }

// TestBackendPanics: a panic is the error of those who wait, and no more.
func TestBackendPanics(t *testing.T) {
	r := store.New(panicky{mem.New()}, store.Options{})
	for range 2 {
		if err := r.Branch("a").Update(t.Context(), change("update"), write("1")); err == nil {
			t.Error("got no error from a backend that panics")
		}
	}
}
