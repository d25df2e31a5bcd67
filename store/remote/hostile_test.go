package remote

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
)

// A branch that is too large to be here keeps no other from being followed, and is not fetched
// over and over.
func TestOneBranchCannotBeFetched(t *testing.T) {
	h := githost.New(t, githost.Daemon)
	fill(t, h, 1)
	r := open(t, h, func(o *Options) { o.Bytes, o.Poll = 2<<20, 5*time.Millisecond })
	h.Git("update-ref", "refs/heads/large", commitFile(t, h, noise(1, 8<<20)))
	until(t, "it is noticed", func() bool { return r.Status().Err != nil || len(r.Status().Rewound) > 0 })
	h.Git("update-ref", "refs/heads/small", commitFile(t, h, []byte("small")))
	until(t, "the other is followed", func() bool {
		_, err := r.repo.Branch("small").Tree(soon(t))
		return err == nil
	})
	before := r.wire.fetches.Load()
	for looks := r.wire.looks.Load() + 100; r.wire.looks.Load() < looks; {
		time.Sleep(time.Millisecond)
	}
	if n := r.wire.fetches.Load() - before; n > 20 {
		t.Errorf("it was fetched %d times while the host was looked at 100 times", n)
	}
	if got := r.Status().Rewound; len(got) != 1 || !errors.Is(got[0], store.ErrTooLarge) {
		t.Errorf("not followed: got %v, want one that is %v", got, store.ErrTooLarge)
	}
	r.put(t, "a", "still written to")
	h.Git("update-ref", "-d", "refs/heads/large")
	until(t, "nothing is amiss", func() bool { s := r.Status(); return s.Err == nil && len(s.Rewound) == 0 })
}

// commitFile makes a commit with one file at the host.
func commitFile(t *testing.T, h *githost.Host, content []byte) string {
	t.Helper()
	blob := inputBytes(t, h, content, "hash-object", "-w", "--stdin")
	tree := inputBytes(t, h, []byte("100644 blob "+blob+"\tfile\n"), "mktree")
	return h.Git("commit-tree", "-m", "x", tree)
}

// waits counts how often a host is waited for.
type waits struct {
	*wire
	n atomic.Int64
}

// Wait implements Host.
func (w *waits) Wait(ctx context.Context, prefixes []string, known []store.Ref) ([]store.Ref, error) {
	w.n.Add(1)
	return w.wire.Wait(ctx, prefixes, known)
}

// A ref that is not followed does not have the host tell of it again and again.
func TestUnfollowedIsWaitedFor(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	fill(t, h, 1)
	w := &waits{wire: wireTo(t, h)}
	r, err := tryOpen(t, h, func(o *Options) {
		o.Host = w
		o.Follow = func(_ context.Context, ref string, _, _ store.Hash, _ store.Objects) error {
			if ref == "refs/heads/other" {
				return errors.New("nobody has signed it")
			}
			return nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Git("update-ref", "refs/heads/other", "main")
	until(t, "it is noticed", func() bool { return len(r.Status().Rewound) == 1 })
	before := w.n.Load()
	time.Sleep(20 * quiet) // a host that waits would be asked once or twice
	if n := w.n.Load() - before; n > 5 {
		t.Errorf("the host was asked %d times within %v though nothing happened", n, 20*quiet)
	}
}

// A host that sends a pack a byte at a time, slowly, is away: nothing waits for it for good.
func TestTrickle(t *testing.T) {
	h := githost.New(t, githost.Daemon)
	fill(t, h, 1)
	w := &trickling{wire: wireTo(t, h)}
	r, err := tryOpen(t, h, func(o *Options) { unaware(o); w.wire.able = noWaiting; o.Host = w })
	if err != nil {
		t.Fatal(err)
	}
	h.Git("update-ref", "refs/heads/main", h.Git("commit-tree", "-p", "main", "-m", "x", "main^{tree}"))
	r.options.Timeout = 200 * time.Millisecond
	w.slow.Store(true)
	if err := r.sync(soon(t)); !errors.Is(err, errStalled) {
		t.Errorf("got %v, want %v", err, errStalled)
	}
	w.slow.Store(false)
	until(t, "it is followed after all", func() bool { return r.sync(soon(t)) == nil })
}

// A large file on a slow line takes its time, and is no doubt.
func TestLargePushOnASlowLine(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, unaware)
	r.options.Timeout = 100 * time.Millisecond
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		select {
		case <-time.After(time.Second):
			return push(ctx, p)
		case <-ctx.Done():
			return errLost
		}
	})
	err := r.repo.Branch("main").Update(soon(t), change("large"), func(tx *store.Tx) error { return tx.Put("large", noise(1, 1<<20)) })
	if err != nil {
		t.Error(err)
	}
	if n := r.wire.pushes.Load(); n != 1 {
		t.Errorf("pushed %d times, want once", n)
	}
}

// A host that keeps saying that it is just moving a ref is not one that refuses: it goes better
// another time. What it is moving the ref to may be another arrival of this very push.
func TestLockedForLong(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, nil)
	r.wire.meet(func(context.Context, gitwire.PushRequest, pushFunc) error {
		return &gitwire.RejectedError{Ref: "refs/heads/main", Reason: "failed to lock", Race: true}
	})
	if err := r.tryPut(soon(t), "a", "1"); !errors.Is(err, store.ErrTemporary) || !errors.Is(err, gitwire.ErrInDoubt) {
		t.Errorf("got %v, want one that is in doubt and temporary", err)
	}
	r.wire.meet(nil)
	r.put(t, "a", "1")
}

// What a host does not give by name is not taken for written where it cannot be kept.
func TestNotKeptIsNotWritten(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, func(o *Options) {
		o.Bytes = 2 << 20
		o.Host.(*wire).able = func(able *gitwire.Abilities) { able.WantAny = false }
	})
	r.put(t, "a", "1")
	if err := r.tryPut(soon(t), "large", string(noise(1, 4<<20))); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, store.ErrTooLarge)
	}
	if got, want := hostTip(t, h), r.tip(t).String(); got != want {
		t.Errorf("the host is at %s, want %s", got, want)
	}
	r.put(t, "a", "2")
}

// trickling is a host whose packs come a byte at a time.
type trickling struct {
	*wire
	slow atomic.Bool
}

// Fetch implements Host.
func (h *trickling) Fetch(ctx context.Context, f gitwire.FetchRequest) (*gitwire.Fetched, error) {
	if h.slow.Load() {
		f.Into = trickle{f.Into}
	}
	return h.wire.Fetch(ctx, f)
}

type trickle struct{ store.Receiver }

// Receive implements store.Receiver.
func (t trickle) Receive(ctx context.Context, _ io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	return t.Receiver.Receive(ctx, &endless{ctx: ctx}, base, lim)
}

// endless is a pack with one large object, a byte of which comes now and then.
type endless struct {
	ctx context.Context
	at  int
}

// endlessPack begins a pack of one blob of a megabyte, in which a block of 65535 bytes as they are follows.
const endlessPack = "PACK\x00\x00\x00\x02\x00\x00\x00\x01" + "\xb0\x80\x80\x02" + "\x78\x01" + "\x00\xff\xff\x00\x00"

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	select {
	case <-time.After(5 * time.Millisecond):
	case <-e.ctx.Done():
		return 0, e.ctx.Err()
	}
	p[0] = 0
	if e.at < len(endlessPack) {
		p[0] = endlessPack[e.at]
	}
	e.at++
	return 1, nil
}
