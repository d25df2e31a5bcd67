package stack

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/waiter"
)

// A side is one direction of a connection, or the waiting of a listener: who
// uses it, what wakes them, and until when they wait.
type side struct {
	mu   sync.Mutex    // held by who uses the side, also while they wait
	wake chan struct{} // holds one token when something may have changed

	closed   atomic.Bool
	deadline atomic.Int64 // nanoseconds after start; 0: none

	timing sync.Mutex
	timer  *time.Timer   // made when first needed
	rings  time.Duration // when it does, after start; 0: not at all
}

func (s *side) init() { s.wake = make(chan struct{}, 1) }

// start is what deadlines are counted from, on the monotonic clock.
var start = time.Now()

// err says why nobody may wait or go on: net.ErrClosed, errDeadline or nil.
func (s *side) err() error {
	if s.closed.Load() {
		return net.ErrClosed
	}
	if d := s.deadline.Load(); d != 0 && int64(time.Since(start)) >= d {
		return errDeadline
	}
	return nil
}

// poke has whoever waits look again.
func (s *side) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// wait waits for a poke. One that came since the last wait counts.
func (s *side) wait() { <-s.wake }

// close makes err return net.ErrClosed for ever, and reports whether it did not
// before.
func (s *side) close() bool {
	if !s.closed.CompareAndSwap(false, true) {
		return false
	}
	s.timing.Lock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.timing.Unlock()
	s.poke()
	return true
}

// setDeadline bounds all waiting from now on, also that under way. A timer that is
// set for an earlier time is left as it is: servers move deadlines with each request.
func (s *side) setDeadline(t time.Time) {
	s.timing.Lock()
	defer s.timing.Unlock()
	if t.IsZero() {
		s.deadline.Store(0)
		return
	}
	at := max(t.Sub(start), 1)
	s.deadline.Store(int64(at))
	if now := time.Since(start); at <= now {
		s.poke()
	} else if s.rings == 0 || s.rings > at {
		s.ringAt(at, now)
	}
}

// ringAt sets the timer.
func (s *side) ringAt(at, now time.Duration) {
	s.rings = at
	if s.timer == nil {
		s.timer = time.AfterFunc(at-now, s.ring)
	} else {
		s.timer.Reset(at - now)
	}
}

// ring is called by the timer.
func (s *side) ring() {
	s.timing.Lock()
	defer s.timing.Unlock()
	s.rings = 0
	at, now := time.Duration(s.deadline.Load()), time.Since(start)
	switch {
	case at == 0:
	case at <= now:
		s.poke()
	default:
		s.ringAt(at, now)
	}
}

// A sides pair is what a connection waits on. It is told by its endpoint's queue.
type sides struct {
	read, write side
	entry       waiter.Entry
	queue       *waiter.Queue
}

func (s *sides) init(q *waiter.Queue) {
	s.read.init()
	s.write.init()
	s.queue = q
	s.entry.Init(s, waiter.ReadableEvents|waiter.WritableEvents|waiter.EventHUp|waiter.EventErr|waiter.EventRdHUp)
	q.EventRegister(&s.entry)
}

// NotifyEvent is called by the endpoint, sometimes with its locks held.
func (s *sides) NotifyEvent(mask waiter.EventMask) {
	const both = waiter.EventHUp | waiter.EventErr
	if mask&(waiter.ReadableEvents|waiter.EventRdHUp|both) != 0 {
		s.read.poke()
	}
	if mask&(waiter.WritableEvents|both) != 0 {
		s.write.poke()
	}
}

// close ends both sides and reports whether they were open.
func (s *sides) close() bool {
	open := s.read.close()
	s.write.close()
	if open {
		s.queue.EventUnregister(&s.entry)
	}
	return open
}

// setDeadlines sets those of the sides given, of an endpoint that is open.
func (s *sides) setDeadlines(network string, local net.Addr, t time.Time, list ...*side) error {
	if s.read.closed.Load() {
		return closedError("set", network, nil, local)
	}
	for _, side := range list {
		side.setDeadline(t)
	}
	return nil
}
