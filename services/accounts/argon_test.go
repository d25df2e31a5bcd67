package accounts

import (
	"errors"
	"sync"
	"testing"
)

func TestPHC(t *testing.T) {
	h := newHasher()
	s, err := h.hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	p, err := parsePHC(s)
	if err != nil {
		t.Fatalf("parse our own %q: %v", s, err)
	}
	for _, c := range []struct {
		password string
		want     bool
	}{{"correct horse", true}, {"correct horsE", false}, {"", false}} {
		if got, err := h.verify(t.Context(), p, c.password); got != c.want || err != nil {
			t.Errorf("verify %q: got %v, %v, want %v", c.password, got, err, c.want)
		}
	}
	again, err := h.hash(t.Context(), "correct horse")
	if again == s || err != nil {
		t.Errorf("the same password twice gives the same hash (%v)", err)
	}
}

// From src/test.c of the reference implementation.
func TestPHCOfOthers(t *testing.T) {
	const s = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	p, err := parsePHC(s)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := newHasher().verify(t.Context(), p, "password"); !ok || err != nil {
		t.Errorf("got %v, %v, want true", ok, err)
	}
}

func TestPHCRefused(t *testing.T) {
	for _, s := range []string{
		"",
		"password",
		"$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=16$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=4294967295,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=4000000000,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=0$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=999$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1,x=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$",
		"$argon2id$v=19$m=19456,t=2,p=1$$AAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m= 19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
	} {
		if _, err := parsePHC(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}

func TestHashSlots(t *testing.T) {
	h := newHasher()
	if n := cap(h.slots); n < 1 || n > 4 {
		t.Errorf("%d hashes at once, want 1 to 4", n)
	}
	h.waiting.Store(maxWaiting)
	var rate *RateError
	if _, err := h.hash(t.Context(), "x"); !errors.As(err, &rate) {
		t.Errorf("with a full queue: got %v, want a RateError", err)
	}
	h.waiting.Store(0)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := h.hash(t.Context(), "x"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := h.waiting.Load(); n != 0 {
		t.Errorf("%d still counted as waiting, want 0", n)
	}
}
