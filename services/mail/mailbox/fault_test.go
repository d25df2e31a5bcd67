package mailbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A faulty backend fails at random: before anything has happened, or when all has and nobody hears of it, as when the power
// goes.
type faulty struct {
	store.Backend
	mu sync.Mutex
	r  *rand.Rand
}

var errPower = errors.New("power is out")

func (f *faulty) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	f.mu.Lock()
	dice := f.r.IntN(8)
	f.mu.Unlock()
	switch dice {
	case 0:
		return errPower
	case 1:
		return fmt.Errorf("%w: %w", store.ErrTemporary, errPower)
	case 2:
		if err := f.Backend.Commit(ctx, objs, changes); err != nil {
			return err
		}
		return errPower
	}
	return f.Backend.Commit(ctx, objs, changes)
}

// TestFaults has many sessions deliver, move and flag on a backend that fails: what was acknowledged is there exactly once, what
// was not is there at most once, and the mailbox is in order.
func TestFaults(t *testing.T) {
	b := &faulty{Backend: mem.New(), r: rand.New(rand.NewPCG(7, 7))}
	k := newKit(t, b, Options{})
	const sessions, each = 6, 40
	var mu sync.Mutex
	acked := map[string]bool{}
	var all sync.WaitGroup
	for s := range sessions {
		all.Go(func() {
			for i := range each {
				text := fmt.Sprintf("Subject: %d %d\r\n\r\n", s, i)
				err := k.edit(func(e *Edit) error {
					uid, err := e.Append(Inbox, New{Raw: store.NewBlob([]byte(text))})
					if err != nil || i%4 != 0 {
						return err
					}
					_, err = e.Move(Inbox, []UID{uid}, "Archive")
					return err
				})
				if err == nil {
					mu.Lock()
					acked[text] = true
					mu.Unlock()
				} else if !errors.Is(err, errPower) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.mu.Lock()
	b.r = rand.New(maxSource{})
	b.mu.Unlock()

	seen := map[string]int{}
	for _, name := range []string{Inbox, "Archive"} {
		m := k.open(name)
		info, err := k.snap().Info(name)
		if err != nil || info != m.Info {
			t.Errorf("%s: counted %+v, stored %+v, %v", name, m.Info, info, err)
		}
		for _, msg := range m.All() {
			c, err := m.Content(t.Context(), msg)
			if err != nil {
				t.Fatal(err)
			}
			seen[string(c.Bytes())]++
		}
	}
	for text := range acked {
		if seen[text] != 1 {
			t.Errorf("%q was acknowledged and is there %d times", text, seen[text])
		}
	}
	for text, n := range seen {
		if n > 1 {
			t.Errorf("%q is there %d times", text, n)
		}
	}
	tidy := k.snap().Tree().Hash()
	if err := k.Settle(t.Context(), "alice"); err != nil || k.snap().Tree().Hash() != tidy {
		t.Errorf("it was not in order: %v", err)
	}
}

// A maxSource never throws a low number.
type maxSource struct{}

func (maxSource) Uint64() uint64 { return 1<<64 - 1 }

// TestMany delivers one message to many users and a failure to none.
func TestMany(t *testing.T) {
	k := newKit(t, mem.New(), Options{})
	users := []string{"alice", "bob", "carol"}
	var branches []string
	for _, u := range users {
		branches = append(branches, BranchName(u))
	}
	blob := store.NewBlob([]byte("Subject: to all\r\n\r\nHello.\r\n"))
	for _, fault := range []error{errPower, nil} {
		err := k.repo.Update(t.Context(), change, branches, func(txs map[string]*store.Tx) error {
			for _, u := range users {
				err := k.Edit(txs[BranchName(u)], u, func(e *Edit) error {
					_, err := e.Append(Inbox, New{Trace: []byte("Delivered-To: " + u + "\r\n"), Raw: blob})
					return err
				})
				if err != nil {
					return err
				}
			}
			return fault
		})
		if !errors.Is(err, fault) {
			t.Fatalf("got %v, want %v", err, fault)
		}
		for _, u := range users {
			s, err := k.Box(u).Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m, err := s.Mailbox(Inbox)
			if err != nil {
				t.Fatal(err)
			}
			if fault != nil {
				if m.Len() != 0 {
					t.Errorf("%s has a message of an update that failed", u)
				}
				continue
			}
			c, err := m.Content(t.Context(), m.At(0))
			if want := "Delivered-To: " + u + "\r\nSubject: to all\r\n\r\nHello.\r\n"; err != nil || string(c.Bytes()) != want || m.At(0).Blob != blob.Hash() {
				t.Errorf("%s has %q, %v", u, c.Bytes(), err)
			}
		}
	}
}
