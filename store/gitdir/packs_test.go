package gitdir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// TestPacksOfOthers: objects that git writes are found, loose and packed, and those in
// packs that git removes are found where they are now.
func TestPacksOfOthers(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	repo := string(d.root)
	a := commitOf(t, d, "a")
	git(t, repo, "update-ref", "refs/heads/a", a.String())
	streams := []io.ReadCloser{}
	for i := range 5 {
		if err := readHistory(d, a); err != nil {
			t.Errorf("round %d: %v", i, err)
		}
		r, err := d.Open(context.Background(), a)
		if err != nil {
			t.Fatal(err)
		}
		streams = append(streams, r)
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, fmt.Append(nil, "theirs", i), 0o600); err != nil {
			t.Fatal(err)
		}
		theirs := mustHash(t, git(t, repo, "hash-object", "-w", file))
		o, err := d.Object(context.Background(), theirs)
		if err != nil || string(o.Data) != fmt.Sprint("theirs", i) {
			t.Errorf("loose object: got %q, %v", o.Data, err)
		}
		git(t, repo, "repack", "-adfq")
	}
	for i, r := range streams {
		if data, err := io.ReadAll(r); err != nil || !bytes.HasPrefix(data, []byte("tree ")) {
			t.Errorf("stream opened in round %d: got %q, %v", i, data, err)
		}
		r.Close()
	}
}

// TestLargeLoose streams a loose object that Object refuses.
func TestLargeLoose(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	file := filepath.Join(t.TempDir(), "file")
	const size = store.MaxObject + 1
	if err := os.WriteFile(file, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	h := mustHash(t, git(t, string(d.root), "-c", "core.looseCompression=1", "hash-object", "-w", file))
	if _, err := d.Object(context.Background(), h); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("object: got %v, want too large", err)
	}
	if typ, n, err := d.Stat(context.Background(), h); err != nil || typ != object.TypeBlob || n != size {
		t.Errorf("stat: got %v, %d, %v", typ, n, err)
	}
	r, err := d.Open(context.Background(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.Copy(io.Discard, r); err != nil || n != size {
		t.Errorf("stream: got %d bytes, %v", n, err)
	}
}

// TestManyPacks reads from more packs than may be open at once.
func TestManyPacks(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	var hashes []store.Hash
	for i := range maxOpenPacks + 20 {
		o := object.Object{Type: object.TypeBlob, Data: fmt.Append(nil, i)}
		if err := d.Commit(context.Background(), []object.Object{o}, nil); err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, o.Hash())
	}
	for round := range 3 {
		for i, h := range hashes {
			if o, err := d.Object(context.Background(), h); err != nil || string(o.Data) != fmt.Sprint(i) {
				t.Fatalf("round %d: object %d: got %q, %v", round, i, o.Data, err)
			}
		}
	}
	for deadline := time.Now().Add(time.Minute); ; {
		d.files.mu.Lock()
		n := len(d.files.packs)
		d.files.mu.Unlock()
		if n <= maxOpenPacks {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("open packs: got %d, want at most %d", n, maxOpenPacks)
		}
	}
	if err := d.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(d.packs.now.Load().packs); n > smallPacks {
		t.Errorf("packs after maintenance: got %d, want at most %d", n, smallPacks)
	}
}

// TestMissIsCheap: an absent object costs no reading of folders once the
// folder has been quiet for a while.
func TestMissIsCheap(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	commitOf(t, d, "a")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(d.root.path(packFolder), old, old); err != nil {
		t.Fatal(err)
	}
	absent := object.Object{Type: object.TypeBlob, Data: []byte("absent")}.Hash()
	for range 2 {
		if _, _, err := d.Stat(context.Background(), absent); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want not exist", err)
		}
	}
	if !d.packs.settled {
		t.Error("the folder is read at every miss")
	}
}

// TestConflictLeavesNoPack: a commit that loses leaves nothing behind.
func TestConflictLeavesNoPack(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	objs, c := change(object.Zero, "f", "x")
	s := stage{d: d}
	if err := s.addPack(objs); err != nil {
		t.Fatal(err)
	}
	if err := s.sync(); err != nil {
		t.Fatal(err)
	}
	p, err := s.publish(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Object(context.Background(), c); err != nil {
		t.Error(err)
	}
	moved, err := d.moveRefs(context.Background(), []store.RefChange{{Name: "refs/heads/main", Old: c, New: c}}, "")
	var conflict *store.ConflictError
	if moved || !errors.As(err, &conflict) {
		t.Errorf("got %v, %v, want a conflict", moved, err)
	}
	p.retract()
	p.settle()
	if left, _ := os.ReadDir(d.root.path(packFolder)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := d.Object(context.Background(), c); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want not exist", err)
	}
}

// TestDamagedCopy: where one copy of an object is damaged another serves.
func TestDamagedCopy(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	wanted := object.Object{Type: object.TypeBlob, Data: []byte("wanted")}
	for i := range 2 {
		other := object.Object{Type: object.TypeBlob, Data: fmt.Append(nil, "other", i)}
		if err := d.Commit(context.Background(), []object.Object{wanted, other}, nil); err != nil {
			t.Fatal(err)
		}
	}
	packs, err := filepath.Glob(d.root.path(packFolder + "/*.pack"))
	if err != nil || len(packs) != 2 {
		t.Fatalf("packs: got %v, %v", packs, err)
	}
	for i, name := range packs {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		clear(data[13:20]) // in the first object, which is the wanted one
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = d.Object(context.Background(), wanted.Hash())
		if damaged := i == 1; (err != nil) != damaged || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%d copies damaged: got %v", i+1, err)
		}
	}
}

// TestDamagedPackStays: a damaged pack does not keep the others from being merged.
func TestDamagedPackStays(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	for i := range smallPacks + 1 {
		o := object.Object{Type: object.TypeBlob, Data: fmt.Append(nil, "object", i)}
		if err := d.Commit(context.Background(), []object.Object{o}, nil); err != nil {
			t.Fatal(err)
		}
	}
	bad := d.packs.now.Load().packs[3].name
	data, err := os.ReadFile(d.root.path(bad + ".pack"))
	if err != nil {
		t.Fatal(err)
	}
	clear(data[13:20])
	if err := os.WriteFile(d.root.path(bad+".pack"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.root.path(bad + ".pack")); err != nil {
		t.Errorf("the damaged pack: %v", err)
	}
	if n := len(d.packs.now.Load().packs); n != 2 {
		t.Errorf("packs: got %d, want 2", n)
	}
}

// TestMultiIndex: git's index over many packs does not outlive the packs.
func TestMultiIndex(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	put := func(from, to int) {
		for i := from; i < to; i++ {
			objs, c := change(object.Zero, "file", fmt.Sprint(i))
			name := fmt.Sprintf("refs/heads/b%d", i)
			if err := d.Commit(t.Context(), objs, []store.RefChange{{Name: name, New: c}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(0, smallPacks)
	git(t, string(d.root), "multi-pack-index", "write")
	put(smallPacks, smallPacks+1)
	if err := d.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	fsck(t, d)
	git(t, string(d.root), "gc", "-q")
	fsck(t, d)
}
