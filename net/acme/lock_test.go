package acme

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

func newLocks(s Storage) *locks {
	return &locks{storage: s, log: slog.New(slog.DiscardHandler), term: time.Minute, look: time.Second}
}

// However long a lock is held, nobody else gets it before it is given back.
func TestLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := &Memory{}
		a, b := newLocks(storage), newLocks(storage)
		if err := a.lock(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		if err := b.lock(t.Context(), "y"); err != nil {
			t.Errorf("another lock: %v", err)
		}
		got := make(chan error, 1)
		go func() { got <- b.lock(t.Context(), "x") }()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		select {
		case err := <-got:
			t.Fatalf("the lock was taken from its holder (%v)", err)
		default:
		}
		if err := a.unlock(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		if err := <-got; err != nil {
			t.Error(err)
		}
		for _, name := range []string{"x", "y"} {
			if err := b.unlock(t.Context(), name); err != nil {
				t.Error(err)
			}
			if _, err := storage.Load(t.Context(), lockKey(name)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the file of lock %s is left: %v", name, err)
			}
		}
		if err := b.unlock(t.Context(), "x"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("unlock twice: got %v, want fs.ErrNotExist", err)
		}
	})
}

// A lock whose holder is gone is taken after a term, by one only.
func TestLockOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := &Memory{}
		dead := newLocks(storage)
		if err := dead.take(t.Context(), "x", nil, lease{Holder: "dead"}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		got := make(chan *locks)
		for range 3 {
			l := newLocks(storage)
			go func() {
				if err := l.lock(t.Context(), "x"); err != nil {
					t.Error(err)
				}
				got <- l
			}()
		}
		first := <-got
		if took := time.Since(start); took < time.Minute || took > 2*time.Minute {
			t.Errorf("taken after %v, want about a minute", took)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		select {
		case <-got:
			t.Error("two have the lock")
		default:
		}
		for range 2 {
			if err := first.unlock(t.Context(), "x"); err != nil {
				t.Error(err)
			}
			first = <-got
		}
		if err := first.unlock(t.Context(), "x"); err != nil {
			t.Error(err)
		}
	})
}

// Who lost a lock does not take it back, nor remove it.
func TestLockLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := &Memory{}
		l := newLocks(storage)
		if err := l.lock(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		theirs := []byte(`{"holder":"somebody else","beat":1}`)
		set(t, storage, lockKey("x"), theirs)
		time.Sleep(10 * time.Minute)
		if err := l.unlock(t.Context(), "x"); err != nil {
			t.Error(err)
		}
		if got, err := storage.Load(t.Context(), lockKey("x")); string(got) != string(theirs) {
			t.Errorf("the other's lock: got %q, %v, want %q", got, err, theirs)
		}
	})
}

func TestLockGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		storage := &Memory{}
		a, b := newLocks(storage), newLocks(storage)
		if err := a.lock(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := b.lock(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		if err := a.unlock(t.Context(), "x"); err != nil {
			t.Error(err)
		}
	})
}

func set(t testing.TB, s Storage, key string, data []byte) {
	t.Helper()
	if err := s.Update(t.Context(), key, func([]byte) ([]byte, error) { return data, nil }); err != nil {
		t.Fatal(err)
	}
}
