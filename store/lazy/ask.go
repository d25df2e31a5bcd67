package lazy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// ask brings a batch, and with it what will be missed next.
func (ms *misses) ask(ctx context.Context, batch []*flight) {
	batch = ms.settleHere(ctx, batch, nil)
	if len(batch) == 0 {
		return
	}
	hashes := make([]store.Hash, 0, len(batch))
	for _, f := range batch {
		hashes = append(hashes, f.hash)
	}
	more := ms.lacking(ctx, ms.s.ahead.beside(ctx, hashes, maxBatch))
	err := ms.fetch(ctx, append(hashes, more...))
	if len(more) > 0 && divisible(err) {
		err = ms.fetch(ctx, hashes)
	}
	ms.settleAll(ctx, batch, err)
}

// settleAll ends a batch that was asked for. Where one object may have spoilt the
// request for all, halves are asked for.
func (ms *misses) settleAll(ctx context.Context, batch []*flight, err error) {
	if len(batch) > 1 && divisible(err) {
		for _, half := range [][]*flight{batch[:len(batch)/2], batch[len(batch)/2:]} {
			if half = ms.settleHere(ctx, half, nil); len(half) == 0 {
				continue
			}
			hashes := make([]store.Hash, 0, len(half))
			for _, f := range half {
				hashes = append(hashes, f.hash)
			}
			ms.settleAll(ctx, half, ms.fetch(ctx, hashes))
		}
		return
	}
	if err == nil {
		err = fs.ErrNotExist // of what is not here now
	} else if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w: %w", store.ErrTemporary, err)
	}
	ms.settleHere(ctx, batch, err)
}

// divisible says that a smaller request may succeed.
func divisible(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, store.ErrTooLarge)
}

// settleHere settles what has arrived and returns the others, or settles them with
// err if there is one.
func (ms *misses) settleHere(ctx context.Context, batch []*flight, err error) (left []*flight) {
	for _, f := range batch {
		switch objs := ms.whereabouts(ctx, f); {
		case objs != nil:
			if err != nil { // it came from elsewhere
				ms.learn(ctx, f, objs)
			}
			ms.settle(f, objs, nil)
		case err != nil:
			ms.settle(f, nil, err)
		default:
			left = append(left, f)
		}
	}
	return left
}

// learn tells how large what was missed is.
func (ms *misses) learn(ctx context.Context, f *flight, objs store.Objects) {
	if t, size, err := objs.Stat(ctx, f.hash); err == nil && t == object.TypeBlob {
		ms.s.ahead.learn(size)
	}
}

// whereabouts returns where a flight's object can be read, or nil.
func (ms *misses) whereabouts(ctx context.Context, f *flight) store.Objects {
	ms.mu.Lock()
	it := f.item
	ms.mu.Unlock()
	if it != nil {
		if m, ok := ms.s.here.(*memory); ok {
			return found{m, it}
		}
	}
	if _, _, err := ms.s.here.Stat(ctx, f.hash); err != nil {
		return nil
	}
	return ms.s.here
}

// lacking returns those that are not here.
func (ms *misses) lacking(ctx context.Context, hashes []store.Hash) []store.Hash {
	left := hashes[:0]
	for _, h := range hashes {
		if _, _, err := ms.s.here.Stat(ctx, h); err != nil {
			left = append(left, h)
		}
	}
	return left
}
