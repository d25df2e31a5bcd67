package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
)

// errLost is what a push gives whose answer is lost.
var errLost = fmt.Errorf("connection reset: %w: %w", gitwire.ErrInDoubt, store.ErrTemporary)

// loseAnswer carries the first push out and loses the answer.
func loseAnswer() func(context.Context, gitwire.PushRequest, pushFunc) error {
	var once sync.Once
	return func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		err := push(ctx, p)
		once.Do(func() { err = errLost })
		return err
	}
}

// loseRequest loses the first push.
func loseRequest() func(context.Context, gitwire.PushRequest, pushFunc) error {
	var once sync.Once
	return func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		lost := false
		once.Do(func() { lost = true })
		if lost {
			return errLost
		}
		return push(ctx, p)
	}
}

// The lost answer of a push that was carried out, and a push that was lost on
// its way: each write is there once, and nobody is told otherwise.
func TestLostOnTheWay(t *testing.T) {
	for name, lose := range map[string]func() func(context.Context, gitwire.PushRequest, pushFunc) error{
		"answer": loseAnswer, "request": loseRequest,
	} {
		t.Run(name, func(t *testing.T) {
			h := githost.New(t, githost.Cairn)
			r := open(t, h, nil)
			for _, line := range []string{"1", "2"} {
				r.wire.meet(lose())
				if err := r.count(soon(t), line); err != nil {
					t.Errorf("count %s: %v", line, err)
				}
			}
			if got, want := hostLines(t, h), "1 2"; got != want {
				t.Errorf("at the host: got %q, want %q", got, want)
			}
			if got, want := r.lines(t), "1 2"; got != want {
				t.Errorf("here: got %q, want %q", got, want)
			}
		})
	}
}

// A push that was slow, and was made a second time, arrives when the second has been carried out.
func TestDelayedFirstPushLandsLate(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, nil)
	if err := r.count(soon(t), "1"); err != nil {
		t.Fatal(err)
	}
	var first *gitwire.PushRequest
	late := make(chan error, 1)
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		if first == nil {
			first = &p
			return errLost
		}
		err := push(ctx, p)
		late <- push(ctx, *first)
		return err
	})
	if err := r.count(soon(t), "2"); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*gitwire.RejectedError](<-late); !ok {
		t.Error("the late push was not rejected")
	}
	r.wire.meet(nil)
	if err := r.count(soon(t), "3"); err != nil {
		t.Fatal(err)
	}
	if got, want := hostLines(t, h), "1 2 3"; got != want {
		t.Errorf("at the host: got %q, want %q", got, want)
	}
}

// The first push arrives just before the second, which is therefore rejected.
func TestDelayedFirstPushLandsBeforeTheSecond(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, nil)
	if err := r.count(soon(t), "1"); err != nil {
		t.Fatal(err)
	}
	var first *gitwire.PushRequest
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		if first == nil {
			first = &p
			return errLost
		}
		if err := push(ctx, *first); err != nil {
			t.Errorf("late push: %v", err)
		}
		return push(ctx, p)
	})
	if err := r.count(soon(t), "2"); err != nil {
		t.Fatal(err)
	}
	if got, want := hostLines(t, h), "1 2"; got != want {
		t.Errorf("at the host: got %q, want %q", got, want)
	}
}

// The answer is lost and somebody else commits on top before anybody looks.
func TestLostAnswerUnderAnotherCommit(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r, other := open(t, h, nil), open(t, h, nil)
	if err := r.count(soon(t), "1"); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		err := push(ctx, p)
		once.Do(func() {
			if err := other.count(ctx, "3"); err != nil {
				t.Errorf("the other's count: %v", err)
			}
			err = errLost
		})
		return err
	})
	if err := r.count(soon(t), "2"); err != nil {
		t.Fatal(err)
	}
	if got, want := hostLines(t, h), "1 2 3"; got != want {
		t.Errorf("at the host: got %q, want %q", got, want)
	}
	until(t, "the other's commit is seen", func() bool { return r.tip(t).String() == hostTip(t, h) })
}

