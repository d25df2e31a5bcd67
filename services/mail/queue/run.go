package queue

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// How long a worker keeps a connection for more, how many messages go over one, and how long
// one that waits for the answer to a message may go on when Run is to end.
const (
	lingerTime = 2 * time.Second
	perSession = 100
	graceTime  = 20 * time.Second
)

// A sender is a Run.
type sender struct {
	q        *Queue
	schedule *schedule
	lease    *lease
	memory   *semaphore.Weighted
	workers  sync.WaitGroup
}

// Run sends until ctx ends. What is on the wire then is given up, but for messages that the other
// side has and has not answered yet: they get some seconds more. There is one Run for a Queue.
func (q *Queue) Run(ctx context.Context) error {
	var random [8]byte
	rand.Read(random[:])
	s := &sender{
		q: q, schedule: newSchedule(q.o.Connections, q.o.PerDestination), memory: semaphore.NewWeighted(q.o.Memory),
		lease: newLease(q.branch, q.o.Sole, q.o.Now, random),
	}
	var following sync.WaitGroup
	following.Go(func() { s.follow(ctx) })
	s.dispatch(ctx)
	s.workers.Wait()
	following.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	if err := s.lease.release(last); err != nil {
		return fmt.Errorf("stop sending: %w", err)
	}
	return nil
}

// dispatch gives what is due to workers until ctx ends.
func (s *sender) dispatch(ctx context.Context) {
	for ctx.Err() == nil {
		timer := time.NewTimer(s.round(ctx))
		select {
		case <-ctx.Done():
		case <-s.schedule.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// round does what is to be done now, and returns how long there is nothing more, if nothing changes.
func (s *sender) round(ctx context.Context) time.Duration {
	now := s.q.o.Now()
	next, some := s.schedule.due()
	if (!some || next.After(now)) && !s.schedule.busy() {
		if !some {
			return time.Hour
		}
		return next.Sub(now)
	}
	held, again, err := s.lease.ensure(ctx)
	if err != nil && ctx.Err() == nil {
		s.q.o.Log.Warn("queue: cannot say on the branch who sends", "error", err)
	}
	if !held {
		s.schedule.demote()
		return again
	}
	s.schedule.promote(now, func(domain string) target { return s.q.route(ctx, domain) })
	for _, l := range s.schedule.hire() {
		s.workers.Go(func() { s.work(ctx, l) })
	}
	if next, some := s.schedule.due(); some {
		again = min(again, next.Sub(now))
	}
	return again
}

// route says where mail for a domain goes.
func (q *Queue) route(ctx context.Context, domain string) target {
	if q.o.Local != nil {
		here, err := q.o.Local(ctx, domain)
		if here || err != nil {
			return target{key: "here", local: true, err: err}
		}
	}
	if q.o.Relay != nil {
		r, err := q.o.Relay(ctx, domain)
		if err != nil {
			return target{key: "relay", err: err}
		}
		if r != nil {
			return target{key: fmt.Sprintf("relay %s:%d", r.Host, r.Port), relay: r}
		}
	}
	return target{key: domain}
}

// work does what is ready in a lane, job by job, until there is nothing more.
func (s *sender) work(ctx context.Context, l *lane) {
	defer s.schedule.retire(l)
	s.schedule.begin(l)
	w := &worker{sender: s, lane: l}
	defer w.quit()
	for ctx.Err() == nil && s.lease.valid() {
		var items []*item
		items, w.to = s.schedule.pick(l)
		switch {
		case items != nil:
			w.do(ctx, items)
		case w.conn == nil || !s.schedule.linger(ctx, l, lingerTime):
			return
		}
	}
}
