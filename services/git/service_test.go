package git

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"cairn/services/config"
	"cairn/store"
	"cairn/store/gitwire"
)

func TestPushAndClone(t *testing.T) {
	k := newKit(t)
	w := newWork(t)
	w.commit("index.html", "<p>one")
	w.commit("about.html", "<p>two")
	w.git("tag", "-a", "-m", "first", "v1")
	out := w.git("push", k.url("alice", "www"), "HEAD:main", "v1")
	wantText(t, out, "remote: alice pushes site/www/main")
	if !regexp.MustCompile(`remote: published http://main\.www\.test/ \(2 files changed\) in \d+ ms`).MatchString(out) {
		t.Errorf("got\n%s\nwant it to say what was published", out)
	}
	if got, want := k.real(t, "refs/heads/site/www/main"), w.rev("HEAD"); got != want {
		t.Errorf("main: got %s, want %s", got, want)
	}
	if got, want := k.real(t, "refs/tags/site/www/v1"), w.rev("v1"); got != want {
		t.Errorf("v1: got %s, want %s", got, want)
	}
	w.git("checkout", "-q", "-b", "feature/draft")
	w.commit("about.html", "<p>three")
	wantText(t, w.git("push", k.url("alice", "www.git"), "feature/draft"), "published http://feature/draft.www.test/ (2 files changed)")

	c := newWork(t)
	c.git("clone", "-q", k.url("bob", "www"), "c")
	c.dir = filepath.Join(c.dir, "c")
	if got, want := c.rev("HEAD"), w.rev("main~0"); got == "" || c.git("branch", "--show-current") != "main" {
		t.Errorf("clone: HEAD is %s on %q, want %s on main", got, c.git("branch", "--show-current"), want)
	}
	if got, want := c.git("ls-remote", "origin"), 5; len(strings.Split(got, "\n")) != want {
		t.Errorf("ls-remote: got\n%s\nwant HEAD, main, feature/draft, v1 and v1^{}", got)
	}
	wantText(t, w.git("push", k.url("alice", "www"), ":feature/draft"), "removed http://feature/draft.www.test/")
}

// HEAD is the only branch where there is no main.
func TestHead(t *testing.T) {
	k := newKit(t)
	k.pushed(t, "alice", "www", "trunk", "a", "a")
	c := newWork(t)
	wantText(t, c.git("ls-remote", "--symref", k.url("alice", "www"), "HEAD"), "ref: refs/heads/trunk\tHEAD")
	k.pushed(t, "alice", "www", "alpha", "a", "b")
	if got := c.git("ls-remote", "--symref", k.url("alice", "www"), "HEAD"); got != "" {
		t.Errorf("with two branches and no main: got %q, want nothing", got)
	}
}

func TestCheckRefuses(t *testing.T) {
	k := newKit(t)
	w := k.pushed(t, "alice", "www", "main", "a", "a")
	before := k.real(t, "refs/heads/site/www/main")
	w.commit("bad", "very")
	wantText(t, w.refused("push", k.url("alice", "www"), "HEAD:main"), "the file bad is bad: very")
	if got := k.real(t, "refs/heads/site/www/main"); got != before {
		t.Errorf("main has moved to %s", got)
	}
	delete(k.Checks, Site)
	w.git("rm", "-q", "bad")
	w.commit("b", "b")
	wantText(t, w.refused("push", k.url("alice", "www"), "HEAD:main"), "nothing can be pushed to site")
}

func TestForceAndDelete(t *testing.T) {
	k := newKit(t)
	must(t, k.Config.PutSite(t.Context(), root, config.Site{Name: "club", Owner: "bob", AllowForce: []string{"main", "wip-*"}}))
	w := newWork(t)
	w.commit("a", "1")
	w.git("branch", "old")
	w.commit("a", "2")
	w.git("tag", "v1")
	for _, site := range []string{"www", "club"} {
		user := map[string]string{"www": "alice", "club": "bob"}[site]
		w.git("push", "-q", k.url(user, site), "HEAD:main", "HEAD:draft", "HEAD:wip-1", "v1")
	}
	for _, c := range []struct {
		user, site, spec string
		ok               bool
	}{
		{"alice", "www", "+old:main", false}, {"alice", "www", ":main", false},
		{"alice", "www", "+old:draft", true}, {"alice", "www", "+old:refs/tags/v1", true}, {"alice", "www", ":refs/tags/v1", true}, {"alice", "www", ":draft", true},
		{"bob", "club", "+old:draft", false}, {"bob", "club", ":draft", false}, {"bob", "club", "+old:refs/tags/v1", false}, {"bob", "club", ":refs/tags/v1", false},
		{"bob", "club", "+old:wip-1", true}, {"bob", "club", ":wip-1", true}, {"bob", "club", "+old:main", true}, {"bob", "club", ":main", true},
		{"root", "www", "+old:main", false}, // not even an administrator by mistake
	} {
		if out, err := w.try("push", k.url(c.user, c.site), c.spec); (err == nil) != c.ok {
			t.Errorf("%s pushes %s to %s: got %v, want it to pass: %v\n%s", c.user, c.spec, c.site, err, c.ok, out)
		} else if err != nil {
			wantText(t, out, "allow_force of the site does not list it")
		}
	}
}