// A doubt that cannot be resolved in time is told, and resolved by the next Commit.
func TestUnknownOutcome(t *testing.T) {
	for _, landed := range []bool{true, false} {
		t.Run(fmt.Sprint("landed=", landed), func(t *testing.T) {
			h := githost.New(t, githost.Cairn)
			r := open(t, h, func(o *Options) { o.Timeout = standstill; o.Poll = time.Hour })
			if err := r.count(soon(t), "1"); err != nil {
				t.Fatal(err)
			}
			r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
				if landed {
					if err := push(ctx, p); err != nil {
						t.Errorf("push: %v", err)
					}
				}
				h.Stop()
				return errLost
			})
			err := r.count(soon(t), "2")
			if !errors.Is(err, gitwire.ErrInDoubt) || !errors.Is(err, store.ErrTemporary) {
				t.Errorf("got %v, want one that is in doubt and temporary", err)
			}
			r.wire.meet(nil)
			h.Start()
			until(t, "writing goes on", func() bool { return r.count(soon(t), "3") == nil })
			want := "1 3"
			if landed {
				want = "1 2 3"
			}
			if got := hostLines(t, h); got != want {
				t.Errorf("at the host: got %q, want %q", got, want)
			}
			if got := r.Status().Unsure; got != 0 {
				t.Errorf("refs in doubt: got %d, want 0", got)
			}
		})
	}
}

// The caller's context ends while its push is in doubt.
func TestContextEndsInDoubt(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, nil)
	r.put(t, "a", "1")
	tree, err := r.repo.Branch("main").Tree(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	rev, _ := tree.Commit()
	ctx, cancel := context.WithCancel(soon(t))
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		cancel()
		return errors.Join(push(context.WithoutCancel(ctx), p), context.Canceled, gitwire.ErrInDoubt)
	})
	err = r.Commit(ctx, nil, []store.RefChange{{Name: "refs/heads/fork", New: rev.Hash}})
	if !errors.Is(err, gitwire.ErrInDoubt) || !errors.Is(err, store.ErrTemporary) {
		t.Errorf("got %v, want one that is in doubt and temporary", err)
	}
	r.wire.meet(nil)
	until(t, "the fork is seen", func() bool { ref, err := r.Ref(soon(t), "refs/heads/fork"); return err == nil && ref.Hash == rev.Hash })
}

// A push of several branches in doubt has happened to all or to none.
func TestDoubtOverSeveralBranches(t *testing.T) {
	for name, lose := range map[string]func() func(context.Context, gitwire.PushRequest, pushFunc) error{
		"answer": loseAnswer, "request": loseRequest,
	} {
		t.Run(name, func(t *testing.T) {
			h := githost.New(t, githost.Cairn)
			r := open(t, h, nil)
			r.wire.meet(lose())
			both := func() error {
				return r.repo.Update(soon(t), change("both"), []string{"a", "b"}, func(txs map[string]*store.Tx) error {
					return errors.Join(txs["a"].Put("x", []byte("1")), txs["b"].Put("x", []byte("1")))
				})
			}
			if err := both(); err != nil {
				t.Fatal(err)
			}
			for _, branch := range []string{"a", "b"} {
				if got, want := h.Git("rev-list", "--count", branch), "1"; got != want {
					t.Errorf("commits of %s: got %q, want %q", branch, got, want)
				}
			}
		})
	}
}

// A push arrives twice, and the answer is that to the second arrival.
func TestPushArrivesTwice(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, unaware)
	if err := r.count(soon(t), "1"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.repo.Branch("main").Fork(soon(t), "other"); err != nil {
		t.Fatal(err)
	}
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		if err := push(ctx, p); err != nil {
			t.Errorf("first arrival: %v", err)
		}
		return push(ctx, p)
	})
	if err := r.count(soon(t), "2"); err != nil {
		t.Error(err)
	}
	if err := r.repo.Branch("other").Delete(soon(t)); err != nil {
		t.Error(err)
	}
	if got, want := hostLines(t, h), "1 2"; got != want {
		t.Errorf("at the host: got %q, want %q", got, want)
	}
}
