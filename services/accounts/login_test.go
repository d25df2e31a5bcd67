package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestAuthenticate(t *testing.T) {
	a, _ := newAccounts(t)
	for i, c := range []struct {
		user, password string
		want           error
	}{
		{"alice", "alice's password", nil},
		{"bob", "bob's password", nil},
		{"bob", "alice's password", ErrBadCredentials},
		{"bob", "", ErrBadCredentials},
		{"carol", "alice's password", ErrBadCredentials},
		{"", "", ErrBadCredentials},
		{"Alice", "alice's password", ErrBadCredentials},
		{"alice\x00", "alice's password", ErrBadCredentials},
		{"../users/alice", "alice's password", ErrBadCredentials},
		{"alice", "alice's password\x00", ErrBadCredentials},
		{"alice", string(make([]byte, 1<<20)), ErrBadCredentials},
	} {
		u, err := a.Authenticate(t.Context(), c.user, c.password, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
		if !errors.Is(err, c.want) || err == nil && u.Name != c.user {
			t.Errorf("%q, %.20q: got %v, %v, want %v", c.user, c.password, u, err, c.want)
		}
	}
}

// A user without a chosen password, as made by hand, has none, not the empty one.
func TestNoPassword(t *testing.T) {
	a, b := newAccounts(t)
	putFile(t, b, "carol", "sites = true\n")
	for i, password := range []string{"", " ", "password"} {
		if _, err := a.Authenticate(t.Context(), "carol", password, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})); !errors.Is(err, ErrBadCredentials) {
			t.Errorf("%q: got %v, want ErrBadCredentials", password, err)
		}
	}
}

// An empty password is what git sends before it asks for one: it costs nothing
// and counts for nothing.
func TestEmptyPasswordIsNoGuess(t *testing.T) {
	a, _ := newAccounts(t)
	a.hasher.waiting.Store(maxWaiting) // no hash can be computed now
	for range 100 {
		if _, err := a.Authenticate(t.Context(), "bob", "", home); err != ErrBadCredentials {
			t.Fatalf("got %v, want ErrBadCredentials", err)
		}
	}
	a.hasher.waiting.Store(0)
	if _, err := a.Authenticate(t.Context(), "bob", "bob's password", home); err != nil {
		t.Errorf("after empty ones: %v", err)
	}
}

// The hash of a password is computed once, until the user's record changes.
func TestVerifiedIsRemembered(t *testing.T) {
	a, _ := newAccounts(t)
	ctx := t.Context()
	login := func(user, password string) error {
		_, err := a.Authenticate(ctx, user, password, home)
		return err
	}
	must(t, login("bob", "bob's password"))
	a.hasher.waiting.Store(maxWaiting) // no hash can be computed now
	must(t, login("bob", "bob's password"))
	if err := login("bob", "bob's passwore"); err == nil {
		t.Error("another password passes")
	}
	a.hasher.waiting.Store(0)
	must(t, a.Add(ctx, by, "carol", "carol's password", false))
	a.hasher.waiting.Store(maxWaiting)
	must(t, login("bob", "bob's password")) // carol is not bob
	a.hasher.waiting.Store(0)

	must(t, a.SetPassword(ctx, by, "bob", "new password"))
	if err := login("bob", "bob's password"); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("the old password: got %v, want ErrBadCredentials", err)
	}
	must(t, login("bob", "new password"))
	must(t, a.Remove(ctx, by, "bob"))
	if err := login("bob", "new password"); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("once removed: got %v, want ErrBadCredentials", err)
	}
}

// What another process writes is seen: the branch is asked each time.
func TestSeesOthersChanges(t *testing.T) {
	a, b := newAccounts(t)
	other := New(b)
	if _, err := a.Authenticate(t.Context(), "bob", "bob's password", home); err != nil {
		t.Fatal(err)
	}
	must(t, other.SetPassword(t.Context(), by, "bob", "new password"))
	if _, err := a.Authenticate(t.Context(), "bob", "bob's password", home); !errors.Is(err, ErrBadCredentials) {
		t.Errorf("got %v, want ErrBadCredentials", err)
	}
}