func TestPushMakesSite(t *testing.T) {
	k := newKit(t)
	w := newWork(t)
	w.commit("index.html", "new")
	wantText(t, w.git("push", k.url("alice", "shop"), "HEAD:main"), "published http://main.shop.test/")
	site, err := k.Config.Site(t.Context(), "shop")
	if err != nil || site.Owner != "alice" {
		t.Fatalf("got %+v, %v, want a site of alice", site, err)
	}
	for rev, err := range k.Repo.Branch("config").Log(t.Context(), "sites/shop.toml") {
		if err != nil || rev.Author.Name != "alice" {
			t.Errorf("config was changed by %v (%v), want alice", rev.Author, err)
		}
		break
	}
	wantText(t, w.refused("push", k.url("carol", "else"), "HEAD:main"), "not found")
	wantText(t, w.refused("push", k.url("alice", "SHOP"), "HEAD:main"), "not found")
	wantText(t, w.refused("push", k.url("bob", "shop"), "HEAD:main"), "not found")
	w.commit("bad", "x")
	w.refused("push", k.url("alice", "spoilt"), "HEAD:main")
	for _, name := range []string{"else", "spoilt"} {
		if _, err := k.Config.Site(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("site %s: got %v, want fs.ErrNotExist", name, err)
		}
	}
}

