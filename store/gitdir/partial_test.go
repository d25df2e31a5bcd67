package gitdir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// newPartial returns a partial repository with the last commit of a remote one and its
// trees, and the commit; files are not in it.
func newPartial(t *testing.T) (d *Dir, full *Dir, commit store.Hash) {
	t.Helper()
	full = newDir(t, Options{NoMaintenance: true})
	objs, parent := change(store.Hash{}, "first", "commit")
	var files []object.Entry
	for i := range 30 {
		o := object.Object{Type: object.TypeBlob, Data: fmt.Appendf(nil, "content %d", i)}
		objs = append(objs, o)
		files = append(files, object.Entry{Name: fmt.Sprintf("file-%02d", i), Mode: object.ModeFile, Hash: o.Hash()})
	}
	folder := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, files)}
	root := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, []object.Entry{{Name: "folder", Mode: object.ModeDir, Hash: folder.Hash()}})}
	who := object.Signature{Name: "A", Email: "a@example.org", When: time.Unix(1700000000, 0).UTC()}
	c := object.Commit{Tree: root.Hash(), Parents: []store.Hash{parent}, Author: who, Committer: who, Message: "files\n"}
	last := object.Object{Type: object.TypeCommit, Data: c.Encode()}
	objs, commit = append(objs, folder, root, last), last.Hash()
	if err := full.Commit(t.Context(), objs, []store.RefChange{{Name: "refs/heads/main", New: commit}}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "partial.git")
	if err := InitPartial(path); err != nil {
		t.Fatal(err)
	}
	d = openDir(t, path, Options{NoMaintenance: true, Partial: true})
	receiveFrom(t, d, full, commit.String()+"^{tree}", "--filter=blob:none", "--revs")
	receiveFrom(t, d, full, commit.String())
	return d, full, commit
}

