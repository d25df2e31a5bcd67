package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// edit runs f on a Tx of a branch that holds files, and returns its error.
func edit(t testing.TB, f func(*store.Tx) error, files ...string) (*store.Branch, error) {
	t.Helper()
	main := newRepo().Branch("main")
	put(t, main, append(files, "z", "z")...)
	return main, main.Update(context.Background(), change("edit"), f)
}

func TestTxNames(t *testing.T) {
	for _, path := range []string{
		"", ".", "..", "/", "a/", "/a", "a//b", "a/./b", "a/../b", ".git", ".GIT/config", "a/.Git", "git~1", ".git.", ".git ",
		".g\u200cit", "a\x00b", "\xff", strings.Repeat("x", 256), strings.Repeat("x/", 2048) + "x", "a/" + strings.Repeat("é", 128),
	} {
		_, err := edit(t, func(tx *store.Tx) error { return tx.Put(path, nil) })
		if _, ok := errors.AsType[*object.NameError](err); !ok {
			t.Errorf("put %q: got %v, want an *object.NameError", path, err)
		}
		_, err = edit(t, func(tx *store.Tx) error {
			e, err := tx.Lookup("z")
			return errors.Join(err, tx.Link(path, e))
		})
		if _, ok := errors.AsType[*object.NameError](err); !ok {
			t.Errorf("link %q: got %v, want an *object.NameError", path, err)
		}
	}
	for _, path := range []string{"a", "...", "a b", ".gitignore", "é/ü", "a\nb", strings.Repeat("x", 255), "con", "a:b"} {
		main, err := edit(t, func(tx *store.Tx) error { return tx.Put(path, []byte("1")) })
		if err != nil {
			t.Errorf("put %q: %v", path, err)
			continue
		}
		if got, _, err := tree(t, main).Blob(path); err != nil || string(got) != "1" {
			t.Errorf("blob %q: got %q, %v", path, got, err)
		}
	}
	_, err := edit(t, func(tx *store.Tx) error { return tx.PutMode(".gitmodules", object.ModeSymlink, []byte("z")) })
	if _, ok := errors.AsType[*object.NameError](err); !ok {
		t.Errorf(".gitmodules as a symlink: got %v, want an *object.NameError", err)
	}
}

func TestTxClash(t *testing.T) {
	for _, test := range []struct{ path, at string }{{"a/b", "a"}, {"a/b/c", "a"}, {"d", "d"}, {"d/e/f", "d/e"}} {
		_, err := edit(t, func(tx *store.Tx) error { return tx.Put(test.path, nil) }, "a", "1", "d/e", "1")
		c, ok := errors.AsType[*store.ClashError](err)
		if !ok || c.Path != test.path || c.At != test.at {
			t.Errorf("put %s: got %v, want a clash at %s", test.path, err, test.at)
		}
	}
	main, err := edit(t, func(tx *store.Tx) error {
		return errors.Join(tx.Remove("d/e"), tx.Put("d", []byte("2")), tx.Remove("a"), tx.Put("a/b", []byte("2")))
	}, "a", "1", "d/e", "1")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(t, tree(t, main)), "a/b=2 d=2 z=z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTxReadsItsEdits(t *testing.T) {
	main, err := edit(t, func(tx *store.Tx) error {
		before, err := tx.Lookup("d")
		if err != nil {
			return err
		}
		if err := errors.Join(tx.Put("d/new", []byte("n")), tx.Remove("d/old"), tx.Put("a", []byte("2"))); err != nil {
			return err
		}
		if got, err := tx.ReadFile("d/new"); err != nil || string(got) != "n" {
			t.Errorf("d/new: got %q, %v", got, err)
		}
		if _, err := tx.ReadFile("d/old"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("d/old: got %v, want %v", err, fs.ErrNotExist)
		}
		if got, _, err := tx.Tree().Blob("a"); err != nil || string(got) != "1" {
			t.Errorf("a at the start: got %q, %v", got, err)
		}
		var names []string
		for e, err := range tx.Entries("d") {
			if err != nil {
				return err
			}
			names = append(names, e.Name)
		}
		if got, want := fmt.Sprint(names), "[keep new]"; got != want {
			t.Errorf("entries of d: got %v, want %v", got, want)
		}
		after, err := tx.Lookup("d")
		if err != nil || after.Hash == before.Hash {
			t.Errorf("d: got %v, %v, want another hash than %v", after, err, before)
		}
		// A copy of a folder as it is now, which then changes.
		return errors.Join(tx.Link("copy", after), tx.Put("d/newer", nil), tx.Remove("copy/keep"), tx.Link("older", before))
	}, "a", "1", "d/old", "1", "d/keep", "1")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(t, tree(t, main)), "a=2 copy/new=n d/keep=1 d/new=n d/newer= older/keep=1 older/old=1 z=z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTxMissing(t *testing.T) {
	absent := object.Object{Type: object.TypeBlob, Data: []byte("never stored")}.Hash()
	for name, f := range map[string]func(*store.Tx) error{
		"remove":         func(tx *store.Tx) error { return tx.Remove("absent") },
		"remove below":   func(tx *store.Tx) error { return tx.Remove("z/absent") },
		"blob":           func(tx *store.Tx) error { _, _, err := tx.Blob("absent"); return err },
		"link to a file": func(tx *store.Tx) error { return tx.Link("x", object.Entry{Mode: object.ModeFile, Hash: absent}) },
		"link to a tree": func(tx *store.Tx) error { return tx.Link("x", object.Entry{Mode: object.ModeDir, Hash: absent}) },
	} {
		if _, err := edit(t, f); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want %v", name, err, fs.ErrNotExist)
		}
	}
	for name, f := range map[string]func(*store.Tx) error{
		"remove the root": func(tx *store.Tx) error { return tx.Remove(".") },
		"a folder's mode": func(tx *store.Tx) error { return tx.PutMode("x", object.ModeDir, nil) },
	} {
		if _, err := edit(t, f); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: got %v, want %v", name, err, fs.ErrInvalid)
		}
	}
}