func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes, however slow the machine
		a, _ := newAccounts(t)
		attacker := netip.MustParseAddr("198.51.100.7")
		checked := 0
		for i := range 50 {
			_, err := a.Authenticate(t.Context(), "bob", fmt.Sprint("guess number ", i), attacker)
			var rate *RateError
			switch {
			case errors.As(err, &rate):
				if rate.After <= 0 || rate.After > maxWait {
					t.Errorf("try again in %v", rate.After)
				}
			case errors.Is(err, ErrBadCredentials):
				checked++
			default:
				t.Fatalf("got %v", err)
			}
		}
		if checked != pairFree {
			t.Errorf("%d guesses were checked, want %d", checked, pairFree)
		}
		var rate *RateError
		if _, err := a.Authenticate(t.Context(), "bob", "bob's password", attacker); !errors.As(err, &rate) {
			t.Errorf("the right one now: got %v, want a RateError: else the wait is no hindrance", err)
		}
		if _, err := a.Authenticate(t.Context(), "bob", "bob's password", home); err != nil {
			t.Errorf("bob at home: got %v, want nil", err)
		}
		if _, err := a.Authenticate(t.Context(), "alice", "alice's password", attacker); err != nil {
			t.Errorf("alice from the same address: got %v, want nil", err)
		}
	})
}

// A verified password in the cache is no way round the limit.
func TestGuessingTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes, however slow the machine
		a, _ := newAccounts(t)
		_, err := a.Authenticate(t.Context(), "bob", "bob's password", home)
		must(t, err)
		attacker := netip.MustParseAddr("198.51.100.7")
		for i := range 50 {
			a.Authenticate(t.Context(), "bob", fmt.Sprint("guess number ", i), attacker)
		}
		var rate *RateError
		if _, err := a.Authenticate(t.Context(), "bob", "bob's password", attacker); !errors.As(err, &rate) {
			t.Errorf("got %v, want a RateError", err)
		}
	})
}

func TestGuessingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes, however slow the machine
		a, _ := newAccounts(t)
		var mu sync.Mutex
		var wg sync.WaitGroup
		checked := 0
		for i := range 40 {
			wg.Go(func() {
				_, err := a.Authenticate(t.Context(), "bob", fmt.Sprint("guess number ", i), home)
				if errors.Is(err, ErrBadCredentials) {
					mu.Lock()
					checked++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if checked > pairFree {
			t.Errorf("%d guesses at the same moment were checked, want %d at most", checked, pairFree)
		}
	})
}

// A browser opens many connections at once: the right password is one try.
func TestManyAtOnce(t *testing.T) {
	a, _ := newAccounts(t)
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := a.Authenticate(t.Context(), "bob", "bob's password", home); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Log-ins while the accounts change: nobody is refused who should not be.
func TestLoginWhileChanging(t *testing.T) {
	a, _ := newAccounts(t)
	line := keyLine(t, "")
	key := publicKey(t, line)
	must(t, a.AddKey(t.Context(), by, "bob", line))
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 10 {
			if err := a.AddKey(t.Context(), by, "alice", keyLine(t, "")); err != nil {
				t.Error(err)
			}
		}
	})
	for range 4 {
		wg.Go(func() {
			for range 20 {
				_, err1 := a.Authenticate(t.Context(), "bob", "bob's password", home)
				_, err2 := a.AuthenticateKey(t.Context(), key)
				_, err3 := a.Users(t.Context())
				if err := errors.Join(err1, err2, err3); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCallerLeaves(t *testing.T) {
	a, _ := newAccounts(t)
	for range cap(a.hasher.slots) {
		a.hasher.slots <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := a.Authenticate(ctx, "bob", "bob's password", home); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
	for range cap(a.hasher.slots) {
		<-a.hasher.slots
	}
	if _, err := a.Authenticate(t.Context(), "bob", "bob's password", home); err != nil {
		t.Errorf("later: got %v, want nil", err)
	}
}

// Whether a user is there cannot be told from how long a refusal takes: each costs
// one hash, and none is given while there is no room to compute one.
func TestEveryRefusalIsHashed(t *testing.T) {
	a, b := newAccounts(t)
	putFile(t, b, "nopass", "sites = true\n")
	for i, user := range []string{"bob", "nobody", "nopass", "NOT A NAME"} {
		from := netip.AddrFrom4([4]byte{10, 0, byte(i), 1})
		a.hasher.waiting.Store(maxWaiting)
		var busy *RateError
		if _, err := a.Authenticate(t.Context(), user, "guess", from); !errors.As(err, &busy) {
			t.Errorf("%q without room for a hash: got %v, want to be put off", user, err)
		}
		a.hasher.waiting.Store(0)
		if _, err := a.Authenticate(t.Context(), user, "guess", from); !errors.Is(err, ErrBadCredentials) {
			t.Errorf("%q: got %v, want ErrBadCredentials", user, err)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	a, _ := newAccounts(b)
	b.Run("remembered", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.Authenticate(b.Context(), "bob", "bob's password", home); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("hashed", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.hasher.verify(b.Context(), current, "bob's password"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
