package store_test

import (
	"context"
	"testing"
	"testing/synctest"

	"cairn/store"
)

// TestWatch follows a branch through its life: made, changed, deleted, made
// again.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		main := newRepo().Branch("main")
		ctx, cancel := context.WithCancel(t.Context())
		seen := make(chan string)
		go func() {
			defer close(seen)
			for tree, err := range main.Watch(ctx) {
				if err != nil {
					t.Error(err)
				}
				seen <- show(t, tree)
			}
		}()
		next := func(want string) {
			t.Helper()
			if got := <-seen; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
		synctest.Wait()
		put(t, main, "a", "1")
		next("a=1")
		put(t, main, "a", "2")
		next("a=2")
		if err := main.Delete(ctx); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		put(t, main, "b", "1")
		next("b=1")

		// While nobody takes the next one, several come: the last is what counts.
		put(t, main, "b", "2")
		synctest.Wait()
		put(t, main, "b", "3")
		put(t, main, "b", "4")
		next("b=2")
		next("b=4")
		cancel()
		if got, ok := <-seen; ok {
			t.Errorf("after ctx has ended: got %q, want an end", got)
		}
	})
}

// TestCancelled: an Update whose ctx has ended does not run; one whose ctx ends
// while it is being committed says what came of it.
func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		main := store.New(g, store.Options{}).Branch("main")
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() { result <- main.Update(ctx, change("x"), write("x")) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if len(result) > 0 {
			t.Errorf("update returned %v before its commit was done", <-result)
		}
		g.next(nil)
		if err := <-result; err != nil {
			t.Errorf("update whose commit succeeded: got %v", err)
		}
		err := main.Update(ctx, change("y"), func(*store.Tx) error {
			t.Error("ran although its context had ended")
			return nil
		})
		if err == nil {
			t.Error("update with a context that has ended: got no error")
		}
	})
}
