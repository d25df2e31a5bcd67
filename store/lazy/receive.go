package lazy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sync"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/pack"
)

// A Quarantine is what Receive returns.
type Quarantine interface {
	store.Quarantine

	// Promise says that what was kept is elsewhere too by now: it may be forgotten
	// and asked for again. Before Keep it does nothing.
	Promise()
	// Forget says that what was kept will not be elsewhere, and is not needed: it may be
	// forgotten for good, unless another has kept or promised it. After
	// Promise and before Keep it does nothing.
	Forget()
}

// Receive implements store.Receiver, for objects that are not elsewhere yet.
// What it returns is a Quarantine of this package: once kept it needs a Promise.
func (s *Store) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	return s.here.receive(ctx, r, base, lim)
}

// Fetched returns the receiver for packs that come from elsewhere: what it keeps
// is promised.
func (s *Store) Fetched() store.Receiver { return fetched{s.here} }

type fetched struct{ here place }

// Receive implements store.Receiver.
func (f fetched) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	q, err := f.here.receive(ctx, r, base, lim)
	if err != nil {
		return nil, err
	}
	return &fetchedPack{q}, nil
}

type fetchedPack struct{ Quarantine }

// Keep implements store.Quarantine.
func (q *fetchedPack) Keep(ctx context.Context) error {
	err := q.Quarantine.Keep(ctx)
	if err == nil {
		q.Promise()
	}
	return err
}

// baseCacheBytes is what a quarantine keeps of delta bases, for those who look at
// what is in it.
const baseCacheBytes = 1 << 20

func (m *memory) receive(ctx context.Context, r io.Reader, base baseFunc, lim store.Limits) (Quarantine, error) {
	in, ok := r.(*bufio.Reader)
	if !ok {
		in = bufio.NewReaderSize(r, spoolBytes)
	}
	if most := m.max / (itemBytes + placeBytes); lim.Objects == 0 || lim.Objects > most {
		lim.Objects = min(most, 4<<20)
	}
	q := &quarantine{m: m, spool: spool{m: m}}
	var err error
	if q.received, err = pack.Receive(ctx, in, &q.spool, base, pack.Limits(lim)); err == nil {
		q.pack, err = q.received.Open(&q.spool, pack.NewBaseCache(baseCacheBytes))
	}
	if err == nil {
		n := recordBytes * int64(q.received.Len())
		if err = m.reserve(n); err == nil {
			q.reserved = n
		}
	}
	if err != nil {
		q.clear()
		return nil, tooLarge(err)
	}
	return q, nil
}

// recordBytes is what a quarantine knows of each object, beside the object.
const recordBytes = 100

// tooLarge makes the store's error of the pack's.
func tooLarge(err error) error {
	if errors.Is(err, pack.ErrTooLarge) {
		return fmt.Errorf("%w: %w", store.ErrTooLarge, err)
	}
	return err
}

// A quarantine is one received pack, in a spool until it is kept.
type quarantine struct {
	m        *memory
	spool    spool
	received *pack.Received

	mu       sync.RWMutex
	pack     *pack.Pack // nil when it was discarded
	kept     bool
	pinned   []*item // until Promise or Forget
	reserved int64   // bytes of memory.used
}

// All implements store.Quarantine.
func (q *quarantine) All() iter.Seq2[store.Hash, object.Type] { return q.received.All() }

// read finds an object of the pack: in the pack or, once it is kept, in memory.
func (q *quarantine) read(h store.Hash, inPack func(offset int64) error, kept func() error) error {
	q.mu.RLock()
	defer q.mu.RUnlock()
	if q.pack == nil {
		return fmt.Errorf("object %v: %w", h, fs.ErrNotExist)
	}
	offset, ok := q.pack.Index().Find(h)
	if !ok {
		return fmt.Errorf("object %v: %w", h, fs.ErrNotExist)
	}
	if q.kept {
		return kept()
	}
	if err := inPack(offset); err != nil {
		return fmt.Errorf("object %v: %w", h, tooLarge(err))
	}
	return nil
}

// Object implements store.Objects.
func (q *quarantine) Object(ctx context.Context, h store.Hash) (o object.Object, err error) {
	err = q.read(h,
		func(offset int64) (err error) { o, err = q.pack.Object(offset); return err },
		func() (err error) { o, err = q.m.Object(ctx, h); return err })
	return o, err
}

// Stat implements store.Objects.
func (q *quarantine) Stat(ctx context.Context, h store.Hash) (t object.Type, size int64, err error) {
	err = q.read(h,
		func(offset int64) (err error) { t, size, err = q.pack.Stat(offset); return err },
		func() (err error) { t, size, err = q.m.Stat(ctx, h); return err })
	return t, size, err
}

// Open implements store.Objects.
func (q *quarantine) Open(ctx context.Context, h store.Hash) (r io.ReadCloser, err error) {
	err = q.read(h,
		func(offset int64) (err error) { r, err = q.pack.Open(offset); return err },
		func() (err error) { r, err = q.m.Open(ctx, h); return err })
	return r, err
}

// Discard implements store.Quarantine.
func (q *quarantine) Discard() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.kept {
		q.clear()
	}
}

// clear leaves nothing of a pack that was not kept.
func (q *quarantine) clear() {
	q.pack = nil
	q.free()
}

// free gives back what the pack takes of the bound.
func (q *quarantine) free() {
	q.spool.discard()
	q.m.reserve(-q.reserved)
	q.reserved = 0
}
