package lazy

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"

	"cairn/store"
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
