package gitdir

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// newDir makes an empty repository and opens it.
func newDir(t testing.TB, o Options) *Dir {
	t.Helper()
	path := filepath.Join(t.TempDir(), "repo.git")
	if err := Init(path); err != nil {
		t.Fatal(err)
	}
	return openDir(t, path, o)
}

func openDir(t testing.TB, path string, o Options) *Dir {
	t.Helper()
	d, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// git runs stock git in dir with nothing of the user's configuration.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryGit(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+t.TempDir(), "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.org")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func fsck(t testing.TB, d *Dir) {
	t.Helper()
	git(t, string(d.root), "fsck", "--strict", "--full")
}

// change makes the objects of a commit that has one file, named by text.
func change(parent store.Hash, name, text string) (objs []object.Object, commit store.Hash) {
	blob := object.Object{Type: object.TypeBlob, Data: []byte(text)}
	tree := object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, []object.Entry{{Name: name, Mode: object.ModeFile, Hash: blob.Hash()}})}
	who := "A <a@example.org> 1700000000 +0000"
	var b strings.Builder
	b.WriteString("tree " + tree.Hash().String() + "\n")
	if parent != object.Zero {
		b.WriteString("parent " + parent.String() + "\n")
	}
	b.WriteString("author " + who + "\ncommitter " + who + "\n\n" + text + "\n")
	c := object.Object{Type: object.TypeCommit, Data: []byte(b.String())}
	return []object.Object{blob, tree, c}, c.Hash()
}

func TestCommit(t *testing.T) {
	ctx := context.Background()
	d := newDir(t, Options{})
	objs, c1 := change(object.Zero, "a", "one")
	if err := d.Commit(ctx, objs, []store.RefChange{{Name: "refs/heads/main", New: c1}}); err != nil {
		t.Fatal(err)
	}
	objs, c2 := change(c1, "a", "two")
	if err := d.Commit(ctx, objs, []store.RefChange{{Name: "refs/heads/main", Old: c1, New: c2}, {Name: "refs/heads/x/y", New: c1}}); err != nil {
		t.Fatal(err)
	}
	ref, err := d.Ref(ctx, "HEAD")
	if err != nil || ref.Hash != c2 || ref.Target != "refs/heads/main" {
		t.Fatalf("HEAD: got %v, %v", ref, err)
	}
	var names []string
	for r, err := range d.Refs(ctx, "refs/") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, r.Name)
	}
	if got, want := strings.Join(names, " "), "refs/heads/main refs/heads/x/y"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	o, err := d.Object(ctx, objs[0].Hash())
	if err != nil || string(o.Data) != "two" {
		t.Errorf("blob: got %q, %v", o.Data, err)
	}
	fsck(t, d)
	if got, want := git(t, string(d.root), "log", "--format=%s", "main"), "two\none"; got != want {
		t.Errorf("git log: got %q, want %q", got, want)
	}
}
