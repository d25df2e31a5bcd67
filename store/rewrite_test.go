package store_test

import (
	"fmt"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// TestForgedRewrite refuses messages that would pass for a rewrite's.
func TestForgedRewrite(t *testing.T) {
	r := store.New(mem.New(), store.Options{})
	put := func(tx *store.Tx) error { return tx.Put("a", []byte("1")) }
	line := "Cairn-Replaces: 0123456789012345678901234567890123456789 refs/heads/main"
	for _, message := range []string{line, "Subject\n\n" + line, "Subject\n\nBody.\n\nOther: x\n" + line + "\nMore: y"} {
		if err := r.Branch("main").Update(t.Context(), store.Change{Message: message}, put); err == nil {
			t.Errorf("a commit was made with the message %q", message)
		}
	}
	if err := r.Branch("main").Update(t.Context(), store.Change{Message: "What Cairn-Replaces: is"}, put); err != nil {
		t.Error(err)
	}
}

// TestRewriteFunc rewrites a branch again and again while others write to it: it always gets its turn, and what they were told
// of as written is there.
func TestRewriteFunc(t *testing.T) {
	backend := mem.New()
	r := store.New(backend, store.Options{})
	b := r.Branch("main")
	put(t, b, "a", "1")
	var writers sync.WaitGroup
	const files = 40
	for w := range 3 {
		writers.Go(func() {
			for i := range files {
				put(t, b, fmt.Sprint(w, "-", i), "x")
			}
		})
	}
	old := tip(t, b)
	for range 10 {
		err := b.RewriteFunc(t.Context(), change("begin anew"), func(from store.Revision) (store.Hash, []object.Object, error) {
			old = from.Hash
			root := *from.Commit
			root.Parents = nil
			o := object.Object{Type: object.TypeCommit, Data: root.Encode()}
			return o.Hash(), []object.Object{o}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	writers.Wait()
	commits := 0
	replaced := false
	for rev, err := range b.Log(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		commits++
		replaced = replaced || store.Replaces(rev.Commit, b.Ref(), old)
	}
	if !replaced {
		t.Error("no commit says that it replaces the one before the last rewrite")
	}
	if commits > 3*files+2 {
		t.Errorf("got %d commits, want at most %d", commits, 3*files+2)
	}
	for w := range 3 {
		for i := range files {
			if _, err := tree(t, b).Lookup(fmt.Sprint(w, "-", i)); err != nil {
				t.Error(err)
			}
		}
	}
	before := tip(t, b)
	if err := b.RewriteFunc(t.Context(), change("nothing"), func(store.Revision) (store.Hash, []object.Object, error) {
		return object.Zero, nil, nil
	}); err != nil || tip(t, b) != before {
		t.Errorf("nothing to do: %v", err)
	}
}
