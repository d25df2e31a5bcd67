package remote

import (
	"context"
	"errors"
	"io/fs"
	"sync/atomic"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
)

// A mute host has nothing to tell: whatever has happened was undone before it looked.
type mute struct {
	Host
	forLong atomic.Bool // somebody has waited until the time was up
}

func (m *mute) Wait(ctx context.Context, _ []string, _ []store.Ref) ([]store.Ref, error) {
	<-ctx.Done()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		m.forLong.Store(true)
	}
	return nil, ctx.Err()
}

// What somebody undoes right after it was committed here is noticed, although the host
// is as it was when it was asked to tell of changes.
func TestUndoneAtOnce(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	var host *mute
	r := open(t, h, func(o *Options) {
		host = &mute{Host: o.Host}
		o.Host = host
	})
	for range 3 {
		r.put(t, "a", "1")
		h.Git("update-ref", "-d", "refs/heads/main")
		until(t, "the deletion is seen", func() bool {
			_, err := r.Ref(soon(t), "refs/heads/main")
			return errors.Is(err, fs.ErrNotExist)
		})
	}
	if host.forLong.Load() {
		t.Error("it was noticed when the host had been silent for long, and not before")
	}
}
