package accounts

import (
	"errors"
	"io/fs"
	"net/netip"
	"testing"
	"testing/synctest"
)

// Whoever has an address logs in by it as by the name, in any case of letters.
func TestAuthenticateByAddress(t *testing.T) {
	a, _ := newAccounts(t)
	must(t, a.AddAddress(t.Context(), by, "bob", "Bob@Example.org"))
	for i, c := range []struct {
		user, password string
		want           error
	}{
		{"bob@example.org", "bob's password", nil},
		{"BOB@EXAMPLE.ORG", "bob's password", nil},
		{"bob@example.org", "alice's password", ErrBadCredentials},
		{"alice@example.org", "alice's password", ErrBadCredentials},
		{"bob@", "bob's password", ErrBadCredentials},
		{"@", "bob's password", ErrBadCredentials},
	} {
		u, err := a.Authenticate(t.Context(), c.user, c.password, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
		if !errors.Is(err, c.want) || err == nil && u.Name != "bob" {
			t.Errorf("%q, %q: got %v, %v, want %v", c.user, c.password, u, err, c.want)
		}
	}
}

// Guesses by name and by address are guesses at the same user.
func TestAddressSharesTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes, however slow the machine
		a, _ := newAccounts(t)
		must(t, a.AddAddress(t.Context(), by, "bob", "bob@example.org"))
		for i := range pairFree {
			user := []string{"bob", "bob@example.org"}[i%2]
			_, err := a.Authenticate(t.Context(), user, "wrong password", home)
			if !errors.Is(err, ErrBadCredentials) {
				t.Fatalf("guess %d: got %v, want ErrBadCredentials", i, err)
			}
		}
		for _, user := range []string{"bob", "bob@example.org"} {
			if _, ok := errors.AsType[*RateError](second(a.Authenticate(t.Context(), user, "bob's password", home))); !ok {
				t.Errorf("%s: got in after %d wrong guesses, want a wait", user, pairFree)
			}
		}
	})
}

func second[A, B any](_ A, b B) B { return b }

func TestAddresses(t *testing.T) {
	a, b := newAccounts(t)
	ctx := t.Context()
	must(t, a.AddAddress(ctx, by, "bob", "bob@example.org"))
	if err := a.AddAddress(ctx, by, "alice", "BOB@example.org"); !errors.Is(err, ErrAddressTaken) {
		t.Errorf("alice takes bob's address: got %v, want ErrAddressTaken", err)
	}
	if err := a.AddAddress(ctx, by, "bob", "bob@Example.org"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("bob takes his own address again: got %v, want fs.ErrExist", err)
	}
	if err := a.AddAddress(ctx, by, "bob", "no address"); err == nil {
		t.Error("what is no address is taken")
	}
	for _, who := range []string{"bob", "bob@example.org"} {
		if u, err := a.Find(ctx, who); err != nil || u.Name != "bob" {
			t.Errorf("find %s: got %v, %v, want bob", who, u, err)
		}
	}
	for _, who := range []string{"carol", "carol@example.org", "", "@"} {
		if u, err := a.Find(ctx, who); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("find %q: got %v, %v, want fs.ErrNotExist", who, u, err)
		}
	}
	// By hand two users have one address: it is nobody's.
	putFile(t, b, "carol", `addresses = ["bob@example.org"]`+"\n")
	if u, err := a.Find(ctx, "bob@example.org"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an address that two claim: got %v, %v, want fs.ErrNotExist", u, err)
	}
	must(t, a.RemoveAddress(ctx, by, "carol", "bob@example.org"))
	if u, err := a.Find(ctx, "bob@example.org"); err != nil || u.Name != "bob" {
		t.Errorf("after carol gave it up: got %v, %v, want bob", u, err)
	}
	must(t, a.RemoveAddress(ctx, by, "bob", "Bob@example.org"))
	if err := a.RemoveAddress(ctx, by, "bob", "bob@example.org"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("remove what is not there: got %v, want fs.ErrNotExist", err)
	}
}
