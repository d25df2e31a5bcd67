package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"

	"cairn/store"
	"cairn/store/object"
)

var repoTests = []test{
	{"Update", testUpdate},
	{"FS", testFS},
	{"Writers", testWriters},
	{"Branches", testBranches},
	{"ClashingBranch", testClashingBranch},
	{"Outsider", testOutsider},
	{"Watch", testWatch},
	{"Reopen", testReopen},
	{"Model", testModel},
	{"RacingModel", testRacingModel},
}

func change(format string, args ...any) store.Change {
	return store.Change{
		Author:  object.Signature{Name: "Tester", Email: "tester@localhost"},
		Message: fmt.Sprintf(format, args...),
	}
}

func update(t *testing.T, b *store.Branch, f func(*store.Tx) error) {
	t.Helper()
	if err := b.Update(soon(t), change("update %s", b.Name()), f); err != nil {
		t.Fatal(err)
	}
}

func snapshot(t *testing.T, b *store.Branch) *store.Tree {
	t.Helper()
	tree, err := b.Tree(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// holds checks that a tree holds exactly these files.
func holds(t *testing.T, tree *store.Tree, want map[string]string) {
	t.Helper()
	n := 0
	for d, err := range new(store.Tree).Diff(soon(t), tree) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		content, ok := want[d.Path]
		if !ok {
			t.Errorf("tree holds %q", d.Path)
			continue
		}
		if got, _, err := tree.Blob(d.Path); err != nil || string(got) != content {
			t.Errorf("%s: got %q, %v, want %q", d.Path, got, err, content)
		}
	}
	if n != len(want) {
		t.Errorf("tree: got %d files, want %d", n, len(want))
	}
}

func testUpdate(t *testing.T, b store.Backend) {
	r := store.New(b, store.Options{})
	main := r.Branch("site/www/main")
	if _, err := main.Tree(soon(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("tree of a branch that does not exist: got %v, want %v", err, fs.ErrNotExist)
	}
	update(t, main, func(tx *store.Tx) error { return nil })
	at(t, b, main.Ref(), object.Zero)

	want := map[string]string{"index.html": "hello", "a/b/c": "deep", "a.b": "dot", "empty": ""}
	update(t, main, func(tx *store.Tx) error {
		for name, content := range want {
			if err := tx.Put(name, []byte(content)); err != nil {
				return err
			}
		}
		return nil
	})
	tree := snapshot(t, main)
	holds(t, tree, want)
	first, ok := tree.Commit()
	if !ok || len(first.Parents) != 0 || first.Author.Name != "Tester" || first.Message != "update site/www/main\n" {
		t.Errorf("first commit: got %+v", first.Commit)
	}
	update(t, main, func(tx *store.Tx) error { return tx.Put("index.html", []byte("hello")) })
	at(t, b, main.Ref(), first.Hash)
	update(t, main, func(tx *store.Tx) error { return tx.Remove("a") })
	delete(want, "a/b/c")
	holds(t, snapshot(t, main), want)
	if rev, _ := snapshot(t, main).Commit(); len(rev.Parents) != 1 || rev.Parents[0] != first.Hash {
		t.Errorf("second commit: got %+v", rev.Commit)
	}
	boom := errors.New("boom")
	err := main.Update(soon(t), change("fail"), func(tx *store.Tx) error {
		return errors.Join(tx.Put("never", nil), boom)
	})
	if !errors.Is(err, boom) {
		t.Errorf("update: got %v, want %v", err, boom)
	}
	holds(t, snapshot(t, main), want)
}

func testFS(t *testing.T, b store.Backend) {
	main := store.New(b, store.Options{}).Branch("main")
	update(t, main, func(tx *store.Tx) error {
		return errors.Join(
			tx.Put("index.html", []byte("hello")),
			tx.Put("a/b/c", []byte("deep")),
			tx.Put("a-b", nil),
			tx.PutMode("run", object.ModeExecutable, []byte("#!/bin/sh\n")),
			tx.PutMode("link", object.ModeSymlink, []byte("a/b/c")),
		)
	})
	if err := fstest.TestFS(snapshot(t, main), "index.html", "a/b/c", "a-b", "run", "link"); err != nil {
		t.Error(err)
	}
	// A file that is streamed takes TestFS too long: it reads byte by byte.
	large := noise(3 << 20)
	update(t, main, func(tx *store.Tx) error { return tx.Put("large", large) })
	f, err := snapshot(t, main).Open("large")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, large) {
			t.Errorf("large file: got %d bytes, %v, want %d", len(got), err, len(large))
		}
		if _, err := f.(io.Seeker).Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// testWriters has many write to one branch at the same time, each a counter of
// its own and one that all share.
func testWriters(t *testing.T, b store.Backend) {
	const writers, rounds = 16, 10
	main := store.New(b, store.Options{}).Branch("main")
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range rounds {
				err := main.Update(context.Background(), change("writer %d", w), func(tx *store.Tx) error {
					return errors.Join(increment(tx, "shared"), increment(tx, fmt.Sprintf("own/%d", w)))
				})
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	wg.Wait()
	want := map[string]string{"shared": fmt.Sprint(writers * rounds)}
	for w := range writers {
		want[fmt.Sprintf("own/%d", w)] = fmt.Sprint(rounds)
	}
	holds(t, snapshot(t, main), want)
	commits := 0
	for rev, err := range main.Log(soon(t), "") {
		if err != nil {
			t.Fatal(err)
		}
		if len(rev.Parents) > 1 {
			t.Errorf("commit %v has %d parents", rev.Hash, len(rev.Parents))
		}
		commits++
	}
	if commits != writers*rounds {
		t.Errorf("log: got %d commits, want %d", commits, writers*rounds)
	}
}

// increment adds one to the number in a file.
func increment(tx *store.Tx, path string) error {
	n := 0
	data, err := tx.ReadFile(path)
	if err == nil {
		_, err = fmt.Sscan(string(data), &n)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, tx.Put(path, fmt.Append(nil, n+1)))
}

// testBranches moves a coin between branches, concurrently and in both
// directions; every commit to one of them must show in all.
func testBranches(t *testing.T, b store.Backend) {
	r := store.New(b, store.Options{})
	names := []string{"dav/alice", "dav/bob", "dav/carol"}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for range 5 {
				pair := []string{names[(w+1)%3], names[w%3]}
				err := r.Update(context.Background(), change("move"), pair, func(txs map[string]*store.Tx) error {
					return errors.Join(increment(txs[pair[0]], "moves"), increment(txs[pair[1]], "moves"))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		holds(t, snapshot(t, r.Branch(name)), map[string]string{"moves": "20"})
	}
	boom := errors.New("boom")
	err := r.Update(soon(t), change("fail"), names, func(txs map[string]*store.Tx) error {
		return errors.Join(txs[names[0]].Put("x", nil), boom)
	})
	if !errors.Is(err, boom) {
		t.Errorf("update: got %v, want %v", err, boom)
	}
	holds(t, snapshot(t, r.Branch(names[0])), map[string]string{"moves": "20"})
	var got []string
	for branch, err := range r.Branches(soon(t), "dav/") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, branch.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		t.Errorf("branches: got %q, want %q", got, names)
	}
}

// testClashingBranch makes a branch that cannot be, beside others that can:
// only its own Update fails.
func testClashingBranch(t *testing.T, b store.Backend) {
	r := store.New(b, store.Options{})
	update(t, r.Branch("a"), func(tx *store.Tx) error { return tx.Put("x", nil) })
	var wg sync.WaitGroup
	for i := range 16 {
		name, bad := fmt.Sprintf("b/%d", i), i%4 == 3
		if bad {
			name = fmt.Sprintf("a/%d", i)
		}
		wg.Go(func() {
			err := r.Branch(name).Update(context.Background(), change("create"), func(tx *store.Tx) error { return tx.Put("x", nil) })
			if bad != (err != nil) {
				t.Errorf("branch %s: got %v, want an error: %v", name, err, bad)
			}
		})
	}
	wg.Wait()
}

// testOutsider has somebody else move the branch past the Repo.
func testOutsider(t *testing.T, b store.Backend) {
	const rounds = 20
	main := store.New(b, store.Options{}).Branch("main")
	outside := store.New(b, store.Options{}).Branch("main")
	var wg sync.WaitGroup
	for i, branch := range []*store.Branch{main, outside, main, outside} {
		wg.Go(func() {
			for range rounds {
				err := branch.Update(context.Background(), change("writer %d", i), func(tx *store.Tx) error { return increment(tx, "n") })
				if err != nil {
					t.Errorf("writer %d: %v", i, err)
				}
			}
		})
	}
	wg.Wait()
	want := map[string]string{"n": fmt.Sprint(4 * rounds)}
	holds(t, snapshot(t, main), want)
	holds(t, snapshot(t, outside), want)
}

func testWatch(t *testing.T, b store.Backend) {
	r := store.New(b, store.Options{})
	main := r.Branch("main")
	const last = 20
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range last + 1 {
			err := main.Update(context.Background(), change("%d", i), func(tx *store.Tx) error { return tx.Put("n", fmt.Append(nil, i)) })
			if err != nil {
				t.Error(err)
			}
		}
	})
	seen := -1
	for tree, err := range main.Watch(soon(t)) {
		if err != nil {
			t.Fatal(err)
		}
		data, _, err := tree.Blob("n")
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if _, err := fmt.Sscan(string(data), &n); err != nil || n <= seen {
			t.Fatalf("watch: got %q after %d", data, seen)
		}
		if seen = n; n == last {
			break
		}
	}
	wg.Wait()
	if seen != last {
		t.Errorf("watch: got %d as the last, want %d", seen, last)
	}
}

// testReopen checks that nothing lives in the Repo alone.
func testReopen(t *testing.T, b store.Backend) {
	update(t, store.New(b, store.Options{}).Branch("main"), func(tx *store.Tx) error { return tx.Put("a/b", []byte("kept")) })
	holds(t, snapshot(t, store.New(b, store.Options{}).Branch("main")), map[string]string{"a/b": "kept"})
}
