package remote

import (
	"context"
	"errors"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
)

// A writer whose push was given up in doubt tries again, which makes the very same commit where the
// clock stands still, and this time there is a change of another branch with it. Then the first push
// arrives after all: of the other branch that says nothing.
func TestTwinLandsLate(t *testing.T) {
	for name, before := range map[string]bool{"before the second is compared": true, "while the second is on its way": false} {
		t.Run(name, func(t *testing.T) {
			h := githost.New(t, githost.Cairn)
			r := open(t, h, unaware)
			r.put(t, "a", "1")
			main := store.RefChange{Name: "refs/heads/main", Old: r.tip(t)}
			objs := []object.Object{r.after(t, main.Old, "2"), r.after(t, main.Old, "other")}
			main.New = objs[0].Hash()
			late := r.giveUp(t, objs[:1], main)
			arrive := func() {
				if err := r.wire.Host.Push(soon(t), late); err != nil {
					t.Errorf("late push: %v", err)
				}
			}
			if before {
				arrive()
			}
			arrived := before
			r.wire.meet(func(ctx context.Context, p gitwire.PushRequest, push pushFunc) error {
				if arrived {
					return push(ctx, p)
				}
				arrived = true
				arrive()
				return errLost
			})
			other := store.RefChange{Name: "refs/heads/other", New: objs[1].Hash()}
			if err := r.Commit(soon(t), objs, []store.RefChange{main, other}); err != nil {
				t.Fatal(err)
			}
			for _, c := range []store.RefChange{main, other} {
				if got := h.Git("for-each-ref", "--format=%(objectname)", c.Name); got != c.New.String() {
					t.Errorf("%s, whose change was acknowledged: got %q, want %q", c.Name, got, c.New)
				}
			}
		})
	}
}

// after makes a commit that stands on another and changes nothing.
func (r *replica) after(t *testing.T, parent store.Hash, message string) object.Object {
	t.Helper()
	o, err := r.Object(soon(t), parent)
	if err != nil {
		t.Fatal(err)
	}
	c, err := object.ParseCommit(o.Data)
	if err != nil {
		t.Fatal(err)
	}
	c.Parents, c.Message = []store.Hash{parent}, message
	return object.Object{Type: object.TypeCommit, Data: c.Encode()}
}

// giveUp makes a Commit whose push is lost and which ends in doubt, and returns the push.
func (r *replica) giveUp(t *testing.T, objs []object.Object, c store.RefChange) (lost gitwire.PushRequest) {
	t.Helper()
	ctx, cancel := context.WithCancel(soon(t))
	r.wire.meet(func(_ context.Context, p gitwire.PushRequest, _ pushFunc) error {
		lost = p
		cancel()
		return errLost
	})
	if err := r.Commit(ctx, objs, []store.RefChange{c}); !errors.Is(err, gitwire.ErrInDoubt) {
		t.Fatalf("got %v, want one that is in doubt", err)
	}
	return lost
}
