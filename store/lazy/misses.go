package lazy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"

	"cairn/store"
	"cairn/store/object"
)

const (
	// maxRunning is how many requests may be under way. As long as fewer are,
	// a miss does not wait for others to come along.
	maxRunning = 8
	// maxBatch is how many missed objects one request asks for.
	maxBatch = 512
)

// misses brings what is not here.
type misses struct {
	s     *Store
	fetch func(context.Context, []store.Hash) error
	ctx   context.Context
	stop  context.CancelFunc
	work  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	flights map[store.Hash]*flight
	queue   []*flight // that no request asks for yet
	running int
	some    atomic.Bool // there are flights
}

// A flight is one missed object and those who wait for it.
type flight struct {
	hash    store.Hash
	waiters int
	run     *run          // the request that asks for it; misses.mu guards it
	item    *item         // where it is, once it has arrived in memory; misses.mu guards it
	done    chan struct{} // closed when objs or err is set
	objs    store.Objects
	err     error
}

// A run is one request and what follows from it.
type run struct {
	cancel context.CancelFunc
	wanted int // flights that somebody waits for
}

func (ms *misses) start(s *Store, fetch func(context.Context, []store.Hash) error) {
	ms.s, ms.fetch, ms.flights = s, fetch, make(map[store.Hash]*flight)
	ms.ctx, ms.stop = context.WithCancel(context.Background())
}

func (ms *misses) close() {
	ms.mu.Lock()
	ms.closed = true
	ms.mu.Unlock()
	ms.stop()
	ms.work.Wait()
}

// arrived notes where an object is that somebody waits for: it may have been
// dropped again before they look.
func (ms *misses) arrived(it *item) {
	if !ms.some.Load() {
		return
	}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if f := ms.flights[it.hash]; f != nil {
		f.item = it
	}
}

// bring waits until a missed object has arrived and returns where it can be read.
func (ms *misses) bring(ctx context.Context, h store.Hash) (store.Objects, error) {
	if ms.fetch == nil {
		return nil, fs.ErrNotExist
	}
	for {
		f, late, err := ms.join(h)
		if err != nil {
			return nil, err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			ms.leave(f)
			return nil, ctx.Err()
		}
		if late && errors.Is(f.err, fs.ErrNotExist) {
			continue // it was asked for before we knew of it
		}
		return f.objs, f.err
	}
}

// join waits with others for an object; late says that it has been asked for already.
func (ms *misses) join(h store.Hash) (f *flight, late bool, err error) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if ms.closed {
		return nil, false, fs.ErrClosed
	}
	f = ms.flights[h]
	if f != nil && f.waiters > 0 {
		f.waiters++
		return f, f.run != nil, nil
	}
	f = &flight{hash: h, waiters: 1, done: make(chan struct{})}
	ms.flights[h] = f
	ms.some.Store(true)
	ms.queue = append(ms.queue, f)
	if ms.running < maxRunning {
		ms.running++
		ms.work.Go(ms.runAll)
	}
	return f, false, nil
}

// leave ends a request that nobody waits for any more.
func (ms *misses) leave(f *flight) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if f.waiters--; f.waiters > 0 || f.run == nil {
		return
	}
	if f.run.wanted--; f.run.wanted == 0 {
		f.run.cancel()
	}
}

// runAll makes requests until nothing is queued.
func (ms *misses) runAll() {
	for {
		ctx, cancel := context.WithCancel(ms.ctx)
		batch := ms.take(&run{cancel: cancel})
		if len(batch) == 0 {
			cancel()
			return
		}
		ms.ask(ctx, batch)
		cancel()
	}
}

// take takes flights from the queue, those that somebody still waits for.
func (ms *misses) take(r *run) (batch []*flight) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	n := 0
	for _, f := range ms.queue {
		if len(batch) == maxBatch {
			break
		}
		n++
		if f.waiters == 0 {
			ms.forget(f)
			continue
		}
		f.run = r
		r.wanted++
		batch = append(batch, f)
	}
	if ms.queue = ms.queue[n:]; len(ms.queue) == 0 {
		ms.queue = nil
	}
	if len(batch) == 0 {
		ms.running--
	}
	return batch
}

// forget ends a flight's place in the map, unless a later one has taken it. mu is held.
func (ms *misses) forget(f *flight) {
	if ms.flights[f.hash] == f {
		delete(ms.flights, f.hash)
		ms.some.Store(len(ms.flights) > 0)
	}
}

// settle tells those who wait.
func (ms *misses) settle(f *flight, objs store.Objects, err error) {
	ms.mu.Lock()
	ms.forget(f)
	ms.mu.Unlock()
	f.objs, f.err = objs, err
	close(f.done)
}

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
