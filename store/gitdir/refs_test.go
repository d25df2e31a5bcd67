package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// commitOf puts a commit into the repository and returns it.
func commitOf(t *testing.T, d *Dir, text string) store.Hash {
	t.Helper()
	objs, c := change(object.Zero, "file", text)
	if err := d.Commit(context.Background(), objs, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRefsOfOthers has git change refs in every way it knows; what we read is
// right at the latest refTTL later.
func TestRefsOfOthers(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	repo := string(d.root)
	a, b := commitOf(t, d, "a"), commitOf(t, d, "b")
	tag := func() store.Hash { return mustHash(t, git(t, repo, "rev-parse", "refs/tags/v1")) }
	for _, step := range []struct {
		git  string
		name string
		want func() store.Hash
	}{
		{"update-ref refs/heads/x " + a.String(), "refs/heads/x", func() store.Hash { return a }},
		{"pack-refs --all --prune", "refs/heads/x", func() store.Hash { return a }},
		{"update-ref refs/heads/x " + b.String(), "refs/heads/x", func() store.Hash { return b }},
		{"tag -a -m tag v1 " + a.String(), "refs/tags/v1", tag},
		{"pack-refs --all", "refs/tags/v1", tag},
		{"symbolic-ref refs/heads/sym refs/heads/x", "refs/heads/sym", func() store.Hash { return b }},
		{"update-ref -d refs/heads/x", "refs/heads/x", func() store.Hash { return object.Zero }},
		{"symbolic-ref HEAD refs/heads/other", "HEAD", func() store.Hash { return object.Zero }},
	} {
		git(t, repo, strings.Fields(step.git)...)
		want := step.want()
		var got store.Ref
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
			if got, _ = d.Ref(context.Background(), step.name); got.Hash == want {
				break
			}
		}
		if got.Hash != want {
			t.Errorf("after git %s: %s is %v, want %v", step.git, step.name, got.Hash, want)
		}
	}
}

// TestPackedRefsForGit: what we write into packed-refs is what git would, with
// the line for what a tag is of.
func TestPackedRefsForGit(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	repo := string(d.root)
	a := commitOf(t, d, "a")
	git(t, repo, "update-ref", "refs/heads/x", a.String())
	git(t, repo, "tag", "-a", "-m", "tag", "v1", a.String())
	tag := mustHash(t, git(t, repo, "rev-parse", "refs/tags/v1"))
	if err := d.Commit(context.Background(), nil, []store.RefChange{
		{Name: "refs/heads/y", New: a}, {Name: "refs/tags/v2", New: tag}, {Name: "refs/heads/x", Old: a}}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(d.root.path(packedRefsFile))
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s%s refs/heads/y\n%s refs/tags/v2\n^%s\n", packedRefsHead, a, tag, a)
	if string(data) != want {
		t.Errorf("packed-refs: got\n%swant\n%s", data, want)
	}
	git(t, repo, "pack-refs", "--all")
	if got := git(t, repo, "for-each-ref", "--format=%(refname)"); got != "refs/heads/y\nrefs/tags/v1\nrefs/tags/v2" {
		t.Errorf("git for-each-ref: got %q", got)
	}
}

// TestForeignLock: a lock of git's is waited for and then named, with what to do;
// one of a Cairn that has died is removed.
func TestForeignLock(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	a := commitOf(t, d, "a")
	move := func(name string) error {
		return d.Commit(context.Background(), nil, []store.RefChange{{Name: name, New: a}})
	}
	lock := d.root.path("refs/heads/git.lock")
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var held *heldError
	if err := move("refs/heads/git"); !errors.Is(err, store.ErrTemporary) || !errors.As(err, &held) || held.name != lock {
		t.Errorf("got %v, want a temporary error that names %s", err, lock)
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := move("refs/heads/git"); err != nil {
		t.Errorf("unlocked: %v", err)
	}
	dead, err := newOwner(d.root)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.root.link(dead.name(), "refs/heads/dead.lock"); err != nil {
		t.Fatal(err)
	}
	if err := move("refs/heads/dead"); !errors.Is(err, store.ErrTemporary) {
		t.Errorf("locked by the living: got %v, want a temporary error", err)
	}
	dead.held.Close()
	if err := move("refs/heads/dead"); err != nil {
		t.Errorf("locked by the dead: %v", err)
	}
}

// TestNoFolderLeft: a deleted ref leaves no folder where a ref could be.
func TestNoFolderLeft(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	a := commitOf(t, d, "a")
	for _, c := range []store.RefChange{
		{Name: "refs/heads/x/y/z", New: a},
		{Name: "refs/heads/x/y/z", Old: a},
		{Name: "refs/heads/x", New: a},
		{Name: "refs/heads/x", Old: a},
		{Name: "refs/heads/x/y", New: a},
	} {
		if err := d.Commit(context.Background(), nil, []store.RefChange{c}); err != nil {
			t.Errorf("%v: %v", c, err)
		}
	}
	// Empty folders of others are no obstacle either.
	if err := os.MkdirAll(d.root.path("refs/heads/e/f/g"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(context.Background(), nil, []store.RefChange{{Name: "refs/heads/e", New: a}}); err != nil {
		t.Error(err)
	}
}

// TestMany: 2,000 refs are made in one change and deleted in one, and each is
// one write of packed-refs and no loose file.
func TestMany(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	a := commitOf(t, d, "a")
	var make, remove []store.RefChange
	for i := range 2000 {
		name := fmt.Sprintf("refs/heads/%02x/%d", i%100, i)
		make = append(make, store.RefChange{Name: name, New: a})
		remove = append(remove, store.RefChange{Name: name, Old: a})
	}
	for _, changes := range [][]store.RefChange{make, remove} {
		began := time.Now()
		if err := d.Commit(context.Background(), nil, changes); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d refs in %v", len(changes), time.Since(began).Round(time.Millisecond))
	}
	entries, err := os.ReadDir(d.root.path("refs/heads"))
	if err != nil || len(entries) != 0 {
		t.Errorf("refs/heads: got %d entries, %v, want none", len(entries), err)
	}
}

// TestTwoDirs has two Dirs on one repository, as two processes do, compete for refs.
func TestTwoDirs(t *testing.T) {
	d1 := newDir(t, Options{})
	d2 := openDir(t, string(d1.root), Options{})
	const each = 20
	refs := []string{"refs/heads/one", "refs/heads/two"}
	var group sync.WaitGroup
	for i, d := range []*Dir{d1, d2, d1, d2} {
		group.Go(func() {
			for n := 0; n < each; {
				var changes []store.RefChange
				var objs []object.Object
				for _, name := range refs[:1+n%2] {
					old, err := d.readRaw(name)
					if err != nil && !errors.Is(err, fs.ErrNotExist) {
						t.Error(err)
						return
					}
					o, c := change(old.Hash, "f", fmt.Sprint(i, n, name))
					objs = append(objs, o...)
					changes = append(changes, store.RefChange{Name: name, Old: old.Hash, New: c})
				}
				err := d.Commit(context.Background(), objs, changes)
				var conflict *store.ConflictError
				switch {
				case err == nil:
					n++
				case !errors.As(err, &conflict) && !errors.Is(err, store.ErrTemporary):
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	for i, want := range []int{4 * each, 4 * each / 2} {
		if got := git(t, string(d1.root), "rev-list", "--count", refs[i]); got != fmt.Sprint(want) {
			t.Errorf("%s: got %s commits, want %d", refs[i], got, want)
		}
	}
}

// TestDamagedRef: one damaged file hides neither the other refs nor itself.
func TestDamagedRef(t *testing.T) {
	d := newDir(t, Options{NoMaintenance: true})
	a := commitOf(t, d, "a")
	if err := d.Commit(context.Background(), nil, []store.RefChange{{Name: "refs/heads/good", New: a}}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.root.path("refs/heads/bad"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	for ref, err := range d.Refs(context.Background(), "") {
		if n++; err != nil || path.Base(ref.Name) != "good" {
			t.Errorf("got %v, %v", ref, err)
		}
	}
	if n != 1 {
		t.Errorf("refs: got %d, want 1", n)
	}
	if _, err := d.Ref(context.Background(), "refs/heads/bad"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("damaged ref: got %v", err)
	}
}
