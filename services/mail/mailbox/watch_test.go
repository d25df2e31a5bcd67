package mailbox

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"cairn/store"
	"cairn/store/mem"
)

// TestWatch sees the first delivery to somebody without mail, flags, and what others commit.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, mem.New(), Options{})
		ctx, stop := context.WithCancel(t.Context())
		next, end := iter.Pull2(k.Box("alice").Watch(ctx))
		defer end()
		see := func(want string) {
			t.Helper()
			s, err, _ := next()
			if err != nil {
				t.Fatal(err)
			}
			m, err := s.Mailbox(Inbox)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(m); got != want || m.UIDValidity != 1 {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		see("")
		k.deliver(Inbox, 1)
		see("1")
		k.must(func(e *Edit) error {
			_, err := e.SetFlags(Inbox, []UID{1}, func(Message) Flags { return NewFlags(Seen) })
			return err
		})
		see(`1(\Seen)`)
		if err := k.Box("alice").Branch().Update(ctx, change, func(tx *store.Tx) error { return tx.Remove(inbox + "/0xxxx") }); err != nil {
			t.Fatal(err)
		}
		see("")
		stop()
		if _, _, ok := next(); ok {
			t.Error("it goes on after the end")
		}
	})
}

func TestQuota(t *testing.T) {
	limit := Quota{Bytes: 1000, Messages: 4}
	k := newKit(t, mem.New(), Options{Quota: func(user string) Quota {
		if user != "alice" {
			t.Errorf("quota of %q", user)
		}
		return limit
	}})
	k.deliver(Inbox, 3)
	copyAll := func(e *Edit) error { _, err := e.Copy(Inbox, []UID{1, 2}, "Archive"); return err }
	var full *QuotaError
	if err := k.edit(copyAll); !errors.As(err, &full) || full.Used.Messages != 4 {
		t.Errorf("copies of two where one has room: %v", err)
	}
	if got := k.open("Archive").Len(); got != 0 {
		t.Errorf("%d of them are there", got)
	}
	if err := k.edit(func(e *Edit) error { _, err := e.Move(Inbox, []UID{1, 2}, "Archive"); return err }); err != nil {
		t.Errorf("to move needs no room: %v", err)
	}
	used := k.snap().Used()
	if used.Messages != 3 || used.Bytes != k.open(Inbox).Bytes+k.open("Archive").Bytes {
		t.Errorf("used: %+v", used)
	}
	if err := k.snap().Room(1000 - used.Bytes); err != nil {
		t.Errorf("the last byte: %v", err)
	}
	if err := k.snap().Room(1001 - used.Bytes); !errors.As(err, &full) || full.Limit != limit {
		t.Errorf("one more: %v", err)
	}
	large := New{Raw: store.NewBlob(make([]byte, 900))}
	k.must(func(e *Edit) error {
		if _, err := e.Append(Inbox, large); !errors.As(err, &full) {
			t.Errorf("too large: %v", err)
		}
		_, err := e.Append("Trash", note(1)) // the Edit goes on
		return err
	})
	k.must(func(e *Edit) error { return e.Delete("Archive") })
	if got := k.snap().Used().Messages; got != 2 {
		t.Errorf("a mailbox that was deleted counts: %d", got)
	}
}

