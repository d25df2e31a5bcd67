package gitdir

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"cairn/store"
)

// waitPoll is how often Wait looks for what other processes have done.
const waitPoll = 100 * time.Millisecond

// Wait implements store.Backend. Our own commits wake it at once; those of
// others are seen within waitPoll and refTTL.
func (d *Dir) Wait(ctx context.Context, name string, old store.Hash) (store.Ref, error) {
	poll := time.NewTicker(waitPoll)
	defer poll.Stop()
	for {
		moved := d.moved()
		ref, err := d.Ref(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			ref, err = store.Ref{Name: name}, nil
		}
		if err != nil || ref.Hash != old {
			return ref, err
		}
		select {
		case <-ctx.Done():
			return store.Ref{}, ctx.Err()
		case <-d.closed:
			return store.Ref{}, fs.ErrClosed
		case <-moved:
		case <-poll.C:
		}
	}
}

// moved returns a channel that is closed when we next move a ref.
func (d *Dir) moved() <-chan struct{} {
	d.movedMu.Lock()
	defer d.movedMu.Unlock()
	if d.movedCh == nil {
		d.movedCh = make(chan struct{})
	}
	return d.movedCh
}

func (d *Dir) announce() {
	d.movedMu.Lock()
	defer d.movedMu.Unlock()
	if d.movedCh != nil {
		close(d.movedCh)
		d.movedCh = nil
	}
}
