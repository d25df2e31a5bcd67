package accounts

import (
	"errors"
	"io/fs"
	"net/netip"
	"testing"
)

func TestAuthenticateChosen(t *testing.T) {
	a, b := newAccounts(t)
	app, err := a.NewAppPassword(t.Context(), by, "alice", "phone")
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, b, "carol", "sites = true\n")
	if _, err := a.Authenticate(t.Context(), "alice", app, home); err != nil {
		t.Fatal(err) // and is remembered for devices now, not for people
	}
	for i, c := range []struct {
		user, password string
		want           error
	}{
		{"alice", "alice's password", nil},
		{"alice", app, ErrAppPassword},
		{"bob", app, ErrBadCredentials},
		{"carol", app, ErrBadCredentials},
		{"nobody", app, ErrBadCredentials},
		{"bob", "alice's password", ErrBadCredentials},
		{"alice", "", ErrBadCredentials},
	} {
		for range 2 {
			u, err := a.AuthenticateChosen(t.Context(), c.user, c.password, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
			if !errors.Is(err, c.want) || (err == nil) != (u != nil) {
				t.Errorf("%q, %.20q: got %v, %v, want %v", c.user, c.password, u, err, c.want)
			}
		}
	}
}

// An app password in the wrong place is no guess, however often.
func TestAppPasswordIsNoGuess(t *testing.T) {
	a, _ := newAccounts(t)
	app, err := a.NewAppPassword(t.Context(), by, "alice", "phone")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * pairFree {
		if _, err := a.AuthenticateChosen(t.Context(), "alice", app, home); !errors.Is(err, ErrAppPassword) {
			t.Fatalf("got %v, want ErrAppPassword", err)
		}
	}
}

func TestPasswordStamp(t *testing.T) {
	a, b := newAccounts(t)
	before, err := a.PasswordStamp(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.NewAppPassword(t.Context(), by, "alice", "phone"); err != nil {
		t.Fatal(err)
	}
	if same, err := a.PasswordStamp(t.Context(), "alice"); err != nil || same != before {
		t.Errorf("after another change: got %x, %v, want %x", same, err, before)
	}
	if err := a.SetPassword(t.Context(), by, "alice", "alice's password"); err != nil {
		t.Fatal(err)
	}
	if after, err := a.PasswordStamp(t.Context(), "alice"); err != nil || after == before {
		t.Errorf("after the same password was set again: got %x, %v, want another", after, err)
	}
	putFile(t, b, "carol", "sites = true\n")
	for _, name := range []string{"carol", "nobody"} {
		if _, err := a.PasswordStamp(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want fs.ErrNotExist", name, err)
		}
	}
}
