package lazy_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/lazy"
	"cairn/store/object"
)

func newFolder(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cache.git")
	if err := gitdir.InitPartial(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func openFolder(t *testing.T, path string) *gitdir.Dir {
	t.Helper()
	dir, err := gitdir.Open(path, gitdir.Options{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return dir
}

// readAll reads every object, trees first.
func readAll(t *testing.T, s *lazy.Store, objs []object.Object) {
	t.Helper()
	for _, o := range objs {
		if o.Type == object.TypeTree {
			read(t, s, o)
		}
	}
	for _, o := range objs {
		read(t, s, o)
	}
}

// TestWarmStart: what is in the folder is not asked for again.
func TestWarmStart(t *testing.T) {
	objs, _ := site(1, 3, 50, 1000)
	h := newHost(objs...)
	path := newFolder(t)
	dir := openFolder(t, path)
	s := lazy.New(lazy.Options{Folder: dir, Fetch: h.fetch})
	h.to = s.Fetched()
	readAll(t, s, objs)
	s.Close()
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	before := h.requests()
	if before == 0 || before > 40 {
		t.Errorf("cold: %d requests", before)
	}
	s = lazy.New(lazy.Options{Folder: openFolder(t, path), Fetch: h.fetch})
	defer s.Close()
	readAll(t, s, objs)
	if n := h.requests(); n != before {
		t.Errorf("warm: %d requests", n-before)
	}
}

// TestFolderBound reads more than the folder may hold, with git gc at work in it.
func TestFolderBound(t *testing.T) {
	const bound = 1 << 20
	objs, _ := site(1, 10, 60, 5000)
	h := newHost(objs...)
	path := newFolder(t)
	dir := openFolder(t, path)
	s := lazy.New(lazy.Options{Folder: dir, FolderBytes: bound, Fetch: h.fetch})
	defer s.Close()
	h.to = s.Fetched()
	for range 2 {
		readAll(t, s, objs)
		await(t, func() bool { // packs that are merged are there twice for a moment
			used, err := dir.PackBytes()
			if err != nil || used < bound/4 {
				t.Fatalf("the folder has %d bytes of %d, %v", used, bound, err)
			}
			return used <= bound
		})
		gc := exec.Command("git", "-C", path, "gc", "-q", "--prune=now")
		gc.Env = append(gc.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+t.TempDir())
		if out, err := gc.CombinedOutput(); err != nil {
			t.Errorf("git gc: %v: %s", err, out)
		}
	}
}

// TestFolderFull: a folder from which nothing may be removed refuses what is too much.
func TestFolderFull(t *testing.T) {
	dir := openFolder(t, newFolder(t))
	s := lazy.New(lazy.Options{Folder: dir, FolderBytes: 1 << 20})
	defer s.Close()
	random := rand.New(rand.NewPCG(1, 1))
	first := blob(noise(random, 600<<10))
	if err := s.Put(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	var full *lazy.FullError
	if err := s.Put(t.Context(), blob(noise(random, 600<<10))); !errors.As(err, &full) || !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("put of too much: got %v", err)
	}
	data, err := packOf(blob(noise(random, 600<<10)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(t.Context(), bytes.NewReader(data), nil, store.Limits{}); !errors.As(err, &full) {
		t.Errorf("pack of too much: got %v", err)
	}
	read(t, s, first)
}

// TestFolderKeepsUnpromised: what is not elsewhere is not trimmed.
func TestFolderKeepsUnpromised(t *testing.T) {
	objs, _ := site(1, 4, 60, 5000)
	h := newHost(objs...)
	dir := openFolder(t, newFolder(t))
	s := lazy.New(lazy.Options{Folder: dir, FolderBytes: 300 << 10, Fetch: h.fetch})
	defer s.Close()
	h.to = s.Fetched()
	pushed, _ := site(2, 1, 20, 1000)
	data, err := packOf(pushed...)
	if err != nil {
		t.Fatal(err)
	}
	q, err := s.Receive(t.Context(), bytes.NewReader(data), nil, store.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	readAll(t, s, objs)
	for _, o := range pushed {
		read(t, s.Held(), o)
	}
	h.add(pushed...)
	q.(lazy.Quarantine).Promise()
	readAll(t, s, objs)
	await(t, func() bool {
		used, err := dir.PackBytes()
		if err != nil {
			t.Fatal(err)
		}
		return used <= 300<<10
	})
	readAll(t, s, pushed)
}
