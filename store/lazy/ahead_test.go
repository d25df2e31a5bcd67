package lazy_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"testing"

	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/object"
)

// tree opens the snapshot of a commit through a Store.
func tree(t *testing.T, s *lazy.Store, commit store.Hash) *store.Tree {
	t.Helper()
	tree, err := store.NewTree(soon(t), s, commit)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func readFile(t *testing.T, tree *store.Tree, name string) {
	t.Helper()
	f, err := tree.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(io.Discard, f); err != nil {
		t.Fatal(err)
	}
}

// TestReadAhead: reading one file after another takes few requests, and one of
// many takes few files along.
func TestReadAhead(t *testing.T) {
	objs, commit := site(1, 3, 1000, 300)
	h := newHost(objs...)
	s := lazily(t, h, 0)
	tr := tree(t, s, commit)
	readFile(t, tr, "folder-0001/file-00500")
	if n := s.Items(); n > 30 {
		t.Errorf("one file brought %d objects", n)
	}
	before := h.requests()
	for i := range 1000 {
		readFile(t, tr, fmt.Sprintf("folder-0000/file-%05d", i))
	}
	if n := h.requests() - before; n > 12 {
		t.Errorf("1000 files took %d requests", n)
	}
}

// TestListing: the sizes of all files of a folder take few requests.
func TestListing(t *testing.T) {
	objs, commit := site(1, 1, 1000, 300)
	h := newHost(objs...)
	s := lazily(t, h, 0)
	entries, err := tree(t, s, commit).ReadDir("folder-0000")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Size() != 300 {
			t.Fatalf("%s: got %v, %v", e.Name(), info, err)
		}
	}
	if n := h.requests(); n > 15 {
		t.Errorf("listing 1000 files took %d requests", n)
	}
}

// TestReadAheadOfLarge: of large files few are brought along once one has been seen.
func TestReadAheadOfLarge(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var objs []object.Object
	var entries []object.Entry
	for i := range 64 {
		o := blob(noise(random, 400<<10))
		objs = append(objs, o)
		entries = append(entries, object.Entry{Name: fmt.Sprintf("%02d", i), Mode: object.ModeFile, Hash: o.Hash()})
	}
	root := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, entries)}
	h := newHost(append(objs, root)...)
	s := lazily(t, h, 8<<20)
	tr := tree(t, s, root.Hash())
	for _, e := range entries {
		readFile(t, tr, path.Base(e.Name))
	}
	for i, asked := range h.asked[1:] {
		if i > 3 && asked > 16 {
			t.Errorf("request %d asked for %d objects of 400 KiB", i, asked)
		}
	}
	if used := s.Used(); used > 8<<20 {
		t.Errorf("used %d bytes of %d", used, 8<<20)
	}
}

// TestSubmodules: commits of other repositories are not asked for.
func TestSubmodules(t *testing.T) {
	a, b := blob([]byte("a")), blob([]byte("b"))
	root := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, []object.Entry{
		{Name: "a", Mode: object.ModeFile, Hash: a.Hash()},
		{Name: "elsewhere", Mode: object.ModeSubmodule, Hash: store.Hash{1}},
		{Name: "z", Mode: object.ModeFile, Hash: b.Hash()},
	})}
	h := newHost(a, b, root)
	s := lazily(t, h, 0)
	read(t, s, root)
	read(t, s, a)
	read(t, s.Held(), b)
	if n := h.requests(); n != 2 {
		t.Errorf("got %d requests, want 2", n)
	}
}
