package mailbox

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// A kit is the mail of alice, bob and carol in a repository in memory.
type kit struct {
	testing.TB
	*Boxes
	repo  *store.Repo
	clock *atomic.Int64 // seconds since 1970
}

func newKit(t testing.TB, b store.Backend, o Options) *kit {
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

// carry copies a branch with all its history.
func carry(t testing.TB, from, to store.Backend, ref string) {
	t.Helper()
	r, err := from.Ref(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	var objs []object.Object
	seen := map[store.Hash]bool{}
	for todo := []store.Hash{r.Hash}; len(todo) > 0; {
		h := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[h] {
			continue
		}
		seen[h] = true
		o, err := from.Object(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		objs = append(objs, o)
		todo = append(todo, refersTo(t, o)...)
	}
	if err := to.Commit(t.Context(), objs, []store.RefChange{{Name: ref, New: r.Hash}}); err != nil {
		t.Fatal(err)
	}
}

func refersTo(t testing.TB, o object.Object) (list []store.Hash) {
	t.Helper()
	switch o.Type {
	case object.TypeCommit:
		c, err := object.ParseCommit(o.Data)
		if err != nil {
			t.Fatal(err)
		}
		return append(c.Parents, c.Tree)
	case object.TypeTree:
		entries, err := object.ParseTree(o.Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			list = append(list, e.Hash)
		}
	}
	return list
}

// A counted backend counts what is read of it.
type counted struct {
	store.Backend
	reads atomic.Int64
}

func (c *counted) Object(ctx context.Context, h store.Hash) (object.Object, error) {
	c.reads.Add(1)
	return c.Backend.Object(ctx, h)
}
