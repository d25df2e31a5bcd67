package lazy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"cairn/store"
	"cairn/store/object"
)

// A Folder keeps objects on disk. A gitdir.Dir that is opened as Partial is one.
type Folder interface {
	store.Backend
	store.Receiver
	store.Packed
	// Trim removes what was read longest ago until the rest takes at most so many bytes.
	Trim(ctx context.Context, bytes int64) error
	// PackBytes is what is in the folder.
	PackBytes() (int64, error)
}

// A folder is a place on disk.
type folder struct {
	Folder
	max   int64 // bytes; 0: no bound
	lossy bool  // what is elsewhere may be dropped

	mu         sync.Mutex
	unpromised int // quarantines that were kept and neither promised nor forgotten
}

// trimShare is which part of the bound is made free when the folder is full.
const trimShare = 16

func (f *folder) put(ctx context.Context, objs []object.Object) error {
	var size int64
	for _, o := range objs {
		size += int64(len(o.Data))
	}
	if err := f.room(&store.Limits{}, size); err != nil {
		return fmt.Errorf("put objects: %w", err)
	}
	if err := f.Commit(ctx, objs, nil); err != nil {
		return err
	}
	return f.trim(ctx)
}

// room lowers the limits to what the folder has room for where nothing may be
// removed from it, and asks for least bytes of it.
func (f *folder) room(lim *store.Limits, least int64) error {
	if f.max == 0 || f.lossy {
		return nil
	}
	used, err := f.PackBytes()
	if err != nil {
		return err
	}
	left := f.max - used
	if left <= least {
		return &FullError{Bytes: f.max, Folder: true}
	}
	if lim.PackBytes == 0 || lim.PackBytes > left {
		lim.PackBytes = min(left, 2<<30)
	}
	return nil
}

// trim makes room where there is too much, but not while the folder holds what is
// nowhere else.
func (f *folder) trim(ctx context.Context) error {
	if f.max == 0 || !f.lossy {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unpromised > 0 {
		return nil
	}
	used, err := f.PackBytes()
	if err != nil || used <= f.max {
		return err
	}
	return f.Trim(ctx, f.max-f.max/trimShare)
}

func (f *folder) receive(ctx context.Context, r io.Reader, base baseFunc, lim store.Limits) (Quarantine, error) {
	bound := lim.PackBytes
	if err := f.room(&lim, 0); err != nil {
		return nil, fmt.Errorf("receive pack: %w", err)
	}
	q, err := f.Receive(ctx, r, base, lim)
	if errors.Is(err, store.ErrTooLarge) && lim.PackBytes != bound {
		err = fmt.Errorf("%w: %w", &FullError{Bytes: f.max, Folder: true}, err)
	}
	if err != nil {
		return nil, err
	}
	return &onDisk{Quarantine: q, f: f}, nil
}

// onDisk is a quarantine of a folder.
type onDisk struct {
	store.Quarantine
	f *folder

	mu   sync.Mutex
	kept bool // and neither promised nor forgotten
	done bool
}

// Keep implements store.Quarantine.
func (q *onDisk) Keep(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.kept || q.done {
		return nil
	}
	q.f.hold(1)
	if err := q.Quarantine.Keep(ctx); err != nil {
		q.f.hold(-1)
		return err
	}
	q.kept = true
	return nil
}

func (f *folder) hold(n int) {
	f.mu.Lock()
	f.unpromised += n
	f.mu.Unlock()
}

// Promise implements Quarantine.
func (q *onDisk) Promise() { q.release() }

// Forget implements Quarantine. What is in the folder stays until it is trimmed.
func (q *onDisk) Forget() { q.release() }

func (q *onDisk) release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.kept {
		q.kept, q.done = false, true
		q.f.hold(-1)
		_ = q.f.trim(context.Background()) // if it fails, the next one makes up for it
	}
}
