package remote

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
)

// both writes a line to branches main and other, in one commit of both.
func (r *replica) both(ctx context.Context, line string) error {
	names := []string{"main", "other"}
	return r.repo.Update(ctx, change("both "+line), names, func(txs map[string]*store.Tx) error {
		return errors.Join(txs["main"].Put(line, nil), txs["other"].Put(line, nil))
	})
}

// has says whether a branch has a file at the host, by stock git.
func has(t *testing.T, h *githost.Host, branch, file string) bool {
	t.Helper()
	return h.Git("ls-tree", branch, file) != ""
}

// A host that moves only the first ref of an atomic push and then says what it says, as one that
// crashes in the middle or whose disk is full: stock git moves one file after another.
func onlyFirst(says error) func(context.Context, gitwire.PushRequest, pushFunc) error {
	first := true
	return func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		if !first {
			return push(ctx, p)
		}
		first = false
		p.Commands = p.Commands[:1]
		if err := push(ctx, p); err != nil {
			return err
		}
		return says
	}
}

var failedHalfway = errors.Join(
	&gitwire.RejectedError{Ref: "refs/heads/main", Reason: "atomic transaction failed", Race: true},
	&gitwire.RejectedError{Ref: "refs/heads/other", Reason: "atomic transaction failed", Race: true},
)

// Of a push that the host has carried out by half the rest is made up for.
func TestHalfCarriedOut(t *testing.T) {
	for name, says := range map[string]error{"answer lost": errLost, "refused": failedHalfway} {
		t.Run(name, func(t *testing.T) {
			h := githost.New(t, githost.Cairn)
			r := open(t, h, nil)
			if err := r.both(soon(t), "1"); err != nil {
				t.Fatal(err)
			}
			r.wire.meet(onlyFirst(says))
			if err := r.both(soon(t), "2"); err != nil {
				t.Errorf("got %v, want nil", err)
			}
			for _, branch := range []string{"main", "other"} {
				if !has(t, h, branch, "2") {
					t.Errorf("%s at the host lacks what was acknowledged", branch)
				}
			}
			if err := r.sync(soon(t)); err != nil {
				t.Error(err)
			}
			if got := r.Status().Rewound; len(got) > 0 {
				t.Errorf("rewound: got %v, want none", got)
			}
			if got, want := h.Git("rev-list", "--count", "main"), "2"; got != want {
				t.Errorf("commits on main: got %s, want %s", got, want)
			}
		})
	}
}

// Where somebody else has moved the other half meanwhile it cannot be made up for: the writer is
// told, and not in words by which the change would be made again.
func TestHalfCarriedOutAndOvertaken(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r, other := open(t, h, unaware), open(t, h, nil)
	if err := r.both(soon(t), "1"); err != nil {
		t.Fatal(err)
	}
	until(t, "the other sees it", func() bool { return other.tip(t) == r.tip(t) })
	half := onlyFirst(fmt.Errorf("%w: %w", gitwire.ErrNotAtomic, &gitwire.RejectedError{Ref: "refs/heads/other", Reason: "stale info", Race: true}))
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		err := other.repo.Branch("other").Update(ctx, change("elsewhere"), func(tx *store.Tx) error { return tx.Put("elsewhere", nil) })
		if err != nil {
			return err
		}
		r.wire.meet(nil)
		return half(ctx, p, push)
	})
	err := r.both(soon(t), "2")
	if _, conflict := errors.AsType[*store.ConflictError](err); conflict || !errors.Is(err, gitwire.ErrInDoubt) || !errors.Is(err, store.ErrTemporary) {
		t.Errorf("got %v, want one that is in doubt and temporary", err)
	}
	if got, want := h.Git("rev-list", "--count", "main"), "2"; got != want {
		t.Errorf("commits on main: got %s, want %s", got, want)
	}
	if has(t, h, "other", "2") || !has(t, h, "other", "elsewhere") {
		t.Error("what somebody else has written was overwritten")
	}
}

// Somebody takes the first half out again before the rest is made up for: it has landed all the
// same, and the change is not made again.
func TestHalfCarriedOutAndRewound(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	r := open(t, h, unaware)
	if err := r.both(soon(t), "1"); err != nil {
		t.Fatal(err)
	}
	before := r.tip(t).String()
	elsewhere := h.Git("commit-tree", "-p", before, "-m", "elsewhere", before+"^{tree}")
	half := onlyFirst(errLost)
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		if len(p.Commands) == 2 {
			return half(ctx, p, push)
		}
		h.Git("update-ref", "refs/heads/main", elsewhere)
		r.wire.meet(nil)
		return errLost
	})
	if err := r.both(soon(t), "2"); err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if has(t, h, "main", "2") || !has(t, h, "other", "2") {
		t.Error("want the change on other, and not on main, from which it was taken")
	}
	if err := r.sync(soon(t)); err != nil {
		t.Error(err)
	}
	if got := r.Status().Rewound; len(got) != 1 || got[0].Ref != "refs/heads/main" {
		t.Errorf("rewound: got %v, want main", got)
	}
}
