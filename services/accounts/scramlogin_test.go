package accounts

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
)

// begin begins a log-in by SCRAM from an address of its own.
func begin(t *testing.T, a *Accounts, user string, n byte) *ScramTry {
	t.Helper()
	try, err := a.BeginScram(t.Context(), user, netip.AddrFrom4([4]byte{192, 0, 2, n}))
	must(t, err)
	return try
}

func yes() bool { return true }
func no() bool  { return false }

func TestScramTry(t *testing.T) {
	a, _ := newAccounts(t)
	laptop, err := a.NewAppPassword(t.Context(), by, "bob", "laptop")
	must(t, err)
	_, err = a.NewAppPassword(t.Context(), by, "bob", "phone")
	must(t, err)

	try := begin(t, a, "bob", 1)
	want, err := newScram(laptop, try.Salt)
	must(t, err)
	if len(try.Keys) != 2 || !bytes.Equal(try.Keys[0].Stored, want.stored) || !bytes.Equal(try.Keys[0].Server, want.server) || try.Iterations != 4096 {
		t.Errorf("got %+v, want the keys of both app passwords", try)
	}
	if u, err := try.End(t.Context(), yes); err != nil || u.Name != "bob" {
		t.Errorf("right: got %v, %v; want bob", u, err)
	}
	if u, err := begin(t, a, "bob", 2).End(t.Context(), no); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("wrong: got %v, %v; want %v", u, err, ErrBadCredentials)
	}

	try = begin(t, a, "bob", 3)
	must(t, a.RemoveAppPassword(t.Context(), by, "bob", "laptop"))
	if u, err := try.End(t.Context(), yes); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("with a password taken away meanwhile: got %v, %v; want %v", u, err, ErrBadCredentials)
	}
}

// TestScramOfNobody makes sure that those who cannot log in look like those who can.
func TestScramOfNobody(t *testing.T) {
	a, _ := newAccounts(t)
	for i, user := range []string{"carol", "alice", "", "nobody@example.org"} { // alice has a chosen password only
		first, again := begin(t, a, user, byte(i)), begin(t, a, user, byte(i))
		if len(first.Keys) != 1 || len(first.Salt) != 16 || first.Iterations != 4096 || !bytes.Equal(first.Salt, again.Salt) {
			t.Errorf("%q: got %+v, then %+v; want the same, like somebody's", user, first, again)
		}
		if u, err := first.End(t.Context(), no); !errors.Is(err, ErrBadCredentials) {
			t.Errorf("%q: got %v, %v; want %v", user, u, err, ErrBadCredentials)
		}
	}
	for i, user := range []string{"carol", "alice"} {
		if u, err := begin(t, a, user, byte(100+i)).End(t.Context(), yes); !errors.Is(err, ErrBadCredentials) {
			t.Errorf("%s with a proof: got %v, %v; want %v", user, u, err, ErrBadCredentials)
		}
	}
}

// TestScramGuessing makes sure that proofs count as guesses do.
func TestScramGuessing(t *testing.T) {
	a, _ := newAccounts(t)
	var rate *RateError
	for i := range 20 {
		try, err := a.BeginScram(t.Context(), "bob", home)
		if err == nil {
			_, err = try.End(t.Context(), no)
		}
		if errors.As(err, &rate) {
			if i < pairFree-1 {
				t.Errorf("stopped after %d guesses, want %d at least", i, pairFree-1)
			}
			return
		}
	}
	t.Error("20 guesses were not stopped")
}
