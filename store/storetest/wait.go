package storetest

import (
	"context"
	"errors"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

var waitTests = []test{
	{"Differs", testWaitDiffers},
	{"Moves", testWaitMoves},
	{"Cancelled", testWaitCancelled},
}

func testWaitDiffers(t *testing.T, b store.Backend) {
	h := put(t, b, "refs/heads/main", object.Zero, commit("file", "1"))
	for _, old := range []store.Hash{object.Zero, blob("x").Hash()} {
		ref, err := b.Wait(soon(t), "refs/heads/main", old)
		if err != nil || ref.Hash != h {
			t.Errorf("wait: got %v, %v, want %v at once", ref.Hash, err, h)
		}
	}
	ref, err := b.Wait(soon(t), "refs/heads/absent", h)
	if err != nil || ref.Hash != object.Zero {
		t.Errorf("wait for a ref that has gone: got %v, %v, want Zero at once", ref.Hash, err)
	}
}

// testWaitMoves waits while a ref is made, moved and deleted.
func testWaitMoves(t *testing.T, b store.Backend) {
	ctx := soon(t)
	first := commit("file", "1")
	one := first[2].Hash()
	second := commit("file", "2", one)
	two := second[2].Hash()
	for _, step := range []struct {
		old, new store.Hash
		objs     []object.Object
	}{{object.Zero, one, first}, {one, two, second}, {two, object.Zero, nil}} {
		got := make(chan error, 1)
		go func() {
			ref, err := b.Wait(ctx, "refs/heads/main", step.old)
			if err == nil && ref.Hash != step.new {
				err = errors.New("got " + ref.Hash.String())
			}
			got <- err
		}()
		change := store.RefChange{Name: "refs/heads/main", Old: step.old, New: step.new}
		if err := b.Commit(ctx, step.objs, []store.RefChange{change}); err != nil {
			t.Fatal(err)
		}
		if err := <-got; err != nil {
			t.Errorf("wait for %v to become %v: %v", step.old, step.new, err)
		}
	}
}

func testWaitCancelled(t *testing.T, b store.Backend) {
	h := put(t, b, "refs/heads/main", object.Zero, commit("file", "1"))
	ctx, cancel := context.WithCancel(soon(t))
	got := make(chan error, 1)
	go func() {
		_, err := b.Wait(ctx, "refs/heads/main", h)
		got <- err
	}()
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("wait: got %v, want %v", err, context.Canceled)
	}
}
