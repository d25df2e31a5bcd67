package store_test

import (
	"slices"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A replicated is a backend that other processes write to.
type replicated struct {
	*mem.Backend
	name string
}

func (r replicated) Replica() string { return r.name }

// Two processes that make the same change at the same time make two commits.
func TestReplica(t *testing.T) {
	commit := func(b store.Backend, o store.Options) store.Revision {
		t.Helper()
		o.Now = func() time.Time { return time.Unix(1700000000, 0) }
		branch := store.New(b, o).Branch("main")
		who := store.Change{Author: object.Signature{Name: "A", Email: "a@localhost", When: o.Now()}, Message: "same"}
		if err := branch.Update(t.Context(), who, func(tx *store.Tx) error { return tx.Put("a", nil) }); err != nil {
			t.Fatal(err)
		}
		tree, err := branch.Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rev, _ := tree.Commit()
		return rev
	}
	one := commit(replicated{mem.New(), "one"}, store.Options{})
	two := commit(replicated{mem.New(), "two"}, store.Options{})
	named := commit(mem.New(), store.Options{Replica: "one"})
	alone := commit(mem.New(), store.Options{})
	if one.Hash == two.Hash {
		t.Errorf("both made %v", one.Hash)
	}
	if one.Hash != named.Hash {
		t.Errorf("the backend's name and the option's: got %v and %v, want the same", one.Hash, named.Hash)
	}
	if want := []object.Header{{Key: "replica", Value: "one"}}; !slices.Equal(one.Extra, want) {
		t.Errorf("headers: got %v, want %v", one.Extra, want)
	}
	if len(alone.Extra) != 0 {
		t.Errorf("headers of one without replicas: got %v, want none", alone.Extra)
	}
	for _, rev := range []store.Revision{one, alone} {
		if err := object.Check(object.TypeCommit, rev.Encode()); err != nil {
			t.Error(err)
		}
	}
}
