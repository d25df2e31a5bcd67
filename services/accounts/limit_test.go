package accounts

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// guess tries until it has to wait, and returns how many tries passed.
func (l *limiter) guess(from netip.Addr, user string, most int) int {
	for n := range most {
		if _, wait := l.take(from, user); wait > 0 {
			return n
		}
	}
	return most
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestLimitPair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a := newLimiter(), addr("192.0.2.1")
		if got := l.guess(a, "alice", 100); got != pairFree {
			t.Errorf("got %d guesses at once, want %d", got, pairFree)
		}
		want := firstWait
		for range 12 {
			if got := l.wait(a, "alice"); got != want {
				t.Fatalf("got a wait of %v, want %v", got, want)
			}
			time.Sleep(want)
			if got := l.guess(a, "alice", 100); got != 1 {
				t.Fatalf("after the wait: got %d guesses, want 1", got)
			}
			want = min(2*want, maxWait)
		}
		time.Sleep(forgetAfter + maxWait)
		if got := l.guess(a, "alice", 100); got != pairFree {
			t.Errorf("an hour later: got %d guesses, want %d", got, pairFree)
		}
	})
}

// Guesses in 24 hours from one address, and from one /64 and one /48.
func TestLimitDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a := newLimiter(), addr("192.0.2.1")
		n := 0
		for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); time.Sleep(time.Second) {
			n += l.guess(a, "alice", 1000)
		}
		if n > 200 {
			t.Errorf("one address has %d guesses a day, want 200 at most", n)
		}
	})
}

func TestLimitOwnerElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		for i := range 2000 { // a botnet
			l.guess(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), "alice", 100)
		}
		owner := addr("192.0.2.1")
		c, wait := l.take(owner, "alice")
		if wait > 0 {
			t.Fatalf("the owner has to wait %v at an address from which nobody guessed", wait)
		}
		l.welcome(c)
		if got := l.guess(owner, "alice", 100); got != pairFree {
			t.Errorf("where the owner has logged in: got %d mistakes, want %d", got, pairFree)
		}
		if got := l.guess(addr("203.0.113.9"), "alice", 100); got != 1 {
			t.Errorf("a stranger while alice is attacked: got %d guesses, want 1", got)
		}
		if got := l.guess(addr("203.0.113.9"), "bob", 100); got != pairFree {
			t.Errorf("the same with bob, who is not: got %d guesses, want %d", got, pairFree)
		}
	})
}

func TestLimitSpray(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a := newLimiter(), addr("192.0.2.1")
		n := 0
		for i := range 1000 {
			n += l.guess(a, fmt.Sprint("user", i), 1)
		}
		if n != addressFree {
			t.Errorf("one address, many users: got %d guesses, want %d", n, addressFree)
		}
	})
}

// A device in the house tries an old password for ever: whoever has logged in from
// the house before still can.
func TestLimitNeighbour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a := newLimiter(), addr("192.0.2.1")
		c, _ := l.take(a, "bob")
		l.welcome(c)
		for i := range 1000 {
			l.guess(a, fmt.Sprint("user", i), 1)
		}
		if got := l.guess(a, "carol", 100); got != 0 {
			t.Errorf("carol, a stranger there: got %d guesses, want 0", got)
		}
		if got := l.guess(a, "bob", 100); got != pairFree {
			t.Errorf("bob: got %d mistakes, want %d", got, pairFree)
		}
	})
}

func TestLimitIPv6(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter()
		n := 0
		for i := range 1000 {
			n += l.guess(addr(fmt.Sprintf("2001:db8:1:1::%x", i+1)), "alice", 1)
		}
		if n != pairFree {
			t.Errorf("one /64: got %d guesses, want %d", n, pairFree)
		}
		n = 0
		for i := range 5000 {
			n += l.guess(addr(fmt.Sprintf("2001:db8:2:%x::1", i)), fmt.Sprint("user", i%7), 1)
		}
		if n != networkFree {
			t.Errorf("one /48: got %d guesses, want %d", n, networkFree)
		}
		if got := l.guess(addr("::ffff:192.0.2.1"), "carol", 100) + l.guess(addr("192.0.2.1"), "carol", 100); got != pairFree {
			t.Errorf("IPv4 in both spellings: got %d guesses, want %d", got, pairFree)
		}
		if got := l.guess(netip.Addr{}, "dave", 100); got != pairFree {
			t.Errorf("no address: got %d guesses, want %d", got, pairFree)
		}
	})
}

// Somebody with an account logs in between guesses at others.
func TestLimitOwnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, a := newLimiter(), addr("192.0.2.1")
		n := 0
		for i := range 1000 {
			own, wait := l.take(a, "mallory")
			n += l.guess(a, fmt.Sprint("user", i), 1)
			if wait == 0 {
				l.welcome(own)
			}
		}
		if n > addressFree {
			t.Errorf("got %d guesses, want %d at most", n, addressFree)
		}
	})
}

func TestLimitMemory(t *testing.T) {
	l := newLimiter()
	for i := range 2 * maxTallies {
		l.take(netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}), fmt.Sprint("u", i))
	}
	if n := len(l.tallies.young) + len(l.tallies.old); n > 2*maxTallies || n < maxTallies {
		t.Errorf("%d tallies are kept, want %d to %d", n, maxTallies, 2*maxTallies)
	}
}
