package queue

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"cairn/store"
	"cairn/store/object"
)

// inTime runs a test with a clock of its own, in which no waiting takes time.
func inTime(t *testing.T, f func(t *testing.T, w *world, b *sink, h *house)) {
	synctest.Test(t, func(t *testing.T) {
		w, b := newWorld(), &sink{}
		h := newHouse(t, w, newBackend())
		f(t, w, b, h)
		if h.cancel != nil {
			h.stop()
		}
	})
}

func TestSend(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.serve(t, "example.test", "192.0.2.1", b)
		h.start()
		h.put(letter("bob@example.test", "carol@EXAMPLE.test", "bob@example.test", "a b@example.test"))
		h.empty()
		got := b.all()
		if len(got) != 1 {
			t.Fatalf("got %d messages, want 1", len(got))
		}
		want := "[bob@example.test carol@example.test a b@example.test]"
		if m := got[0]; m.From != "alice@home.test" || fmt.Sprint(m.To) != want || m.Data != text || m.TLS {
			t.Errorf("got %+v, want it for %s", m, want)
		}
	})
}

// TestBadMessages: what could never be sent is not queued.
func TestBadMessages(t *testing.T) {
	h := newHouse(t, newWorld(), newBackend())
	for name, m := range map[string]Message{
		"nobody":        letter(),
		"no domain":     letter("bob"),
		"no local part": letter("@example.test"),
		"a line end":    letter("bob\r\nRSET@example.test"),
		"a bad domain":  letter("bob@exa mple.test"),
		"a bracket":     letter("bob@example.test>"),
		"a bad sender":  {From: "alice\n@home.test", To: []Recipient{{Address: "bob@example.test"}}, Raw: []byte(text)},
		"a bad notify":  {To: []Recipient{{Address: "bob@example.test", Notify: Never | Delay}}, Raw: []byte(text)},
	} {
		err := h.repo.Branch(Branch).Update(t.Context(), store.Change{Message: "put"}, func(tx *store.Tx) error {
			_, err := h.q.Put(tx, m)
			return err
		})
		if !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: got %v, want fs.ErrInvalid", name, err)
		}
	}
}

// TestBatches: recipients of one domain share transactions, a hundred at a time, and connections.
func TestBatches(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.serve(t, "example.test", "192.0.2.1", b)
		w.serve(t, "example.com", "192.0.2.2", b)
		h.put(letter(append(addresses(1234, "example.test"), addresses(50, "example.com")...)...))
		h.start()
		h.empty()
		for to, n := range b.recipients() {
			if n != 1 {
				t.Errorf("%s got %d messages, want 1", to, n)
			}
		}
		if n := len(b.recipients()); n != 1284 {
			t.Errorf("got %d recipients, want 1284", n)
		}
		if n := len(b.all()); n != 14 {
			t.Errorf("got %d transactions, want 14", n)
		}
		if b.sessions > 6 {
			t.Errorf("got %d connections, want 6 at most", b.sessions)
		}
	})
}

// TestTooMany: a server that takes a few recipients at a time gets all, without waiting.
func TestTooMany(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		s := w.serve(t, "example.test", "192.0.2.1", b)
		s.MaxRecipients = 7
		start := time.Now()
		h.put(letter(addresses(50, "example.test")...))
		h.start()
		h.empty()
		if n := len(b.recipients()); n != 50 {
			t.Errorf("got %d recipients, want 50", n)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// TestReuse: messages that are there together go over few connections, and one that comes soon after
// over the same.
func TestReuse(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.serve(t, "example.test", "192.0.2.1", b)
		h.start()
		for range 5 {
			h.put(letter("bob@example.test"))
			h.empty()
			time.Sleep(time.Second)
		}
		if b.sessions != 1 || len(b.all()) != 5 {
			t.Errorf("got %d messages over %d connections, want 5 over 1", len(b.all()), b.sessions)
		}
		time.Sleep(time.Minute)
		h.put(letter("bob@example.test"))
		h.empty()
		if b.sessions != 2 {
			t.Errorf("got %d connections after a pause, want 2", b.sessions)
		}
	})
}

