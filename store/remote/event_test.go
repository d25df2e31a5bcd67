package remote

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/gitwire"
)

func TestOutcome(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Outcome
	}{
		{nil, Done},
		{fmt.Errorf("push: %w", &gitwire.RejectedError{Ref: "x", Race: true}), Conflict},
		{fmt.Errorf("push: %w", &gitwire.RejectedError{Ref: "x"}), Refused},
		{errLost, Doubt},
		{ErrAway, Away},
		{gitwire.ErrUnauthorized, Failed},
	} {
		if got := (Event{Err: c.err}).Outcome(); got != c.want {
			t.Errorf("%v: got %s, want %s", c.err, got, c.want)
		}
	}
}

// What happens is told.
func TestObserve(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	other := open(t, h, nil)
	other.put(t, "a", "1")
	var mu sync.Mutex
	told := map[Kind]map[Outcome]int{}
	r := open(t, h, func(o *Options) {
		o.Observe = func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			if told[e.Kind] == nil {
				told[e.Kind] = map[Outcome]int{}
			}
			told[e.Kind][e.Outcome()]++
		}
	})
	r.put(t, "b", "1")
	other.put(t, "a", "2")
	until(t, "the other's commit is followed", func() bool { return r.tip(t) == other.tip(t) })
	h.Hooks(githost.Hooks{Decline: "not today"})
	if err := r.tryPut(soon(t), "b", "2"); err == nil || errors.Is(err, store.ErrTemporary) {
		t.Errorf("declined: got %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []struct {
		Kind
		Outcome
	}{{Pushed, Done}, {Pushed, Refused}, {Fetched, Done}, {Looked, Done}, {Followed, Done}} {
		if told[want.Kind][want.Outcome] == 0 {
			t.Errorf("nobody was told of a %s that ended with %s", want.Kind, want.Outcome)
		}
	}
}
