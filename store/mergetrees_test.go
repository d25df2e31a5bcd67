package store_test

import (
	"context"
	"testing"

	"cairn/store"
)

// TestMergeTrees has a function decide over whole snapshots.
func TestMergeTrees(t *testing.T) {
	ctx := context.Background()
	repo := newRepo()
	ours := repo.Branch("ours")
	put(t, ours, "a", "base", "b", "base")
	theirs, err := ours.Fork(ctx, "theirs")
	if err != nil {
		t.Fatal(err)
	}
	merge := func(f func(tx *store.Tx, base, theirs *store.Tree) error) {
		t.Helper()
		if err := ours.MergeTrees(ctx, change("merge"), tip(t, theirs), f); err != nil {
			t.Fatal(err)
		}
	}
	never := func(*store.Tx, *store.Tree, *store.Tree) error {
		t.Error("there is nothing to decide")
		return nil
	}
	merge(never)
	put(t, theirs, "a", "theirs")
	merge(never)
	if got, want := show(t, tree(t, ours)), "a=theirs b=base"; got != want {
		t.Errorf("forward: got %s, want %s", got, want)
	}
	put(t, theirs, "a", "theirs again")
	put(t, ours, "b", "ours")
	merge(func(tx *store.Tx, base, theirs *store.Tree) error {
		for what, c := range map[string][2]string{
			"ours":   {show(t, tx.Tree()), "a=theirs b=ours"},
			"base":   {show(t, base), "a=theirs b=base"},
			"theirs": {show(t, theirs), "a=theirs again b=base"},
		} {
			if c[0] != c[1] {
				t.Errorf("%s: got %s, want %s", what, c[0], c[1])
			}
		}
		return tx.Put("c", []byte("made"))
	})
	if got, want := show(t, tree(t, ours)), "a=theirs b=ours c=made"; got != want {
		t.Errorf("merged: got %s, want %s", got, want)
	}
	if rev, _ := tree(t, ours).Commit(); len(rev.Parents) != 2 || rev.Parents[1] != tip(t, theirs) {
		t.Errorf("parents: %v", rev.Parents)
	}

	other := repo.Branch("other")
	put(t, other, "x", "alone")
	if err := other.MergeTrees(ctx, change("merge"), tip(t, ours), func(tx *store.Tx, base, theirs *store.Tree) error {
		if got := show(t, base); got != "" {
			t.Errorf("no common ancestor: got %s", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := other.MergeTrees(ctx, change("merge"), store.Hash{1}, never); err == nil {
		t.Error("a commit that is not there was merged")
	}
}
