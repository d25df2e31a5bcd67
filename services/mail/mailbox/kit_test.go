package mailbox

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A kit is the mail of alice, bob and carol in a repository in memory.
type kit struct {
	testing.TB
	*Boxes
	repo  *store.Repo
	clock *atomic.Int64 // seconds since 1970
}

func newKit(t testing.TB, o Options) *kit { return newKitOn(t, mem.New(), o) }

func newKitOn(t testing.TB, b store.Backend, o Options) *kit {
	k := &kit{TB: t, clock: new(atomic.Int64)}
	k.clock.Store(1_800_000_000)
	if o.Now == nil {
		o.Now = func() time.Time { return time.Unix(k.clock.Load(), 0) }
	}
	k.repo = store.New(b, store.Options{})
	k.Boxes = Open(k.repo, o)
	return k
}

var change = store.Change{Author: object.Signature{Name: "Alice", Email: "alice@localhost"}, Message: "change"}

// edit changes alice's mail.
func (k *kit) edit(f func(*Edit) error) error {
	return k.Update(context.Background(), change, "alice", f)
}

func (k *kit) must(f func(*Edit) error) {
	k.Helper()
	if err := k.edit(f); err != nil {
		k.Fatal(err)
	}
}

func (k *kit) snap() *Snapshot {
	k.Helper()
	s, err := k.Box("alice").Snapshot(context.Background())
	if err != nil {
		k.Fatal(err)
	}
	return s
}

func (k *kit) open(name string) *Mailbox {
	k.Helper()
	m, err := k.snap().Mailbox(name)
	if err != nil {
		k.Fatal(err)
	}
	return m
}

// deliver puts messages into a mailbox, each in its own Update, and returns the last UID.
func (k *kit) deliver(mailbox string, n int) (uid UID) {
	k.Helper()
	for i := range n {
		k.must(func(e *Edit) (err error) {
			uid, err = e.Append(mailbox, note(i))
			return err
		})
	}
	return uid
}

func note(i int) New {
	return New{
		Trace: []byte("Return-Path: <bob@localhost>\r\n"),
		Raw:   store.NewBlob(fmt.Appendf(nil, "From: bob@localhost\r\nSubject: message %d\r\n\r\nHello %d.\r\n", i, i)),
	}
}

// show lists the UIDs and flags of a mailbox.
func show(m *Mailbox) string {
	var b strings.Builder
	for _, msg := range m.All() {
		fmt.Fprintf(&b, "%d", msg.UID)
		if msg.Flags != (Flags{}) {
			fmt.Fprintf(&b, "(%s)", msg.Flags)
		}
		b.WriteByte(' ')
	}
	return strings.TrimSpace(b.String())
}

// paths lists the files of a branch.
func paths(t testing.TB, tree *store.Tree) string {
	t.Helper()
	var b strings.Builder
	for d, err := range new(store.Tree).Diff(context.Background(), tree) {
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(d.Path + "\n")
	}
	return b.String()
}
