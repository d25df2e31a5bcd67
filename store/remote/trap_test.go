package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
)

// A trap is one of the ways in which others have lost data. Its scenario returns an error
// when data was lost; with the mistake put back on purpose it has to.
type trap struct {
	name     string
	kind     githost.Kind
	scenario func(t *testing.T, h *githost.Host, a, b *replica) error
	mistake  func(w *wire)
}

var traps = []trap{
	{"old hash from the advertisement", githost.Cairn, lostRace, advertisedOld},
	{"ng ignored", githost.Cairn, declinedPush, ignoreRejection},
	{"ng ignored in a race", githost.Cairn, lostRace, ignoreRejection},
	{"lost answer and blind retry", githost.Cairn, retryAfterLoss, certainFailure},
	// Our own server would not take a commit on top of one that no ref reaches.
	{"force-push of somebody else overwritten", githost.Daemon, forcePushed, advertisedOld},
}

func TestTraps(t *testing.T) {
	for _, trap := range traps {
		for _, mistaken := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/put back=%v", trap.name, mistaken), func(t *testing.T) {
				t.Parallel()
				h := githost.New(t, trap.kind)
				// Neither learns of the other but by what it writes.
				a, b := open(t, h, unaware), open(t, h, unaware)
				if err := a.count(soon(t), "first"); err != nil {
					t.Fatal(err)
				}
				if err := b.sync(soon(t)); err != nil {
					t.Fatal(err)
				}
				if mistaken {
					trap.mistake(b.wire)
				}
				err := trap.scenario(t, h, a, b)
				if mistaken && err == nil {
					t.Error("the mistake does no harm: nothing would notice it")
				}
				if !mistaken && err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// unaware is a replica that does not look at the host by itself.
func unaware(o *Options) { o.Poll, o.Host.(*wire).able = time.Hour, noWaiting }

func noWaiting(able *gitwire.Abilities) { able.Wait = false }

// advertisedOld takes the old values of a push from what the host has just listed.
func advertisedOld(w *wire) {
	w.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		refs, err := w.Host.Refs(ctx)
		if err != nil {
			return err
		}
		for i := range p.Commands {
			for _, ref := range refs {
				if ref.Name == p.Commands[i].Name {
					p.Commands[i].Old = ref.Hash
				}
			}
		}
		return push(ctx, p)
	})
}

// ignoreRejection does not read what the host reports.
func ignoreRejection(w *wire) {
	w.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		err := push(ctx, p)
		if _, ok := errors.AsType[*gitwire.RejectedError](err); ok {
			return nil
		}
		return err
	})
}

// certainFailure takes a lost answer for a push that has not been carried out.
func certainFailure(w *wire) {
	w.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		if err := push(ctx, p); err != nil {
			return err
		}
		w.meet(nil)
		return fmt.Errorf("connection reset: %w", store.ErrTemporary)
	})
}

// lostRace has b write on what it does not know a has already written to.
func lostRace(t *testing.T, h *githost.Host, a, b *replica) error {
	if err := a.count(soon(t), "a"); err != nil {
		t.Fatal(err)
	}
	if err := b.count(soon(t), "b"); err != nil {
		t.Fatal(err)
	}
	return holdsLines(t, h, "first a b")
}

// declinedPush has a hook decline what b writes.
func declinedPush(t *testing.T, h *githost.Host, a, b *replica) error {
	h.Hooks(githost.Hooks{Decline: "not today"})
	defer h.Hooks(githost.Hooks{})
	before := b.wire.pushes.Load()
	err := b.count(soon(t), "b")
	refused, ok := errors.AsType[*store.RefusedError](err)
	switch {
	case !ok:
		return fmt.Errorf("got %v, want a refusal", err)
	case !errors.Is(err, fs.ErrPermission) || errors.Is(err, store.ErrTemporary):
		return fmt.Errorf("got %v, want one that is fs.ErrPermission and not temporary", err)
	case !strings.Contains(refused.Reason, "not today"):
		return fmt.Errorf("reason: got %q, want the hook's words", refused.Reason)
	case b.wire.pushes.Load()-before > maxTries+1:
		return fmt.Errorf("pushed %d times", b.wire.pushes.Load()-before)
	}
	return holdsLines(t, h, "first")
}

// retryAfterLoss has b lose an answer, and write again whenever it is told that nothing has
// happened.
func retryAfterLoss(t *testing.T, h *githost.Host, a, b *replica) error {
	if b.wire.onPush == nil {
		b.wire.meet(loseAnswer())
	}
	for {
		err := b.count(soon(t), "b")
		switch {
		case err == nil:
			return holdsLines(t, h, "first b")
		case errors.Is(err, gitwire.ErrInDoubt) || !errors.Is(err, store.ErrTemporary):
			return err
		}
		b.Wake()
		until(t, "what is at the host is seen", func() bool { return b.tip(t).String() == hostTip(t, h) })
	}
}

// forcePushed has somebody take out of main at the host what b has seen, and b write.
func forcePushed(t *testing.T, h *githost.Host, a, b *replica) error {
	if err := a.count(soon(t), "a"); err != nil {
		t.Fatal(err)
	}
	if err := b.sync(soon(t)); err != nil {
		t.Fatal(err)
	}
	rewindHost(t, h)
	err := b.count(soon(t), "b")
	if _, ok := errors.AsType[*RewoundError](err); !ok {
		return fmt.Errorf("write to a rewound branch: got %v, want a RewoundError", err)
	}
	if got, want := b.lines(t), "first a"; got != want {
		return fmt.Errorf("reads: got %q, want %q", got, want)
	}
	return holdsLines(t, h, "first")
}

func holdsLines(t *testing.T, h *githost.Host, want string) error {
	if got := hostLines(t, h); got != want {
		return fmt.Errorf("at the host: got %q, want %q", got, want)
	}
	return nil
}
