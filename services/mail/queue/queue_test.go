package queue

import (
	"testing"
	"testing/synctest"
)

func TestSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(), newSink()
		w.serve(t, "example.test", "192.0.2.1", b)
		h := newHouse(t, w, newBackend())
		h.start()
		h.put(letter("bob@example.test", "carol@example.test"))
		h.empty()
		h.stop()
		got := b.all()
		if len(got) != 1 {
			t.Fatalf("got %d messages, want 1", len(got))
		}
		if m := got[0]; m.From != "alice@home.test" || len(m.To) != 2 || m.Data != text {
			t.Errorf("got %+v", m)
		}
	})
}
