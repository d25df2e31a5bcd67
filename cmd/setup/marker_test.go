package setup

import (
	"errors"
	"testing"

	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

var alice = object.Signature{Name: "alice", Email: "alice@example.org"}

func TestMarker(t *testing.T) {
	branch := store.New(mem.New(), store.Options{}).Branch("secrets")
	open := func(seed Seed) *secrets.Secrets {
		s, err := secrets.Open(branch, seed)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	right, wrong := open(Seed{1}), open(Seed{2})
	if err := CheckSeed(t.Context(), wrong); err != nil {
		t.Errorf("nothing there: got %v", err)
	}
	for range 2 { // what is marked stays so
		if err := MarkSeed(t.Context(), right, alice); err != nil {
			t.Fatal(err)
		}
	}
	if err := CheckSeed(t.Context(), right); err != nil {
		t.Errorf("the right seed: got %v", err)
	}
	if err := CheckSeed(t.Context(), wrong); !errors.Is(err, ErrWrongSeed) {
		t.Errorf("the wrong seed: got %v, want ErrWrongSeed", err)
	}
	if err := MarkSeed(t.Context(), wrong, alice); !errors.Is(err, ErrWrongSeed) {
		t.Errorf("marked with the wrong seed: got %v, want ErrWrongSeed", err)
	}
}

// TestUnmarked holds seeds against a repository that has secrets and no marker.
func TestUnmarked(t *testing.T) {
	branch := store.New(mem.New(), store.Options{}).Branch("secrets")
	for seed, want := range map[Seed]error{{1}: nil, {2}: ErrWrongSeed} {
		s, err := secrets.Open(branch, Seed{1})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), alice, "webhook/www", []byte("x")); err != nil {
			t.Fatal(err)
		}
		if s, err = secrets.Open(branch, seed); err != nil {
			t.Fatal(err)
		}
		if err := CheckSeed(t.Context(), s); !errors.Is(err, want) {
			t.Errorf("seed %v: got %v, want %v", seed[0], err, want)
		}
	}
}
