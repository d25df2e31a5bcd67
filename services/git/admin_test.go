package git

import (
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"testing"

	"cairn/store"
)

func TestArchive(t *testing.T) {
	k := newKit(t)
	w := newWork(t)
	wantText(t, w.refused("ls-remote", k.url("carol", "archive/club")), "not found")
	must(t, k.Repo.Branch("archive/club").Update(t.Context(), store.Change{Author: root, Message: "x\n"}, func(tx *store.Tx) error {
		return tx.Put("m", []byte("a message"))
	}))
	w.git("pull", "-q", k.url("", "archive/club"), "main")
	w.commit("m", "another message")
	wantText(t, w.refused("push", k.url("carol", "archive/club"), "HEAD:main"), "403")
	wantText(t, w.refused("push", k.url("root", "archive/club"), "HEAD:main"), "nothing can be pushed to archive")
}

// A clone of /all put in the place of the repository is the repository.
func TestBackupAndRestore(t *testing.T) {
	k := newKit(t)
	w := k.pushed(t, "alice", "www", "main", "index.html", "hello")
	w.git("tag", "v1")
	w.git("push", "-q", k.url("alice", "www"), "v1")
	must(t, k.Secrets.Put(t.Context(), root, "hook/www", []byte("s3cret")))
	backup := filepath.Join(t.TempDir(), "repo.git")
	w.git("clone", "-q", "--mirror", k.url("root", "all"), backup)
	cmd := exec.CommandContext(t.Context(), "git", "fsck", "--strict", "--full")
	cmd.Dir = backup
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("git fsck: %v\n%s", err, out)
	}
	must(t, exec.CommandContext(t.Context(), "git", "-C", backup, "gc", "-q").Run())

	again := openKit(t, newDisk(t, backup))
	for ref, err := range k.Repo.Backend().Refs(t.Context(), "refs/") {
		must(t, err)
		if got := again.real(t, ref.Name); got != ref.Hash.String() {
			t.Errorf("%s: got %s, want %v", ref.Name, got, ref.Hash)
		}
	}
	if secret, err := again.Secrets.Get(t.Context(), "hook/www"); string(secret) != "s3cret" || err != nil {
		t.Errorf("the secret: got %q, %v", secret, err)
	}
	w.commit("index.html", "hello again")
	w.git("push", "-q", again.url("alice", "www"), "HEAD:main")
}

// What is pushed to /all follows the rules of each branch.
func TestPushToAll(t *testing.T) {
	k := newKit(t)
	w := k.pushed(t, "alice", "www", "main", "a", "a")
	w.commit("b", "b")
	w.git("push", "-q", k.url("root", "all"), "HEAD:refs/heads/site/www/main", "HEAD:refs/heads/dav/alice")
	for _, spec := range []string{
		"HEAD:refs/heads/other", "HEAD:refs/heads/site/www", "HEAD:refs/tags/v1", "HEAD:refs/notes/x", "HEAD:refs/heads/mail/alice",
		"HEAD:refs/heads/accounts2", "HEAD:refs/heads/site/WWW/main", ":refs/heads/accounts", ":refs/heads/config", ":refs/heads/site/www/main",
		"+HEAD:refs/heads/accounts", "+HEAD:refs/heads/config", "HEAD:refs/heads/secrets",
	} {
		w.refused("push", k.url("root", "all"), spec)
	}
	w.refused("push", k.url("alice", "all"), "HEAD:refs/heads/site/www/main")
	if _, err := k.Repo.Branch("secrets").Tree(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("secrets: got %v, want fs.ErrNotExist", err)
	}
}

func TestAccountsByPush(t *testing.T) {
	k := newKit(t)
	w := newWork(t)
	w.git("pull", "-q", k.url("root", "accounts"), "main")
	w.commit("users/carol.toml", "admin = true\n")
	w.git("push", "-q", k.url("root", "accounts"), "HEAD:main")
	if u, err := k.Accounts.User(t.Context(), "carol"); err != nil || !u.Admin {
		t.Errorf("carol: got %+v, %v, want an administrator", u, err)
	}
	w.commit("users/carol.toml", "admin = 1\n")
	wantText(t, w.refused("push", k.url("root", "accounts"), "HEAD:main"), "users/carol.toml")
	w.git("rm", "-q", "users/carol.toml", "users/root.toml")
	w.git("commit", "-q", "-m", "nobody")
	wantText(t, w.refused("push", k.url("root", "accounts"), "HEAD:main"), "no administrator left")

	c := newWork(t)
	c.git("pull", "-q", k.url("root", "config"), "main")
	c.commit("sites/www.toml", "owner = \"alice\"\ncolour = \"green\"\n")
	wantText(t, c.refused("push", k.url("root", "config"), "HEAD:main"), `sites/www.toml: unknown key "colour"`)
	c.commit("sites/www.toml", "owner = \"alice\"\nreaders = [\"*\"]\n")
	c.git("push", "-q", k.url("root", "config"), "HEAD:main")
	c.git("ls-remote", k.url("", "www"))
	c.commit("format", "2\n")
	wantText(t, c.refused("push", k.url("root", "config"), "HEAD:main"), `format is "2"`)
}