func TestTxKeepsMode(t *testing.T) {
	main, err := edit(t, func(tx *store.Tx) error {
		return errors.Join(tx.PutMode("run", object.ModeExecutable, nil), tx.PutMode("link", object.ModeSymlink, []byte("z")))
	})
	if err != nil {
		t.Fatal(err)
	}
	put(t, main, "run", "2", "link", "2")
	for path, want := range map[string]object.Mode{"run": object.ModeExecutable, "link": object.ModeFile} {
		if e, err := tree(t, main).Lookup(path); err != nil || e.Mode != want {
			t.Errorf("%s: got %v, %v, want %v", path, e.Mode, err, want)
		}
	}
}

func TestTxCopiesData(t *testing.T) {
	data := []byte("before")
	main, err := edit(t, func(tx *store.Tx) error {
		defer copy(data, "AFTER!")
		return tx.Put("a", data)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := show(t, tree(t, main)); got != "a=before z=z" {
		t.Errorf("got %s, want a=before z=z", got)
	}
}

// A recorder remembers what was committed last.
type recorder struct {
	store.Backend
	objs []object.Object
}

func (r *recorder) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	r.objs = objs
	return r.Backend.Commit(ctx, objs, changes)
}

// TestTxWritesWhatChanged: the objects of a commit, and what each is an edit
// of.
func TestTxWritesWhatChanged(t *testing.T) {
	rec := &recorder{Backend: mem.New()}
	main := fill(t, store.New(rec, store.Options{}), 20, 20)
	before := tree(t, main)
	folder, file := "07", key(7, 3)
	err := main.Update(t.Context(), change("edit"), func(tx *store.Tx) error {
		if err := errors.Join(tx.Put(file, []byte("overwritten")), tx.Put("gone/soon", []byte("never written"))); err != nil {
			return err
		}
		if _, err := tx.Lookup(folder); err != nil { // makes a tree that does not stay
			return err
		}
		return errors.Join(tx.Put(file, []byte("new")), tx.Put(key(7, 4), []byte("7 4\n")), tx.Remove("gone"))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[object.Type]string{object.TypeBlob: file, object.TypeTree: folder}
	if len(rec.objs) != 4 {
		t.Errorf("got %d objects, want a blob, two trees and a commit", len(rec.objs))
	}
	for _, o := range rec.objs {
		path := want[o.Type]
		if o.Type == object.TypeTree && bytes.Contains(o.Data, []byte("07\x00")) {
			path = "."
		}
		if path == "" {
			continue
		}
		if e, err := before.Lookup(path); err != nil || o.Base != e.Hash {
			t.Errorf("base of the %v at %s: got %v, want %v, %v", o.Type, path, o.Base, e.Hash, err)
		}
	}
}

// FuzzTxKeys writes under any two keys. What is accepted can be read again and
// git fsck has nothing against it; the rest gives a typed error.
func FuzzTxKeys(f *testing.F) {
	for _, seed := range [][2]string{{"a", "a/b"}, {"a.b/c", "a/c"}, {".git/x", "..x"}, {"é", "e\u0301"}, {"a\x00", "\xff"}, {"a//b", ""}, {".gitmodules", "x"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		b := mem.New()
		main := store.New(b, store.Options{}).Branch("main")
		want := map[string]string{"z": "z"}
		err := main.Update(t.Context(), change("edit"), func(tx *store.Tx) error {
			for i, path := range []string{"z", one, two} {
				err := tx.Put(path, []byte(path))
				_, badName := errors.AsType[*object.NameError](err)
				_, clash := errors.AsType[*store.ClashError](err)
				switch {
				case err == nil:
					want[path] = path
				case !badName && (!clash || i == 0):
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := show(t, tree(t, main)); got != showFiles(want) {
			t.Errorf("got %q, want %q", got, showFiles(want))
		}
		e, err := tree(t, main).Lookup(".")
		if err != nil {
			t.Fatal(err)
		}
		checkTrees(t, b, e.Hash)
	})
}

func checkTrees(t *testing.T, b store.Backend, h store.Hash) {
	o, err := b.Object(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := object.Check(o.Type, o.Data); err != nil {
		t.Errorf("tree %v: %v", h, err)
	}
	entries, err := object.ParseTree(o.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Mode == object.ModeDir {
			checkTrees(t, b, e.Hash)
		}
	}
}
