package lazy_test

import (
	"fmt"
	"testing"

	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/mem"
)

// BenchmarkFlatFolder reads files of a folder of 100,000 one after another, most of which are not
// here yet.
func BenchmarkFlatFolder(b *testing.B) {
	objs, commit := site(1, 1, 100_000, 100)
	h := newHost(objs...)
	s := lazy.New(lazy.Options{Fetch: h.fetch})
	defer s.Close()
	h.to = s.Fetched()
	m := mem.New()
	if err := m.Commit(b.Context(), nil, []store.RefChange{{Name: "refs/heads/main", New: commit}}); err != nil {
		b.Fatal(err)
	}
	tree, err := store.New(backend{s, m, m.Commit}, store.Options{}).Branch("main").Tree(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		if _, _, err := tree.Blob(fmt.Sprintf("folder-0000/file-%05d", n%100_000)); err != nil {
			b.Fatal(err)
		}
		n++
	}
}
