package queue

import (
	"strings"
	"testing"
	"time"

	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/mem"
)

// TestCheck: what pushes may bring.
func TestCheck(t *testing.T) {
	h := newHouse(t, newWorld(), newBackend())
	id := h.put(letter(addresses(3, "example.test")...))
	dir, err := folder(id)
	if err != nil {
		t.Fatal(err)
	}
	start, err := h.repo.Branch(Branch).Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	message, _, err := start.Blob(dir + "/message")
	if err != nil {
		t.Fatal(err)
	}
	entry, _, err := start.Blob(dir + "/0")
	if err != nil {
		t.Fatal(err)
	}
	other := store.New(mem.New(), store.Options{})
	stranger, err := secrets.Open(other.Branch("secrets"), [32]byte{99})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := stranger.Seal(sealName(dir+"/0"), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	empty, err := h.q.secrets.Seal(sealName(dir+"/0"), []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, path string
		data       []byte // nil: it is removed
		ok         bool
	}{
		{"removed", dir, nil, true},
		{"a claim", leaseFile, []byte("x"), true},
		{"another file", "README", []byte("x"), false},
		{"a file between", dir + "/x", message, false},
		{"a message at another place", "ab/cd/efghijklmnop/message", message, false},
		{"an entry at another place", dir + "/1", entry, false},
		{"no entry", dir + "/0", empty, false},
		{"another seed", dir + "/0", foreign, false},
		{"plain text", dir + "/0", []byte("{}"), false},
		{"a message removed", dir + "/message", nil, false},
	} {
		b := h.repo.Branch("try/" + strings.ReplaceAll(test.name, " ", "-"))
		if _, err := h.repo.Branch(Branch).Fork(t.Context(), b.Name()); err != nil {
			t.Fatal(err)
		}
		err := b.Update(t.Context(), store.Change{Message: "try"}, func(tx *store.Tx) error {
			if test.data == nil {
				return tx.Remove(test.path)
			}
			return tx.Put(test.path, test.data)
		})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := b.Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := h.q.Check(t.Context(), start, tree); (err == nil) != test.ok {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

// TestDamage: what cannot be read stays where it is, and the rest is sent.
func TestDamage(t *testing.T) {
	inTime(t, func(t *testing.T, w *world, b *sink, h *house) {
		w.serve(t, "example.test", "192.0.2.1", b)
		var dirs []string
		for range 3 {
			dir, err := folder(h.put(letter("bob@example.test")))
			if err != nil {
				t.Fatal(err)
			}
			dirs = append(dirs, dir)
		}
		err := h.repo.Branch(Branch).Update(t.Context(), store.Change{Message: "damage"}, func(tx *store.Tx) error {
			if err := tx.Put(dirs[0]+"/0", []byte("x")); err != nil {
				return err
			}
			return tx.Put(dirs[1]+"/message", []byte("x"))
		})
		if err != nil {
			t.Fatal(err)
		}
		h.start()
		time.Sleep(time.Hour)
		readable, errs := 0, 0
		for _, err := range h.q.List(t.Context()) {
			if err != nil {
				errs++
			} else {
				readable++
			}
		}
		if len(b.all()) != 1 || readable != 1 || errs != 1 {
			t.Errorf("%d sent, %d entries can be read and %d cannot, want 1 of each", len(b.all()), readable, errs)
		}
	})
}
