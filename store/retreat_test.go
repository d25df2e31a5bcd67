package store_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"cairn/store"
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