// receiveFrom receives a pack of what another repository has under these names, as
// git packs it.
func receiveFrom(t *testing.T, d, from *Dir, names string, how ...string) {
	t.Helper()
	var lines []string
	for name := range strings.FieldsSeq(names) {
		lines = append(lines, git(t, string(from.root), "rev-parse", name))
	}
	cmd := exec.Command("git", append([]string{"-C", string(from.root), "pack-objects", "--stdout", "-q"}, how...)...)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	q, err := d.Receive(t.Context(), bytes.NewReader(data), d.Object, store.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Discard()
	if err := q.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// held lists every object in a repository.
func held(d *Dir) map[store.Hash]bool {
	all := map[store.Hash]bool{}
	list := d.packs.acquire()
	defer list.release()
	d.rescan(list)
	now := d.packs.acquire()
	defer now.release()
	for _, p := range now.packs {
		for h := range p.index.All() {
			all[h] = true
		}
	}
	return all
}

// lost compares what is held with what was.
func lost(t *testing.T, d *Dir, before map[store.Hash]bool, when string) {
	t.Helper()
	now := held(d)
	for h := range before {
		if !now[h] {
			t.Errorf("%s: object %v is gone", when, h)
		}
		if _, err := d.Object(t.Context(), h); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
}

// TestPartialKeeps: neither our maintenance nor git's takes what is absent for lost, or
// what no ref reaches for garbage.
func TestPartialKeeps(t *testing.T) {
	d, full, commit := newPartial(t)
	unreachable, _ := change(store.Hash{}, "unreachable", "by any ref")
	if err := d.Commit(t.Context(), unreachable, nil); err != nil {
		t.Fatal(err)
	}
	receiveFrom(t, d, full, commit.String()+":folder/file-03 "+commit.String()+":folder/file-07")
	before := held(d)

	// Long due: the prune of an ordinary repository would begin now.
	old := time.Now().AddDate(0, -2, 0)
	if err := os.WriteFile(d.root.path(prunedFile), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(d.root.path(prunedFile), old, old); err != nil {
		t.Fatal(err)
	}
	if err := d.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost(t, d, before, "maintained")

	for _, ref := range []string{"", "refs/heads/main"} {
		if ref != "" { // with a ref whose history is cut off, and most of whose files are absent
			if err := d.Commit(t.Context(), nil, []store.RefChange{{Name: ref, New: commit}}); err != nil {
				t.Fatal(err)
			}
		}
		git(t, string(d.root), "fsck")
		git(t, string(d.root), "gc", "-q", "--prune=now")
		lost(t, d, before, "git gc with ref "+ref)
		git(t, string(d.root), "fsck")
	}
	if err := d.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	lost(t, d, before, "maintained again")
	receiveFrom(t, d, full, commit.String()+":folder/file-04")
}

// TestPartialMerges: small packs of a partial repository become one, which is still promised.
func TestPartialMerges(t *testing.T) {
	d, full, commit := newPartial(t)
	for i := range smallPacks + 5 {
		receiveFrom(t, d, full, fmt.Sprintf("%v:folder/file-%02d", commit, i))
	}
	before := held(d)
	if err := d.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	packs, promised := glob(t, d, "*.pack"), glob(t, d, "*.promisor")
	if len(packs) > 10 || len(promised) != len(packs) {
		t.Errorf("got %d packs and %d that are promised", len(packs), len(promised))
	}
	lost(t, d, before, "merged")
	git(t, string(d.root), "fsck")
}

func glob(t *testing.T, d *Dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(d.root.path(packFolder + "/" + pattern))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestTrim removes whole packs, those that were read last at last, and leaves nothing of them.
func TestTrim(t *testing.T) {
	d, full, commit := newPartial(t)
	for i := range 20 {
		receiveFrom(t, d, full, fmt.Sprintf("%v:folder/file-%02d", commit, i))
	}
	used := mustHash(t, git(t, string(full.root), "rev-parse", commit.String()+":folder/file-02"))
	for range 2 { // the list is sorted when it changes
		if _, err := d.Object(t.Context(), used); err != nil {
			t.Fatal(err)
		}
		receiveFrom(t, d, full, commit.String()+":folder/file-25")
		d.packs.change(nil, nil)
	}
	all, err := d.PackBytes()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Trim(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	if left, err := d.PackBytes(); err != nil || left != all {
		t.Errorf("trimmed to what there is: got %d bytes of %d, %v", left, all, err)
	}
	bound := all / 4
	if err := d.Trim(t.Context(), bound); err != nil {
		t.Fatal(err)
	}
	if left, err := d.PackBytes(); err != nil || left > bound || left == 0 {
		t.Errorf("trimmed to %d: got %d bytes, %v", bound, left, err)
	}
	if _, err := d.Object(t.Context(), used); err != nil {
		t.Errorf("the file that was read last: %v", err)
	}
	if packs, rest := glob(t, d, "*.pack"), glob(t, d, "*.promisor"); len(packs) != len(rest) {
		t.Errorf("%d packs and %d .promisor files", len(packs), len(rest))
	}
	if err := d.Trim(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Object(t.Context(), used); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("everything trimmed: got %v, want %v", err, fs.ErrNotExist)
	}
	receiveFrom(t, d, full, commit.String()+":folder/file-02")
	if _, err := d.Object(t.Context(), used); err != nil {
		t.Errorf("brought again: %v", err)
	}
}

// TestPartialPromisesAgain: a pack that has lost its .promisor file gets it back.
func TestPartialPromisesAgain(t *testing.T) {
	d, _, _ := newPartial(t)
	path := string(d.root)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	before := glob(t, d, "*.promisor")
	if len(before) == 0 {
		t.Fatal("there are none")
	}
	for _, name := range before {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	d = openDir(t, path, Options{NoMaintenance: true, Partial: true})
	if after := glob(t, d, "*.promisor"); len(after) != len(before) {
		t.Errorf("got %d, want %d", len(after), len(before))
	}
}

// TestPartialOpen: each kind of repository is opened as what it is.
func TestPartialOpen(t *testing.T) {
	d, full, _ := newPartial(t)
	if other, err := Open(string(d.root), Options{}); err == nil {
		other.Close()
		t.Error("a partial repository was opened as a whole one")
	}
	if other, err := Open(string(full.root), Options{Partial: true}); err == nil {
		other.Close()
		t.Error("a whole repository was opened as a partial one")
	}
	if err := full.Trim(context.Background(), 0); err == nil {
		t.Error("a whole repository was trimmed")
	}
}
