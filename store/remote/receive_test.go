package remote

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
	"cairn/store/pack"
)

// serve has stock git push to a replica, and returns the URL.
func (r *replica) serve(t *testing.T) string {
	t.Helper()
	view := &gitwire.View{
		Backend: r.Backend,
		Head:    "refs/heads/main",
		Refs:    func(context.Context) ([]store.Ref, error) { return r.list("refs/"), nil },
		Real:    func(name string) (string, error) { return name, nil },
		Allow:   func(context.Context, *gitwire.Push, gitwire.Command) error { return nil },
	}
	server := httptest.NewServer(&gitwire.HTTPHandler{Open: func(http.ResponseWriter, *http.Request, string, bool) (*gitwire.View, error) {
		return view, nil
	}})
	t.Cleanup(server.Close)
	return server.URL + "/r"
}

// git runs stock git in a folder.
func git(t *testing.T, h *githost.Host, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, h.GitEnv()
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func mustGit(t *testing.T, h *githost.Host, dir string, args ...string) string {
	t.Helper()
	out, err := git(t, h, dir, args...)
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return out
}

// A push by stock git to a replica is at the host when git hears that it has gone well.
func TestPushThrough(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, nil)
	r.put(t, "a", "1")
	url := r.serve(t)
	dir := filepath.Join(t.TempDir(), "clone")
	mustGit(t, h, "", "clone", "-q", url, dir)
	for i, path := range []string{"b", "c"} {
		if err := os.WriteFile(filepath.Join(dir, path), bytes.Repeat([]byte(path), 5000), 0o666); err != nil {
			t.Fatal(err)
		}
		mustGit(t, h, dir, "add", ".")
		mustGit(t, h, dir, "commit", "-q", "-m", path)
		mustGit(t, h, dir, "push", "-q", url, "HEAD:main")
		if got, want := hostTip(t, h), mustGit(t, h, dir, "rev-parse", "HEAD"); got != want {
			t.Errorf("push %d: the host is at %s, want %s", i, got, want)
		}
	}
	mustGit(t, h, dir, "push", "-q", url, "HEAD:refs/heads/preview", "HEAD~1:refs/tags/v1")
	if got, want := h.Git("rev-parse", "refs/tags/v1"), mustGit(t, h, dir, "rev-parse", "HEAD~1"); got != want {
		t.Errorf("tag: the host is at %s, want %s", got, want)
	}
	until(t, "nothing waits any more", func() bool { return r.Status().Kept == 0 })
	h.Git("fsck", "--strict")
	r.put(t, "d", "4")

	t.Run("declined", func(t *testing.T) {
		h.Hooks(githost.Hooks{Decline: "not today"})
		defer h.Hooks(githost.Hooks{})
		before := hostTip(t, h)
		mustGit(t, h, dir, "pull", "-q", "--rebase", url, "main")
		mustGit(t, h, dir, "commit", "-q", "--allow-empty", "-m", "declined")
		if out, err := git(t, h, dir, "push", url, "HEAD:main"); err == nil {
			t.Errorf("push: got no error: %s", out)
		}
		if got := hostTip(t, h); got != before {
			t.Errorf("the host is at %s, want %s", got, before)
		}
		until(t, "what was declined is let go", func() bool { return r.Status().Kept == 0 })
	})
}

// What was kept and never committed is let go, and what is too much is refused.
func TestKeptIsLetGo(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, inMemory(8<<20))
	r.put(t, "a", "1")
	for i := range 20 { // each a quarter of what there is room for
		objs := append([]object.Object{{Type: object.TypeBlob, Data: noise(i, 2<<20)}}, lone(i)...)
		tip := objs[len(objs)-1].Hash()
		q, err := r.Receive(soon(t), bytes.NewReader(packOf(t, objs)), r.Object, store.Limits{})
		if err != nil {
			t.Fatalf("pack %d: %v", i, err)
		}
		if err := q.Keep(soon(t)); err != nil {
			t.Fatalf("pack %d: %v", i, err)
		}
		stale := store.RefChange{Name: "refs/heads/main", Old: tip, New: tip}
		if _, ok := errors.AsType[*store.ConflictError](r.Commit(soon(t), nil, []store.RefChange{stale})); !ok {
			t.Fatalf("pack %d: a stale commit went through", i)
		}
		q.Discard()
	}
	if got := r.Status().Kept; got != 0 {
		t.Errorf("kept: got %d packs, want 0", got)
	}
	objs := append([]object.Object{{Type: object.TypeBlob, Data: noise(0, 16<<20)}}, lone(0)...)
	if q, err := r.Receive(soon(t), bytes.NewReader(packOf(t, objs)), r.Object, store.Limits{}); err == nil {
		if err = q.Keep(soon(t)); err == nil {
			t.Error("a pack that does not fit: got no error")
		}
		q.Discard()
	}
	r.put(t, "a", "2")
}

// lone is a commit with an empty tree.
func lone(i int) []object.Object {
	tree := object.Object{Type: object.TypeTree}
	who := object.Signature{Name: "T", Email: "t@localhost", When: noon()}
	c := object.Commit{Tree: tree.Hash(), Author: who, Committer: who, Message: numbered("lone", i) + "\n"}
	return []object.Object{tree, {Type: object.TypeCommit, Data: c.Encode()}}
}

func packOf(t *testing.T, objs []object.Object) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := pack.NewWriter(&buf, uint32(len(objs)), pack.Fast)
	for _, o := range objs {
		if _, err := w.Object(o); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// noise returns bytes that do not compress.
func noise(seed, n int) []byte {
	data := make([]byte, n)
	x := uint64(seed)*0x9E3779B97F4A7C15 + 88172645463325252
	for i := range data {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		data[i] = byte(x >> 32)
	}
	return data
}