// Two users push to the same new name at once: it belongs to one of them, and
// only that one's branch is there.
func TestPushMakesSiteOnce(t *testing.T) {
	k := newKit(t)
	for i := range 5 {
		name := fmt.Sprint("race", i)
		works := map[string]*work{"alice": newWork(t), "bob": newWork(t)}
		errs := map[string]error{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for user, w := range works {
			w.commit("index.html", user)
			wg.Go(func() {
				_, err := w.try("push", k.url(user, name), "HEAD:main")
				mu.Lock()
				defer mu.Unlock()
				errs[user] = err
			})
		}
		wg.Wait()
		site, err := k.Config.Site(t.Context(), name)
		must(t, err)
		for user, err := range errs {
			if (err == nil) != (site.Owner == user) {
				t.Errorf("%s: %s got %v, the owner is %s", name, user, err, site.Owner)
			}
		}
		if got, want := k.real(t, "refs/heads/site/"+name+"/main"), works[site.Owner].rev("HEAD"); got != want {
			t.Errorf("%s: main is %s, want the owner's %s", name, got, want)
		}
	}
}

// The power goes between the site's record and its branches.
func TestSiteWithoutBranches(t *testing.T) {
	k := newKit(t)
	w := newWork(t)
	w.commit("index.html", "x")
	wantText(t, w.refused("push", k.url("alice", "club2"), "HEAD:refs/heads/a", "HEAD:refs/notes/x"), "branches (refs/heads/…) and tags")
	must(t, k.Config.AddSite(t.Context(), root, config.Site{Name: "half", Owner: "alice"}))
	if out := w.git("ls-remote", k.url("alice", "half")); out != "" {
		t.Errorf("got %q, want nothing", out)
	}
	wantText(t, w.refused("push", k.url("bob", "half"), "HEAD:main"), "not found")
	w.git("push", "-q", k.url("alice", "half"), "HEAD:main")
}

// Branches of a removed site are not for whoever takes the name next.
func TestRemovedSite(t *testing.T) {
	k := newKit(t)
	w := k.pushed(t, "alice", "www", "main", "secret", "alice's")
	must(t, k.Config.RemoveSite(t.Context(), root, "www"))
	for _, user := range []string{"alice", "bob", "carol"} {
		wantText(t, w.refused("ls-remote", k.url(user, "www")), "not found")
		wantText(t, w.refused("push", k.url(user, "www"), "HEAD:other"), "not found")
	}
	wantText(t, w.git("ls-remote", k.url("root", "www")), w.rev("HEAD"))
	w.git("push", "-q", k.url("root", "www"), "HEAD:other")
	if site, err := k.Config.Site(t.Context(), "www"); err != nil || site.Owner != "root" {
		t.Errorf("got %+v, %v, want a site of root", site, err)
	}
}

func TestOwnBranch(t *testing.T) {
	k := newKit(t)
	w := k.pushed(t, "alice", "dav/alice", "main", "calendars/home/1.ics", "BEGIN:VCALENDAR")
	if got, want := k.real(t, "refs/heads/dav/alice"), w.rev("HEAD"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	wantText(t, w.refused("push", k.url("alice", "dav/alice"), "HEAD:other"), "there is one branch here, main")
	wantText(t, w.refused("push", k.url("alice", "dav/alice"), ":main"), "cannot be rewritten or deleted")
	w.git("commit", "-q", "--amend", "-m", "another")
	wantText(t, w.refused("push", "-f", k.url("alice", "dav/alice"), "HEAD:main"), "cannot be rewritten or deleted")
	wantText(t, w.refused("push", k.url("alice", "mail/alice"), "HEAD:main"), "nothing can be pushed to mail")
	for _, user := range []string{"bob", "root"} {
		wantText(t, w.refused("ls-remote", k.url(user, "dav/alice")), "not found")
	}
}

// A site whose file somebody spoilt by hand is nobody's, and seems not to be
// there; an administrator is told.
func TestSpoiltSite(t *testing.T) {
	k := newKit(t)
	w := k.pushed(t, "alice", "www", "main", "a", "a")
	must(t, k.Repo.Branch("config").Update(t.Context(), store.Change{Author: root, Message: "spoil\n"}, func(tx *store.Tx) error {
		return tx.Put("sites/www.toml", []byte("owner: alice"))
	}))
	for _, user := range []string{"alice", "bob", "carol"} {
		wantText(t, w.refused("ls-remote", k.url(user, "www")), "not found")
		wantText(t, w.refused("push", k.url(user, "www"), "HEAD:other"), "not found")
	}
	wantText(t, w.refused("ls-remote", k.url("root", "www")), "500")
}

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

// Clones race on one branch: each commit that a push acknowledged is there.
func TestRace(t *testing.T) {
	k := newKitOn(t, newDisk(t, filepath.Join(t.TempDir(), "r.git")))
	k.pushed(t, "alice", "club", "main", "start", "start")
	const clones, rounds = 5, 3
	var mu sync.Mutex
	var wg sync.WaitGroup
	acknowledged := map[string]bool{}
	for i := range clones {
		w := newWork(t)
		w.git("pull", "-q", k.url("bob", "club"), "main")
		wg.Go(func() {
			for r := range rounds {
				hash := w.commit(fmt.Sprintf("from-%d/%d", i, r), "x")
				for tries := 0; ; tries++ {
					out, err := w.try("push", k.url("alice", "club"), "HEAD:main")
					if err == nil {
						break
					}
					if tries == 50 {
						t.Errorf("clone %d: %v\n%s", i, err, out)
						return
					}
					if out, err := w.try("pull", "-q", "--rebase", k.url("bob", "club"), "main"); err != nil {
						t.Errorf("clone %d: %v\n%s", i, err, out)
						return
					}
					hash = w.rev("HEAD")
				}
				mu.Lock()
				acknowledged[hash] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	c := newWork(t)
	c.git("pull", "-q", k.url("bob", "club"), "main")
	log := c.git("log", "--format=%H")
	for hash := range acknowledged {
		if !strings.Contains(log, hash) {
			t.Errorf("commit %s was acknowledged and is not in main", hash)
		}
	}
	if got, want := len(strings.Fields(log)), 1+clones*rounds; got != want {
		t.Errorf("main has %d commits, want %d", got, want)
	}
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

// Rights that are taken while a push runs are gone at its end.
func TestRightsAtTheEnd(t *testing.T) {
	k := newKit(t)
	alice, err := k.Accounts.User(t.Context(), "alice")
	must(t, err)
	view, err := k.open(t.Context(), alice, "www", true)
	must(t, err)
	must(t, k.Config.PutSite(t.Context(), root, config.Site{Name: "www", Owner: "bob"}))
	if err := view.Accept(t.Context(), &gitwire.Push{User: "alice", Objects: k.Repo.Backend()}); !errors.Is(err, errRights) {
		t.Errorf("no longer owner: got %v, want errRights", err)
	}
	view, err = k.open(t.Context(), alice, "fresh", true)
	must(t, err)
	must(t, k.Config.AddSite(t.Context(), root, config.Site{Name: "fresh", Owner: "bob"}))
	if err := view.Accept(t.Context(), &gitwire.Push{User: "alice", Objects: k.Repo.Backend()}); !errors.Is(err, errRights) {
		t.Errorf("somebody made the site meanwhile: got %v, want errRights", err)
	}
	view, err = k.open(t.Context(), alice, "club", true)
	must(t, err)
	must(t, k.Accounts.Remove(t.Context(), root, "alice"))
	if err := view.Accept(t.Context(), &gitwire.Push{User: "alice", Objects: k.Repo.Backend()}); !errors.Is(err, errRights) {
		t.Errorf("removed: got %v, want errRights", err)
	}
}
