package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/remote"
)

// TestHosts does what a service does, on each kind of host, with stock git as the
// other party.
func TestHosts(t *testing.T) {
	overKinds(t, func(t *testing.T, b *bench) {
		for _, test := range []struct {
			name string
			run  func(*testing.T, *bench)
		}{
			{"Start", hostStart},
			{"Update", hostUpdate},
			{"Follow", hostFollow},
			{"Conflict", hostConflict},
			{"Delete", hostDelete},
			{"Atomic", hostAtomic},
			{"BigFile", hostBigFile},
			{"Hooks", hostHooks},
			{"Rewind", hostRewind},
			{"Away", hostAway},
		} {
			ok := t.Run(test.name, func(t *testing.T) {
				own := *b
				own.t = t
				test.run(t, &own)
			})
			if !ok {
				return
			}
		}
		b.Git("fsck", "--strict")
	})
}

// hostStart begins on an empty repository, and then again on what is there.
func hostStart(t *testing.T, b *bench) {
	_, repo := b.open(remote.Options{})
	if _, err := repo.Branch("main").Tree(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty: got %v, want %v", err, fs.ErrNotExist)
	}
	mustWrite(t, repo, "main", "first")
	_, again := b.open(remote.Options{})
	if got, want := log(t, again, "main"), "first"; got != want {
		t.Errorf("started again: reads show %q, want %q", got, want)
	}
}

// hostUpdate writes, and stock git reads it.
func hostUpdate(t *testing.T, b *bench) {
	_, repo := b.open(remote.Options{})
	mustWrite(t, repo, "main", "second")
	if got, want := b.Git("show", "main:log"), "first\nsecond"; got != want {
		t.Errorf("git show: got %q, want %q", got, want)
	}
	if got, want := b.Git("log", "--format=%s", "main"), "second\nfirst"; got != want {
		t.Errorf("git log: got %q, want %q", got, want)
	}
}

// hostFollow sees what stock git pushes.
func hostFollow(t *testing.T, b *bench) {
	_, repo := b.open(remote.Options{})
	c := b.clone()
	tip := c.commit("page.html", "<p>hello")
	c.git("push", "-q", "origin", "main", "main:refs/heads/new", "main:refs/tags/v1")
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	for tree, err := range repo.Branch("main").Watch(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if rev, _ := tree.Commit(); rev.Hash != tip {
			continue
		}
		page, _, err := tree.Blob("page.html")
		if err != nil || string(page) != "<p>hello" {
			t.Errorf("page: got %q, %v", page, err)
		}
		break
	}
	for _, name := range []string{"refs/heads/new", "refs/tags/v1"} {
		soon(t, name+" is seen", func() bool {
			ref, err := repo.Backend().Ref(ctx, name)
			return err == nil && ref.Hash == tip
		})
	}
}

