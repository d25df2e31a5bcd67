package git

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cairn/services/config"
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

// What is pushed to a site that follows another repository would be gone with
// the next fetch.
func TestPushToFollowedSite(t *testing.T) {
	k := newKit(t)
	w := k.pushed(t, "alice", "www", "main", "a", "a")
	remote := &config.Remote{URL: "https://forge.example/alice/www.git"}
	must(t, k.Config.PutSite(t.Context(), root, config.Site{Name: "www", Owner: "alice", Remote: remote}))
	w.commit("b", "b")
	for _, spec := range []string{"HEAD:main", "HEAD:draft", "HEAD:refs/tags/v1", ":main"} {
		wantText(t, w.refused("push", k.url("alice", "www"), spec), "this site follows https://forge.example/alice/www.git: push there")
	}
	w.refused("push", k.url("root", "all"), "HEAD:refs/heads/site/www/main")
	w.git("fetch", "-q", k.url("alice", "www"))
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
