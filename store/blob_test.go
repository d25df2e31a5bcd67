package store_test

import (
	"context"
	"fmt"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A counting backend knows how many bytes of blobs it was given.
type counting struct {
	*mem.Backend
	blobs int
}

func (c *counting) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	for _, o := range objs {
		if o.Type == object.TypeBlob {
			c.blobs += len(o.Data)
		}
	}
	return c.Backend.Commit(ctx, objs, changes)
}

// TestBlob puts one content on many branches: it is written once.
func TestBlob(t *testing.T) {
	b := &counting{Backend: mem.New()}
	r := store.New(b, store.Options{})
	blob := store.NewBlob(make([]byte, 10_000))
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprint("mail/", i))
	}
	err := r.Update(t.Context(), change("put"), names, func(txs map[string]*store.Tx) error {
		for _, tx := range txs {
			if err := tx.PutBlob("a/b", blob); err != nil {
				return err
			}
			if data, h, err := tx.Blob("a/b"); err != nil || len(data) != 10_000 || h != blob.Hash() {
				t.Errorf("got %d bytes, %v, %v", len(data), h, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.blobs != 10_000 {
		t.Errorf("%d bytes were written, want 10000", b.blobs)
	}
	for _, name := range names {
		if _, h, err := tree(t, r.Branch(name)).Blob("a/b"); err != nil || h != blob.Hash() {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
	large := store.NewBlob(make([]byte, store.MaxObject+1))
	err = r.Branch("main").Update(t.Context(), change("put"), func(tx *store.Tx) error { return tx.PutBlob("a", large) })
	if err == nil {
		t.Error("a blob above MaxObject was put")
	}
}
