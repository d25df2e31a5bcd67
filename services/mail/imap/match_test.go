package imap

import (
	"testing"

	"cairn/services/mail/message"
)

// TestHeaderPanic makes sure that a message that is too much for a reader of headers costs its search, and not the server.
func TestHeaderPanic(t *testing.T) {
	h := newHouse(t, nil)
	h.put("alice", "INBOX", hello)
	box := h.Boxes.Box("alice")
	snap, err := box.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := snap.Mailbox("INBOX")
	if err != nil {
		t.Fatal(err)
	}
	s := &session{server: h.Server, ctx: t.Context(), box: box, view: &view{base: m, now: m}}
	if err := s.eachHeader([]hit{{0, m.At(0)}}, func(int, message.Header) { panic("too much") }); err == nil {
		t.Error("no error")
	}
}
