package mailbox

import (
	"context"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// TestRestore brings back what was deleted, under new UIDs, and leaves alone what was moved.
func TestRestore(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	k.must(func(e *Edit) error {
		if err := e.Create("Work", ""); err != nil {
			return err
		}
		for i := range 4 {
			if _, err := e.Append([]string{Inbox, "Work"}[i%2], note(i)); err != nil {
				return err
			}
		}
		return nil
	})
	old := k.snap()
	k.must(func(e *Edit) error {
		if _, err := e.Move(Inbox, []UID{1}, "Archive"); err != nil {
			return err
		}
		if _, err := e.Expunge(Inbox, []UID{2}, nil); err != nil {
			return err
		}
		return e.Delete("Work")
	})
	restore := func() (n int) {
		k.must(func(e *Edit) (err error) { n, err = e.Restore(old); return err })
		return n
	}
	if got := restore(); got != 3 {
		t.Errorf("%d messages were brought back, want 3", got)
	}
	if got := show(k.open(Inbox)); got != "3" {
		t.Errorf("INBOX has %s", got)
	}
	was, err := old.Mailbox("Work")
	if err != nil {
		t.Fatal(err)
	}
	work := k.open("Work")
	if work.Len() != 2 || work.UIDValidity == was.UIDValidity || work.At(0).Blob != was.At(0).Blob || work.At(0).Flags != was.At(0).Flags {
		t.Errorf("Work has %s: %+v", show(work), work.Info)
	}
	if got := restore(); got != 0 {
		t.Errorf("%d messages were brought back again", got)
	}
}

// A weighed backend knows how many bytes it was given.
type weighed struct {
	store.Backend
	objects, bytes int
}

func (w *weighed) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	for _, o := range objs {
		w.objects++
		w.bytes += len(o.Data)
	}
	return w.Backend.Commit(ctx, objs, changes)
}

// TestFlat makes sure that a delivery writes the same, whatever the mailbox holds, up to a million messages.
func TestFlat(t *testing.T) {
	b := &weighed{Backend: mem.New()}
	k := newKit(t, b, Options{})
	k.fill(10_000)
	million := func(tx *store.Tx) error {
		full, err := tx.Lookup(inbox + "/0xxxx")
		if err != nil {
			return err
		}
		for i := 1; i < 100; i++ {
			if err := tx.Link(inbox+"/"+topName(uint32(i)), full); err != nil {
				return err
			}
		}
		return replace(tx, inbox+"/mailbox.toml", "uid_next = 10001", "uid_next = 1000001")
	}
	if err := k.Box("alice").Branch().Update(t.Context(), change, million); err != nil {
		t.Fatal(err)
	}
	k.deliver(Inbox, 98)
	b.objects, b.bytes = 0, 0
	k.deliver(Inbox, 1)
	if b.objects > 11 || b.bytes > 24_000 {
		t.Errorf("a delivery to a million messages writes %d objects of %d bytes", b.objects, b.bytes)
	}
	if m := k.open(Inbox); m.At(m.Len()-1).UID != 1_000_099 {
		t.Errorf("got UID %d", m.At(m.Len()-1).UID)
	}
}