func TestSubscriptions(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	check := func(want ...string) {
		t.Helper()
		if got := k.snap().Subscriptions(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check("Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash")
	k.must(func(e *Edit) error {
		if err := e.Subscribe("Work/notyet"); err != nil {
			return err
		}
		return errors.Join(e.Unsubscribe("Junk"), e.Unsubscribe("Drafts"), e.Unsubscribe("Nowhere"), e.Subscribe("inbox"))
	})
	check("Archive", "INBOX", "Sent", "Trash", "Work/notyet")
	if info, err := k.snap().Info("Junk"); err != nil || info.Subscribed {
		t.Errorf("got %+v, %v", info, err)
	}
	if info, err := k.snap().Info("Sent"); err != nil || !info.Subscribed {
		t.Errorf("got %+v, %v", info, err)
	}
}

func TestStructure(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	k.deliver("Sent", 2)
	var name *NameError
	for _, c := range []struct {
		what string
		f    func(e *Edit) error
		want error
	}{
		{"make INBOX", func(e *Edit) error { return e.Create("inbox", "") }, ErrExists},
		{"delete INBOX", func(e *Edit) error { return e.Delete("Inbox") }, ErrInbox},
		{"rename onto another", func(e *Edit) error { return e.Rename("Sent", "Trash") }, ErrExists},
		{"rename nothing", func(e *Edit) error { return e.Rename("Nowhere", "X") }, ErrNoMailbox},
		{"delete nothing", func(e *Edit) error { return e.Delete("Nowhere") }, ErrNoMailbox},
		{"copy to nothing", func(e *Edit) error { _, err := e.Copy("Sent", []UID{1}, "Nowhere"); return err }, ErrNoMailbox},
		{"no message", func(e *Edit) error { _, err := e.Message("Sent", 3); return err }, ErrNoMessage},
	} {
		if err := k.edit(c.f); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
	}
	for _, bad := range []string{"", "a//b", "/a", "a\x00b", "a\nb", "\xff", "sent", "Sent/" + strings.Repeat("x", 300), strings.Repeat("a/", 30) + "a"} {
		if err := k.edit(func(e *Edit) error { return e.Create(bad, "") }); !errors.As(err, &name) {
			t.Errorf("make %q: %v", bad, err)
		}
	}
	if err := k.edit(func(e *Edit) error { return e.Rename("Sent", "Sent/below") }); !errors.As(err, &name) {
		t.Errorf("rename below itself: %v", err)
	}
	deep := "Sent" + strings.Repeat("/a", 15)
	k.must(func(e *Edit) error { return e.Create(deep, "") })
	if err := k.edit(func(e *Edit) error { return e.Rename("Sent", "a/b/c/d/e/f/g") }); !errors.As(err, &name) {
		t.Errorf("rename so that another is too deep: %v", err)
	}
	k.must(func(e *Edit) error {
		if err := e.Tx().Put("mailboxes/Sent/a/note.txt", []byte("mine")); err != nil {
			return err
		}
		return e.Delete("Sent/a")
	})
	if _, err := k.snap().ReadFile("mailboxes/Sent/a/note.txt"); err != nil {
		t.Errorf("somebody's note: %v", err)
	}
	if _, err := k.snap().Mailbox(deep); err != nil {
		t.Error(err)
	}
	id := k.open("Sent").ID()
	k.must(func(e *Edit) error { return e.Rename("Sent", "sent") })
	if m := k.open("sent"); m.ID() != id || m.Use != Sent || m.Len() != 2 {
		t.Errorf("got %+v", m.Info)
	}
	if info, err := k.snap().ByUse(Sent); err != nil || info.Name != "sent" {
		t.Errorf("got %+v, %v", info, err)
	}
	k.must(func(e *Edit) error { return e.Delete("Trash") })
	if _, err := k.snap().ByUse(Trash); !errors.Is(err, ErrNoMailbox) {
		t.Errorf("there is no trash any more: %v", err)
	}
	k.must(func(e *Edit) error { return e.Create("Bin", Trash) })
	if m := k.open("Bin"); m.UIDValidity < 1_800_000_000 || m.Use != Trash {
		t.Errorf("got %+v", m.Info)
	}
	// Back by a push with the numbers that it had.
	err := k.push(func(tx *store.Tx) error {
		return tx.Put("mailboxes/Trash/mailbox.toml", []byte("uid_validity = 6\nuid_next = 1\nmodseq = 1\n"))
	})
	if want := "mailboxes/Trash/mailbox.toml: a mailbox had the uid_validity 6 before: leave the file out, and it is made anew"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestOther looks at what else can be asked.
func TestOther(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	k.deliver(Inbox, 250)
	m := k.open(Inbox)
	if got := m.FirstUnseen(); got != 0 {
		t.Errorf("the first unseen is %d", got)
	}
	k.must(func(e *Edit) error {
		if err := e.PutFile("sieve/active.sieve", []byte("keep;")); err != nil {
			return err
		}
		if err := e.PutFile("mail.toml", nil); err == nil {
			t.Error("mail.toml was written as a file of others")
		}
		uids := make([]UID, 205)
		for i := range uids {
			uids[i] = UID(i + 1)
		}
		_, err := e.SetFlags(Inbox, uids, func(m Message) Flags { return NewFlags(Seen, "$b", "$A", "\\Strange", "a b") })
		return err
	})
	m = k.open(Inbox)
	if got := m.FirstUnseen(); got != 205 || m.Unseen != 45 {
		t.Errorf("the first unseen is %d of %d", got, m.Unseen)
	}
	if got := m.Keywords(); !slices.Equal(got, []Flag{"$A", "$b"}) {
		t.Errorf("keywords: %q", got)
	}
	at := 199
	for i, msg := range m.From(199) {
		if i != at || msg.UID != UID(at+1) {
			t.Fatalf("at %d is %d, %d", at, i, msg.UID)
		}
		at++
	}
	if at != 250 {
		t.Errorf("there are messages up to %d", at)
	}
	if i, ok := m.Find(251); ok || i != 250 {
		t.Errorf("behind the last: %d, %v", i, ok)
	}
	if a, b := m.At(0).EmailID(), m.At(1).EmailID(); a == b || len(a) != 33 {
		t.Errorf("email IDs %s, %s", a, b)
	}
	var text strings.Builder
	c, err := m.Content(t.Context(), m.At(7))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.WriteTo(&text); err != nil || n != c.Size() || text.String() != string(c.Bytes()) {
		t.Errorf("wrote %d bytes, %v", n, err)
	}
	if data, err := k.snap().ReadFile("sieve/active.sieve"); err != nil || string(data) != "keep;" {
		t.Errorf("got %q, %v", data, err)
	}
	k.must(func(e *Edit) error { return e.RemoveFile("sieve/active.sieve") })
	if _, err := k.Box("../x").Snapshot(t.Context()); err == nil {
		t.Error("a user whose name is a path has mail")
	}
}

// TestCold makes sure that opening a mailbox reads two objects for 100 messages, and afterwards only what has changed.
func TestCold(t *testing.T) {
	b := &counted{Backend: mem.New()}
	k := newKit(t, b, Options{})
	k.fill(10_000)
	k.repo = store.New(b, store.Options{})
	k.Boxes = Open(k.repo, k.o)
	b.reads.Store(0)
	before := k.open(Inbox)
	if got := b.reads.Load(); got > 250 {
		t.Errorf("%d objects were read to open 10,000 messages", got)
	}
	k.deliver(Inbox, 1)
	b.reads.Store(0)
	after := k.open(Inbox)
	if got := b.reads.Load(); got > 15 {
		t.Errorf("%d objects were read after a delivery", got)
	}
	if got := Between(before, after); !slices.Equal(got.Added, []UID{10_001}) || len(got.Vanished)+len(got.Changed) > 0 {
		t.Errorf("got %+v", got)
	}
}
