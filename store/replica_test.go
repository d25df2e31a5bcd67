package store_test

import (
	"fmt"
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

// Two processes that make the same change at the same time make two commits, and so does one that
// makes it twice.
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
	if one.Hash == two.Hash || one.Hash == named.Hash {
		t.Errorf("got %v, %v and %v, want three commits", one.Hash, two.Hash, named.Hash)
	}
	for want, rev := range map[string]store.Revision{"two": two, "one": named} {
		var name string
		var n uint32
		if len(rev.Extra) != 1 || rev.Extra[0].Key != "replica" {
			t.Fatalf("headers: got %v, want replica alone", rev.Extra)
		}
		if _, err := fmt.Sscanf(rev.Extra[0].Value, "%s %08x", &name, &n); err != nil || name != want {
			t.Errorf("header: got %q, want %s and a number", rev.Extra[0].Value, want)
		}
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
