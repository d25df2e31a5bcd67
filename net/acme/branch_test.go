package acme

import (
	"testing"

	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A branch of secrets is a storage: a second replica has what the first got, and
// all that a clone shows is sealed.
func TestBranch(t *testing.T) {
	t.Parallel()
	branch := store.New(mem.New(), store.Options{}).Branch("secrets")
	replica := func() secrets.Folder {
		s, err := secrets.Open(branch, [32]byte{1})
		if err != nil {
			t.Fatal(err)
		}
		return secrets.Folder{Secrets: s, Path: "acme", By: object.Signature{Name: "Cairn", Email: "cairn@localhost"}}
	}
	l := newLab(t, 90*days)
	m := l.manager(func(o *Options) { o.Storage = replica() })
	l.run(m)
	l.await(m)
	want := l.leaf("example.org", l.pebble.roots())
	l.manager(func(o *Options) { o.Storage, o.Net = replica(), noNet{t: t} })
	if got := l.leaf("example.org", nil); !got.Equal(want) {
		t.Error("the second replica serves another certificate")
	}
	tree, err := branch.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := replica().Secrets.Check(tree); err != nil {
		t.Error(err)
	}
}
