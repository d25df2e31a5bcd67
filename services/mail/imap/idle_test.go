package imap

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/services/mail/mailbox"
	"cairn/store"
	"cairn/store/gitdir"
)

// onDisk opens the repository in dir, which is made if it is not there.
func onDisk(t testing.TB, dir string) *store.Repo {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); err != nil {
		if err := gitdir.Init(dir); err != nil {
			t.Fatal(err)
		}
	}
	d, err := gitdir.Open(dir, gitdir.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return store.New(d, store.Options{})
}

// TestIdle tells one client what another does, and of a delivery.
func TestIdle(t *testing.T) {
	h := newHouse(t, nil)
	c := h.open("INBOX")
	c.write("i IDLE\r\n")
	c.want("+")
	h.put("alice", "INBOX", hello)
	c.want("* 1 EXISTS")
	d := h.open("INBOX")
	d.ok("STORE 1 +FLAGS (\\Flagged)")
	c.want("* 1 FETCH (UID 1 FLAGS (\\Flagged))")
	d.ok("STORE 1 +FLAGS (\\Deleted)")
	c.want("* 1 FETCH (UID 1 FLAGS (\\Flagged \\Deleted))")
	d.ok("EXPUNGE")
	c.want("* 1 EXPUNGE")
	c.write("DONE\r\n")
	c.want("i OK")
	c.ok("NOOP")
}

// TestIdlePush idles while somebody deletes a message in a clone and pushes that.
func TestIdlePush(t *testing.T) {
	git := judge(t, "git")
	dir := t.TempDir()
	bare, clone := filepath.Join(dir, "bare"), filepath.Join(dir, "clone")
	h := newHouseOver(t, onDisk(t, bare), nil)
	h.put("alice", "INBOX", hello, strings.ReplaceAll(hello, "Hello", "Goodbye"), hello)
	c := h.open("INBOX")
	c.write("i IDLE\r\n")
	c.want("+")

	run(t, dir, git, "clone", "-q", "-b", "mail/alice", bare, clone)
	found := run(t, clone, git, "grep", "-l", "Goodbye")
	run(t, clone, git, "rm", "-q", strings.TrimSpace(found))
	run(t, clone, git, "-c", "user.name=alice", "-c", "user.email=alice@localhost", "commit", "-q", "-m", "no goodbyes")
	run(t, clone, git, "push", "-q", "origin", "HEAD:mail/alice")
	c.want("* 2 EXPUNGE")
	c.write("DONE\r\n")
	c.want("i OK")
	if got := c.ok("UID SEARCH ALL"); got[0] != "* SEARCH 1 3" {
		t.Errorf("got %q, want the messages 1 and 3", got)
	}
}

// TestReplicas has two servers over one repository, each with a client that idles, and others that write.
func TestReplicas(t *testing.T) {
	dir := t.TempDir()
	h := newHouseOver(t, onDisk(t, dir), nil)
	twin := &house{t: t}
	twin.Server = &Server{Login: h.Login, Boxes: mailbox.Open(onDisk(t, dir), mailbox.Options{Now: time.Now}), Log: h.Log}
	twin.addr = twin.listen(twin.Serve)
	const writers, each = 4, 5
	var all sync.WaitGroup
	for _, house := range []*house{h, twin} {
		c := house.open("INBOX")
		all.Go(func() {
			c.write("i IDLE\r\n")
			for c.line() != fmt.Sprintf("* %d EXISTS", writers*each) {
			}
			c.write("DONE\r\n")
			c.hear("i")
		})
	}
	for i := range writers {
		house := []*house{h, twin}[i%2]
		c := house.open("INBOX")
		all.Go(func() {
			for k := range each {
				message := fmt.Sprintf("Subject: %d of %d\r\n\r\nx\r\n", k, i)
				c.ok(fmt.Sprintf("APPEND INBOX {%d+}\r\n%s", len(message), message))
				c.ok("UID STORE 1:* +FLAGS.SILENT (\\Seen)")
			}
		})
	}
	all.Wait()
	want := fmt.Sprintf("* SEARCH%s", strings.Join(numbersTo(writers*each), ""))
	for _, house := range []*house{h, twin} {
		c := house.open("INBOX")
		if got := c.ok("UID SEARCH ALL"); got[0] != want {
			t.Errorf("got %q, want %q", got, want)
		}
		c.ok("UID STORE 1:* +FLAGS.SILENT (\\Seen)")
		if got := c.ok("SEARCH UNSEEN"); got[0] != "* SEARCH" {
			t.Errorf("unseen: got %q, want none", got)
		}
	}
}

func numbersTo(n int) []string {
	var list []string
	for i := 1; i <= n; i++ {
		list = append(list, fmt.Sprintf(" %d", i))
	}
	return list
}

// TestTraining tells the junk filter of what is moved into Junk and out of it, in the same commit.
func TestTraining(t *testing.T) {
	h := newHouse(t, func(h *house) {
		h.Trained = func(_ context.Context, e *mailbox.Edit, from string, messages []mailbox.Message, spam bool) error {
			return e.PutFile("junk.txt", fmt.Appendf(nil, "%s %d %v", from, len(messages), spam))
		}
	})
	h.put("alice", "INBOX", hello, hello, hello)
	c := h.open("INBOX")
	learnt := func() string {
		t.Helper()
		snap, err := h.Boxes.Box("alice").Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		data, err := snap.ReadFile("junk.txt")
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	c.ok("MOVE 1:2 Junk")
	if got := learnt(); got != "INBOX 2 true" {
		t.Errorf("into Junk: got %q", got)
	}
	c.ok("SELECT Junk")
	c.ok("COPY 1 Trash")
	if got := learnt(); got != "INBOX 2 true" {
		t.Errorf("from Junk to Trash: got %q", got)
	}
	c.ok("COPY 1 INBOX")
	if got := learnt(); got != "Junk 1 false" {
		t.Errorf("out of Junk: got %q", got)
	}
}