// hostConflict has stock git push between a replica's snapshot and its write.
func hostConflict(t *testing.T, b *bench) {
	_, repo := b.openDeaf(&deaf{})
	c := b.clone()
	c.commit("theirs", "1")
	c.git("push", "-q", "origin", "main")
	runs := 0
	err := repo.Branch("main").Update(t.Context(), change("ours"), func(tx *store.Tx) error {
		runs++
		return tx.Put("ours", []byte("2"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if runs < 2 {
		t.Errorf("the function ran %d times, want at least 2", runs)
	}
	if got, want := b.Git("show", "main:theirs")+b.Git("show", "main:ours"), "12"; got != want {
		t.Errorf("both files: got %q, want %q", got, want)
	}
}

// hostDelete deletes branches, here and there.
func hostDelete(t *testing.T, b *bench) {
	_, repo := b.open(remote.Options{})
	mustWrite(t, repo, "short-lived", "first")
	if err := repo.Branch("short-lived").Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.Git("for-each-ref", "refs/heads/short-lived"); got != "" {
		t.Errorf("deleted here: the host has %q", got)
	}
	mustWrite(t, repo, "short-lived", "anew")
	b.clone().git("push", "-q", "origin", ":short-lived")
	soon(t, "it is gone", func() bool {
		_, err := repo.Branch("short-lived").Tree(t.Context())
		return errors.Is(err, fs.ErrNotExist)
	})
}

// hostAtomic moves many branches together, or none.
func hostAtomic(t *testing.T, b *bench) {
	_, repo := b.open(remote.Options{})
	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf("many/%02d", i))
	}
	update := func(id string) error {
		return repo.Update(t.Context(), change(id), many, func(txs map[string]*store.Tx) error {
			for _, tx := range txs {
				if err := note(id)(tx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := update("first"); err != nil {
		t.Fatal(err)
	}
	b.Hooks(githost.Hooks{DeclineRef: "refs/heads/many/13"})
	defer b.Hooks(githost.Hooks{})
	err := update("second")
	var refused *store.RefusedError
	if !errors.As(err, &refused) || refused.Ref != "refs/heads/many/13" {
		t.Errorf("one declined: got %v, want a RefusedError for it", err)
	}
	for _, name := range many {
		b.holds(name, "first")
		if got := log(t, repo, name); got != "first" {
			t.Errorf("reads of %s show %q, want %q", name, got, "first")
		}
	}
}

// hostBigFile writes some megabytes and reads them elsewhere.
func hostBigFile(t *testing.T, b *bench) {
	_, repo := b.open(remote.Options{})
	big := make([]byte, 3<<20)
	rnd := rand.NewChaCha8([32]byte{1})
	rnd.Read(big)
	err := repo.Branch("big").Update(t.Context(), change("big"), func(tx *store.Tx) error { return tx.Put("big", big) })
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]remote.Options{"fetched": {}, "left there": {Filter: "blob:none"}} {
		_, other := b.open(o)
		tree, err := other.Branch("big").Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := tree.Blob("big"); err != nil || !bytes.Equal(got, big) {
			t.Errorf("%s: got %d bytes, %v, want the %d that were written", name, len(got), err, len(big))
		}
	}
}

// hostHooks has a hook decline: the error names the ref and says why.
func hostHooks(t *testing.T, b *bench) {
	_, repo := b.open(remote.Options{})
	before := b.at("main")
	b.Hooks(githost.Hooks{Decline: "closed on Sundays"})
	err := write(repo, "main", "declined")
	b.Hooks(githost.Hooks{})
	var refused *store.RefusedError
	if !errors.As(err, &refused) || refused.Ref != "refs/heads/main" || refused.Reason == "" {
		t.Errorf("declined: got %v, want a RefusedError for main, with a reason", err)
	}
	if got := b.at("main"); got != before {
		t.Errorf("main: got %v, want %v", got, before)
	}
	mustWrite(t, repo, "main", "after the hook")
}

// hostRewind has stock git take commits away.
func hostRewind(t *testing.T, b *bench) {
	back, repo := b.open(remote.Options{})
	c := b.clone()
	c.git("push", "-q", "origin", "main:rewound")
	soon(t, "the branch is seen", func() bool { _, err := repo.Branch("rewound").Tree(t.Context()); return err == nil })
	mustWrite(t, repo, "rewound", "lost")
	good := b.at("rewound")
	c.git("push", "-q", "--force", "origin", "main~1:rewound")
	forced := b.at("rewound")
	soon(t, "it is reported", func() bool { return len(back.Status().Rewound) == 1 })
	var rewound *remote.RewoundError
	if err := write(repo, "rewound", "never"); !errors.As(err, &rewound) || rewound.Good != good || rewound.Host != forced {
		t.Errorf("write: got %v, want a RewoundError", err)
	}
	if got := b.at("rewound"); got != forced {
		t.Errorf("rewound: got %v, want what was forced, %v", got, forced)
	}
	if ref, err := repo.Backend().Ref(t.Context(), "refs/heads/rewound"); err != nil || ref.Hash != good {
		t.Errorf("reads: got %v, %v, want %v", ref.Hash, err, good)
	}
	mustWrite(t, repo, "main", "elsewhere all is well")
}

// hostAway takes the host away and brings it back.
func hostAway(t *testing.T, b *bench) {
	back, repo := b.open(remote.Options{})
	before := log(t, repo, "main")
	b.Stop()
	for range 2 {
		if err := write(repo, "main", "away"); !errors.Is(err, store.ErrTemporary) {
			t.Errorf("away: got %v, want %v", err, store.ErrTemporary)
		}
	}
	start := time.Now()
	for range 100 {
		if err := write(repo, "main", "away"); !errors.Is(err, remote.ErrAway) || errors.Is(err, gitwire.ErrInDoubt) {
			t.Fatalf("away: got %v, want %v", err, remote.ErrAway)
		}
	}
	if took := time.Since(start); took > hangs {
		t.Errorf("a hundred writes took %v to fail, want it at once", took)
	}
	if back.Status().Away.IsZero() {
		t.Error("away: the status does not say so")
	}
	if got := log(t, repo, "main"); got != before {
		t.Errorf("away: reads show %q, want %q", got, before)
	}
	b.Start()
	soon(t, "it is back", func() bool { return write(repo, "main", "back") == nil })
	b.holds("main", before+" back")
	if away := back.Status().Away; !away.IsZero() {
		t.Errorf("back: away since %v", away)
	}
}

// TestHostLogIn has hosts that a replica is not let in to, and one that is not the
// host that is known.
func TestHostLogIn(t *testing.T) {
	overKinds(t, func(t *testing.T, b *bench) {
		mustWrite(t, b.other, "main", "first")
		open := func(change func(*gitwire.Client)) error {
			c := b.Client(b.proxy.Dial)
			change(c)
			back, err := remote.Open(t.Context(), remote.Options{Host: b.remote(c), Timeout: hangs / 2})
			if err == nil {
				back.Close()
			}
			return err
		}
		switch b.Kind {
		case githost.Cairn, githost.HTTPBackend, githost.PlainHTTP:
			for name, change := range map[string]func(*gitwire.Client){
				"wrong password": func(c *gitwire.Client) { c.Password = "wrong" },
				"wrong user":     func(c *gitwire.Client) { c.User = "nobody" },
				"none":           func(c *gitwire.Client) { c.User, c.Password = "", "" },
			} {
				if err := open(change); !errors.Is(err, gitwire.ErrUnauthorized) || errors.Is(err, store.ErrTemporary) {
					t.Errorf("%s: got %v, want %v", name, err, gitwire.ErrUnauthorized)
				}
			}
		case githost.ClientCert:
			bare := b.Strangers(b.proxy.Dial)
			if err := open(func(c *gitwire.Client) { c.HTTP = bare }); err == nil {
				t.Error("without a certificate: got no error")
			}
		case githost.CairnSSH, githost.SSHD:
			_, stranger, err := newSSHKey()
			if err != nil {
				t.Fatal(err)
			}
			err = open(func(c *gitwire.Client) { c.SSH.Auth = []ssh.AuthMethod{ssh.PublicKeys(stranger)} })
			if err == nil || errors.Is(err, store.ErrTemporary) {
				t.Errorf("unknown key: got %v, want an error that will not go away", err)
			}
			pinned := b.SSHConfig()
			b.ChangeHostKey()
			err = open(func(c *gitwire.Client) { c.SSH = pinned })
			if err == nil || errors.Is(err, store.ErrTemporary) {
				t.Errorf("another host key: got %v, want an error that will not go away", err)
			}
		}
		if err := open(func(*gitwire.Client) {}); err != nil {
			t.Errorf("as it should be: %v", err)
		}
	})
}

// TestHostHistory starts with the newest commits, and with all, on hosts that know
// filters and on those that do not.
func TestHostHistory(t *testing.T) {
	overKinds(t, func(t *testing.T, b *bench) {
		for i := range 40 {
			mustWrite(t, b.other, "main", fmt.Sprint("n", i))
		}
		filters := []string{"true"}
		if b.Kind.Stock() {
			filters = []string{"true", "false"}
		}
		for _, allowed := range filters {
			b.Config("uploadpack.allowFilter", allowed)
			b.Config("uploadpack.allowAnySHA1InWant", allowed)
			for name, o := range map[string]remote.Options{
				"shallow": {},
				"lazy":    {Filter: "blob:none"},
				"full":    {History: func(string) bool { return true }},
			} {
				_, repo := b.open(o)
				n := 0
				for rev, err := range repo.Branch("main").Log(t.Context(), "") {
					if err != nil {
						t.Fatalf("%s, filters %s: %v", name, allowed, err)
					}
					tree, err := repo.Tree(t.Context(), rev.Hash)
					if err == nil {
						_, err = readFile(tree, "log")
					}
					if err != nil {
						t.Fatalf("%s, filters %s: commit %d: %v", name, allowed, n, err)
					}
					n++
				}
				if n != 40 {
					t.Errorf("%s, filters %s: got %d commits, want 40", name, allowed, n)
				}
				mustWrite(t, repo, "main-"+name, "and writes")
			}
		}
	})
}