// TestManage: list, hold, release, retry and drop.
func TestManage(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		by := object.Signature{Name: "alice", Email: "alice@home.test"}
		w.serve(t, "example.test", "192.0.2.1", b)
		b.onRcpt = func(string) error { return &smtp.SMTPError{Code: 451, Message: "not now"} }
		first, second, third := h.put(letter("bob@example.test")), h.put(letter("carol@example.test")), h.put(letter("bob@example.test"))
		ctx := t.Context()
		if err := h.q.Hold(ctx, by, third); err != nil {
			t.Fatal(err)
		}
		h.start()
		until(t, "an attempt", func() bool {
			n := 0
			for _, i := range h.list() {
				n += i.Attempts
			}
			return n == 2
		})
		for _, i := range h.list() {
			want := "mx.example.test said: 451 4.0.0 not now"
			if i.ID == third {
				want = ""
			}
			if i.Held != (i.ID == third) || i.From != "alice@home.test" || i.Domain != "example.test" || i.Size != int64(len(text)) || i.To[0].Answer != want {
				t.Errorf("got %+v", i)
			}
		}
		b.onRcpt = nil
		if err := h.q.Drop(ctx, by, first); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := h.q.Retry(ctx, by, second); err != nil {
			t.Fatal(err)
		}
		until(t, "the second", func() bool { return len(h.list()) == 1 })
		if took := time.Since(began); took > 10*time.Second || len(b.all()) != 1 || b.all()[0].To[0] != "carol@example.test" {
			t.Errorf("retry: after %v got %+v", took, b.all())
		}
		time.Sleep(10 * 24 * time.Hour)
		if n := len(h.list()); n != 1 {
			t.Errorf("after ten days %d wait, want the one that is held", n)
		}
		if err := h.q.Release(ctx, by); err != nil {
			t.Fatal(err)
		}
		h.empty()
		if n := len(b.all()); n != 2 {
			t.Errorf("got %d messages, want 2", n)
		}
		for name, do := range map[string]func() error{
			"retry": func() error { return h.q.Retry(ctx, by, first) },
			"hold":  func() error { return h.q.Hold(ctx, by, "../../../../x") },
			"drop":  func() error { return h.q.Drop(ctx, by, strings.Repeat("a", idLength)) },
		} {
			if err := do(); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s what is not there: got %v, want fs.ErrNotExist", name, err)
			}
		}
	})
}

// TestLayout: folders stay small, nothing can be read in a clone, and nothing remains of what was sent.
func TestLayout(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.serve(t, "example.test", "192.0.2.1", b)
		var to []string
		for i := range 1500 {
			to = append(to, fmt.Sprintf("bob@d%d.test", i))
		}
		id := h.put(letter(to...))
		tree, err := h.repo.Branch(Branch).Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		err = fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			count[p[:strings.LastIndexByte(p, '/')]]++
			data, err := fs.ReadFile(tree, p)
			if err == nil && !strings.HasPrefix(string(data), "cairn sealed 1\n") {
				t.Errorf("%s is not sealed", p)
			}
			if got, _, ok := parsePath(p); ok != !strings.HasSuffix(p, "/message") || ok && got != id {
				t.Errorf("%s: got the message %q, %v", p, got, ok)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for dir, n := range count {
			if n > fan+1 {
				t.Errorf("%s holds %d files", dir, n)
			}
		}
		if err := h.q.Drop(t.Context(), object.Signature{Name: "alice", Email: "a@home.test"}, id); err != nil {
			t.Fatal(err)
		}
		h.start()
		h.put(letter("bob@example.test"))
		h.empty()
		if tree, err = h.repo.Branch(Branch).Tree(t.Context()); err != nil {
			t.Fatal(err)
		}
		for e, err := range tree.Entries(".") {
			t.Errorf("left behind: %+v, %v", e, err)
		}
	})
}

// TestManyDomains: more destinations than there may be connections are all served without waiting for idle
// ones.
func TestManyDomains(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		h.o.Connections = 7
		h.open()
		var to []string
		w.host("mx.test", "192.0.2.1")
		w.listen(t, "192.0.2.1:25", b)
		for i := range 300 {
			w.records(fmt.Sprintf("d%d.test", i), "10 mx.test.")
			to = append(to, fmt.Sprintf("bob@d%d.test", i))
		}
		h.start()
		began := time.Now()
		h.put(letter(to...))
		h.empty()
		if took := time.Since(began); took > 10*time.Second || len(b.recipients()) != 300 {
			t.Errorf("%d got it in %v, want 300 at once", len(b.recipients()), took)
		}
	})
}
