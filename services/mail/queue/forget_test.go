package queue

import (
	"context"
	"testing"
	"time"

	"cairn/store/object"
)

// TestForget: a busy queue forgets what was sent and loses nothing that waits.
func TestForget(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		by := object.Signature{Name: "alice", Email: "alice@home.test"}
		w.serve(t, "example.test", "192.0.2.1", b)
		b.onData = func(string, []string, []byte) error { time.Sleep(100 * time.Millisecond); return nil }
		h.start()
		for range 10 {
			h.put(letter(addresses(5, "example.test")...))
			time.Sleep(50 * time.Millisecond)
			if err := h.q.Forget(t.Context(), by); err != nil {
				t.Error(err)
			}
		}
		h.empty()
		if n := len(b.all()); n != 10 {
			t.Errorf("got %d messages, want 10", n)
		}
		if err := h.q.Forget(t.Context(), by); err != nil {
			t.Error(err)
		}
		n := 0
		for _, err := range h.repo.Branch(Branch).Log(context.Background(), "") {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != 2 {
			t.Errorf("got %d commits, want 2", n)
		}
	})
}
