package remote

import (
	"context"
	"errors"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
)

// errIdle is what an update gives that has nothing to do.
var errIdle = errors.New("nothing to do")

// together makes two counts in one push, the second on top of the first, and returns their errors.
func (r *replica) together(t *testing.T, first, second string, onPush func(context.Context, gitwire.PushRequest, pushFunc) error) error {
	t.Helper()
	ctx := soon(t)
	before, ready := make(chan struct{}), make(chan struct{})
	r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
		r.wire.meet(onPush)
		close(before)
		<-ready
		return push(ctx, p)
	})
	errs := make(chan error, 4)
	go func() { errs <- r.count(ctx, "before") }()
	<-before
	// An update's function runs when all that came before it on the branch have joined the batch.
	for _, line := range []string{first, second} {
		running := make(chan struct{})
		go func() {
			once := false
			errs <- r.repo.Branch("main").Update(ctx, change("count "+line), func(tx *store.Tx) error {
				if !once {
					once = true
					close(running)
				}
				return addLine(tx, line)
			})
		}()
		<-running
	}
	go func() {
		once := false
		err := r.repo.Branch("main").Update(ctx, change("idle"), func(*store.Tx) error {
			if !once {
				once = true
				close(ready)
			}
			return errIdle
		})
		if errors.Is(err, errIdle) {
			err = nil
		}
		errs <- err
	}()
	return errors.Join(<-errs, <-errs, <-errs, <-errs)
}

// A push of two changes lands, and before anybody here looks somebody takes the second out again. The
// first shows that both have landed: neither is made again.
func TestPartTakenOut(t *testing.T) {
	for name, says := range map[string]error{"answer lost": errLost, "refused": failedHalfway} {
		t.Run(name, func(t *testing.T) {
			h := githost.New(t, githost.Cairn)
			r := open(t, h, unaware)
			err := r.together(t, "1", "2", func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
				r.wire.meet(nil)
				if err := push(ctx, p); err != nil {
					return err
				}
				h.Git("update-ref", "refs/heads/main", h.Git("commit-tree", "-p", "main~1", "-m", "elsewhere", "main~1^{tree}"))
				return says
			})
			if err != nil {
				t.Error(err)
			}
			if got, want := hostLines(t, h), "before 1"; got != want {
				t.Errorf("at the host: got %q, want %q", got, want)
			}
			if got, want := r.lines(t), "before 1 2"; got != want {
				t.Errorf("here: got %q, want %q", got, want)
			}
			if err := r.sync(soon(t)); err != nil {
				t.Error(err)
			}
			if got := r.Status().Rewound; len(got) != 1 {
				t.Errorf("rewound: got %v, want main", got)
			}
		})
	}
}
