package git

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"cairn/services/config"
	"cairn/store"
)

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
