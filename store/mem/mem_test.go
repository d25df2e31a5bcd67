package mem_test

import (
	"context"
	"testing"

	"cairn/store"
	"cairn/store/mem"
)

func TestFirst(t *testing.T) {
	ctx := context.Background()
	r := store.New(mem.New(), store.Options{})
	b := r.Branch("main")
	for _, s := range []string{"a/b/c", "d", "a.x"} {
		if err := b.Update(ctx, store.Change{Message: "put " + s}, func(tx *store.Tx) error { return tx.Put(s, []byte(s)) }); err != nil {
			t.Fatal(err)
		}
	}
	tr, err := b.Tree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for d, err := range new(store.Tree).Diff(ctx, tr) {
		t.Log(d, err)
	}
	got, _, err := tr.Blob("a/b/c")
	t.Log(string(got), err)
}
