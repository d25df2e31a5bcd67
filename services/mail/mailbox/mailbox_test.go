package mailbox

import (
	"context"
	"errors"
	"testing"

	"cairn/store/mem"
)

func TestDelivery(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	if got := len(k.snap().Mailboxes()); got != 6 {
		t.Fatalf("somebody without mail has %d mailboxes, want 6", got)
	}
	virtual := k.open("inbox")
	if uid := k.deliver("INBOX", 3); uid != 3 {
		t.Fatalf("got UID %d, want 3", uid)
	}
	m := k.open("INBOX")
	if m.UIDValidity != virtual.UIDValidity || m.UIDNext != 4 || m.HighestModSeq != 4 || m.Len() != 3 || m.Unseen != 3 {
		t.Errorf("got %+v", m.Info)
	}
	if got := show(m); got != "1 2 3" {
		t.Errorf("got %s", got)
	}
	c, err := m.Content(context.Background(), m.At(1))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(c.Bytes()), "Return-Path: <bob@localhost>\r\nFrom: bob@localhost\r\nSubject: message 1\r\n\r\nHello 1.\r\n"; got != want || c.Size() != int64(m.At(1).Size) {
		t.Errorf("got %q", got)
	}
	t.Log("\n" + paths(t, k.snap().Tree()))
	for i := range m.Len() {
		if at, ok := m.Find(m.At(i).UID); at != i || !ok {
			t.Errorf("find UID %d: %d, %v", m.At(i).UID, at, ok)
		}
	}
	if _, err := k.snap().Mailbox("Nowhere"); !errors.Is(err, ErrNoMailbox) {
		t.Errorf("got %v, want ErrNoMailbox", err)
	}
}

func TestChanges(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	k.deliver("INBOX", 5)
	before := k.open("INBOX")
	k.must(func(e *Edit) error {
		if _, err := e.SetFlags("INBOX", []UID{4, 2}, func(m Message) Flags { return m.Flags.With(NewFlags(Seen, "$Work")) }); err != nil {
			return err
		}
		if _, err := e.Expunge("INBOX", []UID{3}, nil); err != nil {
			return err
		}
		if _, err := e.Move("INBOX", []UID{5}, "Archive"); err != nil {
			return err
		}
		_, err := e.Copy("INBOX", []UID{4}, "INBOX")
		return err
	})
	after := k.open("INBOX")
	if got, want := show(after), `1 2(\Seen $Work) 4(\Seen $Work) 6(\Seen $Work)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := show(k.open("Archive")); got != "1" {
		t.Errorf("Archive: got %s", got)
	}
	c := Between(before, after)
	t.Logf("%+v %+v", c, after.Info)
	k.must(func(e *Edit) error { return e.Create("Work/2026", "") })
	k.must(func(e *Edit) error { return e.Rename("INBOX", "Work/Old") })
	k.must(func(e *Edit) error { return e.Rename("Work", "Play") })
	t.Log(k.snap().Mailboxes())
	t.Log("\n" + paths(t, k.snap().Tree()))
}
