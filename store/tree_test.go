package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// line is one entry of a hand-made tree.
func line(mode, name string, h store.Hash) string {
	return mode + " " + name + "\x00" + string(h[:])
}

// TestHostileTree reads a tree that no git would make.
func TestHostileTree(t *testing.T) {
	blob := object.Object{Type: object.TypeBlob, Data: []byte("content")}
	h := blob.Hash()
	inner := object.Object{Type: object.TypeTree, Data: []byte(line("100644", "x", h))}
	sub := inner.Hash()
	hostile := object.Object{Type: object.TypeTree, Data: []byte(
		line("100644", "z", h) + line("100644", "..", h) + line("40000", ".", sub) + line("100644", "a/b", h) +
			line("40000", ".git", sub) + line("100644", "\xff", h) + line("100664", "twice", h) + line("40000", "twice", sub) +
			line("40000", "twice", sub) + line("160000", "module", h) + line("120000", "link", h) +
			line("100644", "new\nline", h) + line("040000", "zero", sub) + line("100644", "/etc", h) + line("100644", "C:", h))}
	b := mem.New()
	if err := b.Commit(t.Context(), []object.Object{blob, inner, hostile}, nil); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (*store.Tree, error){
		"cached":  func() (*store.Tree, error) { return store.New(b, store.Options{}).Tree(t.Context(), hostile.Hash()) },
		"NewTree": func() (*store.Tree, error) { return store.NewTree(t.Context(), b, hostile.Hash()) },
	} {
		t.Run(name, func(t *testing.T) {
			got, err := open()
			if err != nil {
				t.Fatal(err)
			}
			if err := fstest.TestFS(got, "z", ".git/x", "twice", "module", "link", "new\nline", "zero/x", "C:"); err != nil {
				t.Error(err)
			}
			for _, path := range []string{"..", "../x", "a/b", "a", "./x", "/etc", "twice/x", "z/", "z/..", "//", "z\x00"} {
				if e, err := got.Lookup(path); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("lookup %q: got %v, %v, want %v", path, e, err, fs.ErrNotExist)
				}
				if _, err := got.Open(path); err == nil {
					t.Errorf("open %q: got no error", path)
				}
			}
			if _, _, err := got.Blob("\xff"); err != nil {
				t.Errorf("a name that is not UTF-8: %v", err)
			}
		})
	}
	// An edit leaves a tree that git accepts.
	main := store.New(b, store.Options{}).Branch("main")
	put(t, main, "x", "1")
	err := main.Update(t.Context(), change("take it over"), func(tx *store.Tx) error {
		return errors.Join(tx.Link("dir", object.Entry{Mode: object.ModeDir, Hash: hostile.Hash()}), tx.Remove("dir/.git"), tx.Put("dir/new", nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	mended, err := tree(t, main).Lookup("dir")
	if err != nil {
		t.Fatal(err)
	}
	o, err := b.Object(t.Context(), mended.Hash)
	if err != nil {
		t.Fatal(err)
	}
	if err := object.Check(object.TypeTree, o.Data); err != nil {
		t.Errorf("after an edit: %v", err)
	}
}

func TestEmptyTree(t *testing.T) {
	var none *store.Tree
	for _, tree := range []*store.Tree{none, new(store.Tree)} {
		if _, err := tree.Lookup("x"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("lookup: got %v, want %v", err, fs.ErrNotExist)
		}
		if e, err := tree.Lookup("."); err != nil || e.Hash.String() != "4b825dc642cb6eb9a060e54bf8d69288fbee4904" {
			t.Errorf("root: got %v, %v", e, err)
		}
		if list, err := tree.ReadDir("."); err != nil || len(list) != 0 {
			t.Errorf("readdir: got %v, %v", list, err)
		}
		if err := fstest.TestFS(tree); err != nil {
			t.Error(err)
		}
	}
}

func TestWrongTypes(t *testing.T) {
	main := newRepo().Branch("main")
	put(t, main, "a/b", "1")
	tree := tree(t, main)
	for _, path := range []string{"a", "."} {
		if _, _, err := tree.Blob(path); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("blob %q: got %v, want %v", path, err, fs.ErrInvalid)
		}
	}
	if _, err := tree.ReadDir("a/b"); err == nil {
		t.Error("readdir of a file: got no error")
	}
	if _, err := tree.ReadLink("a/b"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("readlink of a file: got %v, want %v", err, fs.ErrInvalid)
	}
	blob, err := tree.Lookup("a/b")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := main.Repo().Tree(t.Context(), blob.Hash); err == nil {
		t.Error("the tree of a blob: got no error")
	}
	_, wrong := errors.AsType[*store.TypeError](main.Update(t.Context(), change("x"), func(tx *store.Tx) error {
		return tx.Link("dir", object.Entry{Mode: object.ModeDir, Hash: blob.Hash})
	}))
	if !wrong {
		t.Error("a link to a blob as a folder: want a TypeError")
	}
}

func TestTagged(t *testing.T) {
	r := newRepo()
	commit := put(t, r.Branch("main"), "a", "1")
	tag := object.Tag{Object: commit, Type: object.TypeCommit, Name: "v1", Message: "one\n"}
	outer := object.Tag{Type: object.TypeTag, Name: "v1-again", Message: "two\n"}
	one := object.Object{Type: object.TypeTag, Data: tag.Encode()}
	outer.Object = one.Hash()
	two := object.Object{Type: object.TypeTag, Data: outer.Encode()}
	if err := r.Backend().Commit(t.Context(), []object.Object{one, two}, nil); err != nil {
		t.Fatal(err)
	}
	tree, err := r.Tree(t.Context(), two.Hash())
	if err != nil {
		t.Fatal(err)
	}
	if rev, ok := tree.Commit(); !ok || rev.Hash != commit {
		t.Errorf("got %v, want %v", rev.Hash, commit)
	}
}

// TestLargeFile reads a file that is streamed at random places.
func TestLargeFile(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	data := make([]byte, 3<<20)
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	main := newRepo().Branch("main")
	put(t, main, "large", string(data))
	f, err := tree(t, main).Open("large")
	if err != nil {
		t.Fatal(err)
	}
	r, at := f.(io.ReadSeeker), f.(io.ReaderAt)
	for range 50 {
		off := rnd.Int64N(int64(len(data)))
		want := data[off:min(off+1000, int64(len(data)))]
		got := make([]byte, 1000)
		if n, err := at.ReadAt(got, off); !bytes.Equal(got[:n], want) || err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("read at %d: got %d bytes, %v", off, n, err)
		}
		if _, err := r.Seek(off-int64(len(data)), io.SeekEnd); err != nil {
			t.Fatal(err)
		}
		if n, err := io.ReadFull(r, got[:len(want)]); !bytes.Equal(got[:n], want) || err != nil {
			t.Fatalf("seek to %d and read: got %d bytes, %v", off, n, err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read after close: got %v, want %v", err, fs.ErrClosed)
	}
}

// A counter counts the objects that are read from a backend.
type counter struct {
	store.Backend
	reads atomic.Int64
}

func (c *counter) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	c.reads.Add(1)
	return c.Backend.Object(ctx, h)
}

func TestDiffReadsWhatDiffers(t *testing.T) {
	c := &counter{Backend: mem.New()}
	main := fill(t, store.New(c, store.Options{}), 50, 10)
	old := tip(t, main)
	put(t, main, key(20, 5), "changed")
	cold := store.New(c, store.Options{})
	a, err := cold.Tree(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	b, err := cold.Tree(t.Context(), tip(t, main))
	if err != nil {
		t.Fatal(err)
	}
	c.reads.Store(0)
	for d, err := range a.Diff(t.Context(), b) {
		if err != nil || d.Path != key(20, 5) {
			t.Errorf("got %v, %v, want %v", d, err, key(20, 5))
		}
	}
	if got := c.reads.Load(); got != 2 {
		t.Errorf("got %d objects read, want 2", got)
	}
}

func TestDiff(t *testing.T) {
	rnd := seeded(0)
	main := newRepo().Branch("main")
	names := []string{"a", "a.b", "a-b", "a0", "b", "ab"}
	var trees []*store.Tree
	var models []map[string]object.Entry
	for range 30 {
		err := main.Update(t.Context(), change("edit"), func(tx *store.Tx) error {
			for range 5 {
				path := names[rnd.IntN(len(names))]
				for rnd.IntN(2) == 0 {
					path += "/" + names[rnd.IntN(len(names))]
				}
				var err error
				if _, err = tx.Lookup(path); err == nil && rnd.IntN(2) == 0 {
					err = tx.Remove(path)
				} else {
					err = tx.Put(path, fmt.Append(nil, rnd.IntN(4)))
				}
				if _, clash := errors.AsType[*store.ClashError](err); err != nil && !clash {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, tree(t, main))
		models = append(models, walk(t, trees[len(trees)-1]))
	}
	for i, a := range trees {
		for j, b := range trees {
			compareDiff(t, a, b, models[i], models[j])
		}
	}
}

// walk lists all files by way of fs.
func walk(t *testing.T, tree *store.Tree) map[string]object.Entry {
	files := map[string]object.Entry{}
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			files[path] = info.Sys().(object.Entry)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func compareDiff(t *testing.T, a, b *store.Tree, old, new map[string]object.Entry) {
	t.Helper()
	var want []store.Difference
	all := maps.Clone(old)
	maps.Copy(all, new)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		if old[path] != new[path] {
			want = append(want, store.Difference{Path: path, Old: old[path], New: new[path]})
		}
	}
	var got []store.Difference
	for d, err := range a.Diff(t.Context(), b) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d)
	}
	if !slices.Equal(got, want) {
		t.Errorf("diff: got %v, want %v", got, want)
	}
}

// TestDiffIsBounded: a tree that names itself many times over, and one that is
// very deep.
func TestDiffIsBounded(t *testing.T) {
	var objs []object.Object
	h := object.Object{Type: object.TypeTree}.Hash()
	leaf := object.Object{Type: object.TypeBlob}
	objs = append(objs, leaf, object.Object{Type: object.TypeTree})
	next := line("100644", "f", leaf.Hash())
	for range 3000 {
		o := object.Object{Type: object.TypeTree, Data: []byte(next)}
		objs = append(objs, o)
		h = o.Hash()
		next = line("40000", "a", h)
	}
	deep := h
	bomb := leaf.Hash()
	mode := "100644"
	for range 10 {
		var data strings.Builder
		for i := range 10 {
			data.WriteString(line(mode, fmt.Sprint(i), bomb))
		}
		o := object.Object{Type: object.TypeTree, Data: []byte(data.String())}
		objs = append(objs, o)
		bomb, mode = o.Hash(), "40000"
	}
	b := mem.New()
	if err := b.Commit(t.Context(), objs, nil); err != nil {
		t.Fatal(err)
	}
	open := func(h store.Hash) *store.Tree {
		tree, err := store.NewTree(t.Context(), b, h)
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	n := 0
	for _, err := range new(store.Tree).Diff(t.Context(), open(deep)) {
		if n++; err == nil {
			t.Error("diff of 3000 folders inside one another: got no error")
		}
	}
	if n != 1 {
		t.Errorf("got %d differences, want one error", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n = 0
	for _, err := range new(store.Tree).Diff(ctx, open(bomb)) {
		if n++; n == 1000 {
			cancel()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	}
	if n > 1100 {
		t.Errorf("got %d differences after ctx had ended, want an end", n-1000)
	}
}
