package remote

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/lazy"
	"cairn/store/object"
)

// partialIn opens a folder of copies, and makes it first.
func partialIn(t *testing.T, path string) *gitdir.Dir {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		if err := gitdir.InitPartial(path); err != nil {
			t.Fatal(err)
		}
	}
	d, err := gitdir.Open(path, gitdir.Options{NoMaintenance: true, Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// remembers says what a folder has as a ref; Zero when it has none.
func remembers(t *testing.T, d store.Backend, name string) store.Hash {
	t.Helper()
	for ref, err := range d.Refs(soon(t), name) {
		if err != nil {
			t.Fatal(err)
		}
		if ref.Name == name {
			return ref.Hash
		}
	}
	return store.Hash{}
}

// What has not changed is not written to the folder again.
func TestFolderIsWrittenOnce(t *testing.T) {
	h := githost.New(t, githost.Daemon)
	fill(t, h, 2)
	forks(t, h, 0, 50)
	d := partialIn(t, filepath.Join(t.TempDir(), "f.git"))
	r := open(t, h, func(o *Options) { unaware(o); o.Folder = d })
	if err := r.write(soon(t)); err != nil {
		t.Fatal(err)
	}
	ends, size := remembers(t, d, endsRef), packBytes(t, d)
	for range 3 {
		r.mu.Lock()
		r.dirty = true
		r.mu.Unlock()
		if err := r.write(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got := remembers(t, d, endsRef); got != ends {
		t.Error("the same ends of history are remembered in another order")
	}
	if got := packBytes(t, d); got != size {
		t.Errorf("the folder has grown from %d to %d bytes", size, got)
	}
}

func packBytes(t *testing.T, d *gitdir.Dir) int64 {
	t.Helper()
	n, err := d.PackBytes()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A branch gives way to one below its name, which stock git allows as two steps.
func TestFolderBranchBecomesFolder(t *testing.T) {
	h := githost.New(t, githost.Daemon)
	fill(t, h, 1)
	h.Git("update-ref", "refs/heads/a", "main")
	h.Git("update-ref", "refs/heads/c/d", "main")
	d := partialIn(t, filepath.Join(t.TempDir(), "f.git"))
	r := open(t, h, func(o *Options) { unaware(o); o.Folder = d })
	if err := r.write(soon(t)); err != nil {
		t.Fatal(err)
	}
	h.Git("update-ref", "-d", "refs/heads/a")
	h.Git("update-ref", "-d", "refs/heads/c/d")
	h.Git("update-ref", "refs/heads/a/b", "main")
	h.Git("update-ref", "refs/heads/c", "main")
	if err := errors.Join(r.sync(soon(t)), r.write(soon(t))); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]store.Hash{"a": {}, "a/b": r.tip(t), "c": r.tip(t), "c/d": {}} {
		if got := remembers(t, d, "refs/heads/"+name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// Names that a folder cannot hold beside each other do not keep it from remembering the rest.
func TestFolderImpossibleNames(t *testing.T) {
	h := githost.New(t, githost.Daemon)
	fill(t, h, 1)
	d := partialIn(t, filepath.Join(t.TempDir(), "f.git"))
	r := open(t, h, func(o *Options) { unaware(o); o.Folder = d })
	tip := r.tip(t)
	r.wire.mu.Lock()
	r.wire.onRefs = func(_ context.Context, refs []store.Ref) []store.Ref {
		return append(refs, store.Ref{Name: "refs/heads/a", Hash: tip}, store.Ref{Name: "refs/heads/a/b", Hash: tip},
			store.Ref{Name: "refs/heads/z", Hash: tip})
	}
	r.wire.mu.Unlock()
	if err := r.sync(soon(t)); err != nil {
		t.Fatal(err)
	}
	_ = r.write(soon(t))
	for _, name := range []string{"main", "z"} {
		if got := remembers(t, d, "refs/heads/"+name); got != tip {
			t.Errorf("%s: got %v, want %v", name, got, tip)
		}
	}
}

// failing is a folder that cannot be written to for a while.
type failing struct {
	lazy.Folder
	full atomic.Bool
}

// Commit implements store.Backend.
func (f *failing) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if f.full.Load() {
		return store.ErrTemporary
	}
	return f.Folder.Commit(ctx, objs, changes)
}

// Receive implements store.Receiver.
func (f *failing) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	if f.full.Load() {
		return nil, store.ErrTemporary
	}
	return f.Folder.Receive(ctx, r, base, lim)
}

// A full disk on this side is not a host that is away: writes go on.
func TestFolderFullIsNotAway(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	f := &failing{Folder: partialIn(t, filepath.Join(t.TempDir(), "f.git"))}
	r, other := open(t, h, func(o *Options) { unaware(o); o.Folder = f }), open(t, h, nil)
	other.put(t, "a", "1")
	f.full.Store(true)
	if err := r.sync(soon(t)); !errors.Is(err, store.ErrTemporary) {
		t.Errorf("look: got %v, want %v", err, store.ErrTemporary)
	}
	if away := r.Status().Away; !away.IsZero() {
		t.Error("the host is taken to be away")
	}
	if err := r.repo.Branch("other").Update(soon(t), change("x"), func(tx *store.Tx) error { return tx.Put("x", nil) }); err != nil {
		t.Errorf("write: %v", err)
	}
	f.full.Store(false)
	if err := r.sync(soon(t)); err != nil {
		t.Error(err)
	}
	if got, want := r.tip(t).String(), hostTip(t, h); got != want {
		t.Errorf("reads see %s, want %s", got, want)
	}
}

// What could not be remembered for a while, on a full disk, is remembered after all.
func TestFolderFull(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	d := partialIn(t, filepath.Join(t.TempDir(), "f.git"))
	f := &failing{Folder: d}
	r := open(t, h, func(o *Options) { o.Folder = f })
	f.full.Store(true)
	r.put(t, "a", "1") // is acknowledged: it is at the host
	if err := r.write(soon(t)); err == nil {
		t.Fatal("the folder is not full")
	}
	f.full.Store(false)
	if _, err := r.repo.Branch("main").Tree(soon(t)); err != nil {
		t.Error(err)
	}
	until(t, "it is remembered", func() bool { return remembers(t, d, "refs/heads/main") == r.tip(t) })
}

// A folder from which objects were removed still knows what the refs were: a rewind that
// happened meanwhile is noticed, and reads go to the host.
func TestFolderTrimmed(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	path := filepath.Join(t.TempDir(), "f.git")
	d := partialIn(t, path)
	r := open(t, h, func(o *Options) { o.Folder = d })
	for _, line := range []string{"1", "2"} {
		if err := r.count(soon(t), line); err != nil {
			t.Fatal(err)
		}
	}
	other := open(t, h, nil)
	other.repo.Branch("main").Fork(soon(t), "other")
	until(t, "it is seen", func() bool { return len(r.list("refs/heads/")) == 2 })
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Trim(soon(t), 0); err != nil {
		t.Fatal(err)
	}
	if n := packBytes(t, d); n != 0 {
		t.Fatalf("%d bytes are left", n)
	}
	good, host := rewindHost(t, h)
	r = open(t, h, func(o *Options) { o.Folder = d })
	if got := r.Status().Rewound; len(got) != 1 || got[0].Good != good || got[0].Host != host {
		t.Errorf("rewound: got %v, want from %v to %v", got, good, host)
	}
	if err := r.repo.Branch("other").Update(soon(t), change("x"), func(tx *store.Tx) error { return tx.Put("x", nil) }); err != nil {
		t.Error(err)
	}
}
