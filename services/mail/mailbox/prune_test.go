package mailbox

import (
	"errors"
	"io/fs"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// TestPrune forgets what was removed long ago, and nothing else.
func TestPrune(t *testing.T) {
	there := mem.New()
	k := newKit(t, there, Options{})
	repo := store.New(there, store.Options{Now: k.o.Now})
	k.repo, k.Boxes = repo, Open(repo, k.o)
	k.deliver(Inbox, 3)
	old, recent := k.open(Inbox).At(0).Blob, k.open(Inbox).At(1).Blob
	expunge := func(uid UID) {
		k.must(func(e *Edit) error { _, err := e.Expunge(Inbox, []UID{uid}, nil); return err })
	}
	expunge(1)
	k.clock.Add(100)
	cut := time.Unix(k.clock.Load(), 0)
	expunge(2)
	k.must(func(e *Edit) error { _, err := e.Append(Inbox, note(9)); return err })
	before := k.snap()

	done, err := k.Prune(t.Context(), change, "alice", cut)
	if err != nil || !done {
		t.Fatalf("got %v, %v", done, err)
	}
	after := k.snap()
	if before.Tree().Hash() != after.Tree().Hash() {
		t.Error("what is there has changed")
	}
	was, _ := before.Tree().Commit()
	now, _ := after.Tree().Commit()
	if !store.Replaces(now.Commit, "refs/heads/mail/alice", was.Hash) {
		t.Errorf("the newest commit does not say what it replaces: %q", now.Message)
	}
	var log []string
	for rev, err := range k.Box("alice").Branch().Log(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, rev.Message)
	}
	if len(log) != 4 { // how it was then, two changes, and the pruning
		t.Errorf("the history is %q", log)
	}
	copied := mem.New()
	carry(t, there, copied, "refs/heads/mail/alice")
	if _, _, err := copied.Stat(t.Context(), old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the message removed long ago is still there: %v", err)
	}
	if _, _, err := copied.Stat(t.Context(), recent); err != nil {
		t.Errorf("the message removed lately is gone: %v", err)
	}
	if done, err := k.Prune(t.Context(), change, "alice", cut); done || err != nil {
		t.Errorf("there was something left to forget: %v, %v", done, err)
	}
	k.clock.Add(100)
	if done, err := k.Prune(t.Context(), change, "alice", time.Unix(k.clock.Load(), 0)); !done || err != nil {
		t.Errorf("all of it: %v, %v", done, err)
	}
	for rev, err := range k.Box("alice").Branch().Log(t.Context(), "") {
		if err != nil || strings.Count(rev.Message, "Cairn-Replaces") > 1 || store.Replaces(rev.Commit, "refs/heads/mail/alice", was.Hash) {
			t.Errorf("the history has %q, %v", rev.Message, err)
		}
	}
	if _, err := k.Prune(t.Context(), change, "bob", cut); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nobody's mail: %v", err)
	}
}

// TestPruneBusy prunes while others deliver: all that was delivered is there.
func TestPruneBusy(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	k.deliver(Inbox, 20)
	var sessions sync.WaitGroup
	const each = 30
	for range 3 {
		sessions.Go(func() {
			for i := range each {
				if err := k.edit(func(e *Edit) error { _, err := e.Append(Inbox, note(i)); return err }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		if _, err := k.Prune(t.Context(), change, "alice", time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	sessions.Wait()
	m := k.open(Inbox)
	if m.Len() != 20+3*each || m.UIDNext != 21+3*each {
		t.Errorf("got %d messages, UIDNEXT %d", m.Len(), m.UIDNext)
	}
	carry(t, k.repo.Backend(), mem.New(), "refs/heads/mail/alice") // nothing is missing
}

// TestStockGit clones, reads, removes and prunes with stock git.
func TestStockGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	k, path := newDisk(t)
	run := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.Command(git, args...)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
			"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@localhost", "GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@localhost"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	k.deliver(Inbox, 3)
	gone := k.open(Inbox).At(1)
	if c, err := k.open(Inbox).Content(t.Context(), gone); err != nil || run(path, "show", "mail/alice:"+group0+"/2.eml") != string(c.Raw) {
		t.Errorf("git shows another message: %v", err)
	}
	clone := t.TempDir()
	run(clone, "clone", "-q", "-b", "mail/alice", path, "mail")
	clone += "/mail"
	if got, want := run(clone, "grep", "-l", "Hello 1"), group0+"/2.eml\n"; got != want {
		t.Errorf("who looks for a message in a clone finds %q, want %q", got, want)
	}
	run(clone, "rm", "-q", group0+"/2.eml")
	run(clone, "commit", "-q", "-m", "away with it")
	run(clone, "push", "-q", "origin", "HEAD")
	if err := k.Settle(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if got := show(k.open(Inbox)); got != "1 3" {
		t.Errorf("after the push there is %s", got)
	}
	if done, err := k.Prune(t.Context(), change, "alice", time.Now().Add(time.Hour)); !done || err != nil {
		t.Fatal(done, err)
	}
	run(path, "gc", "-q", "--prune=now")
	run(path, "fsck", "--strict")
	if objects := run(path, "cat-file", "--batch-all-objects", "--batch-check"); strings.Contains(objects, gone.Blob.String()) {
		t.Error("the removed message is still there")
	}
	again := Open(store.New(k.repo.Backend(), store.Options{}), k.o)
	s, err := again.Box("alice").Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Mailbox(Inbox)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := m.Content(t.Context(), m.At(1)); err != nil || m.At(1).UID != 3 || len(c.Raw) == 0 {
		t.Errorf("got %+v, %v", m.At(1), err)
	}
	if gone.Trace == object.Zero || show(m) != "1 3" {
		t.Errorf("got %s", show(m))
	}
}
