package queue

import (
	"context"
	"time"
)

// A lane is what is ready for one destination, and who works on it.
type lane struct {
	target
	ready   []*item
	workers int
	idle    int           // of the workers
	short   bool          // in schedule.short
	more    chan struct{} // tells an idle worker of something ready
	window  int           // how many workers there may be: it grows by success
}

// A target is where entries go.
type target struct {
	key   string // "example.org", "relay smart.example:465", "here"
	local bool
	relay *Relay
	err   error // why it cannot be said
}

func (l *lane) tell() {
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// demote puts everything that is ready back, for another process to send.
func (s *schedule) demote() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		for _, i := range l.ready {
			if i.state == ready {
				s.wait(i, i.next)
			}
		}
		l.ready = nil
		if l.workers == 0 {
			delete(s.lanes, l.key)
		}
	}
}

// need has a lane in which there is more to do than its workers have come for wait for another.
func (s *schedule) need(l *lane) {
	if !l.short && l.idle < len(l.ready) && l.workers < min(l.window, s.perLane) {
		l.short = true
		s.short = append(s.short, l)
	}
}

// hire returns lanes that need a worker, one for each worker to be started. They count as idle until
// they begin.
func (s *schedule) hire() []*lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hired []*lane
	for s.active < s.most && len(s.short) > 0 {
		l := s.short[0]
		s.short[0] = nil
		s.short = s.short[1:]
		l.short = false
		if l.idle < len(l.ready) && l.workers < min(l.window, s.perLane) {
			l.workers++
			l.idle++
			s.active++
			hired = append(hired, l)
			s.need(l)
		}
	}
	s.crowd()
	return hired
}

// crowd tells as many idle workers to go as others are needed for whom there is no room.
func (s *schedule) crowd() {
	for n := len(s.leave) - len(s.short); n > 0; n-- {
		select {
		case <-s.leave:
		default: // somebody has left meanwhile
		}
	}
	for range min(len(s.short), s.most) - len(s.leave) {
		s.leave <- struct{}{} // nobody else puts in
	}
}

// begin is what a worker does first.
func (s *schedule) begin(l *lane) {
	s.mu.Lock()
	l.idle--
	s.mu.Unlock()
}

// pick takes what a worker does next, and where it goes: what is ready of one message, up to 100
// recipients. Nil when nothing is.
func (s *schedule) pick(l *lane) ([]*item, target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var job []*item
	to := 0
	for len(l.ready) > 0 {
		i := l.ready[0]
		if i.state == ready {
			if len(job) > 0 && (i.folder() != job[0].folder() || to+i.to > maxRecipients) {
				break
			}
			i.state = taken
			to += i.to
			job = append(job, i)
		}
		l.ready[0] = nil
		l.ready = l.ready[1:]
	}
	return job, l.target
}

// drain takes everything that is ready in a lane.
func (s *schedule) drain(l *lane) []*item {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*item
	for _, i := range l.ready {
		if i.state == ready {
			i.state = taken
			all = append(all, i)
		}
	}
	l.ready = nil
	return all
}

// widen lets one more worker into a lane where things go well; narrow leaves one.
func (s *schedule) widen(l *lane) {
	s.mu.Lock()
	l.window++
	s.need(l)
	s.mu.Unlock()
	s.stir()
}

func (s *schedule) narrow(l *lane) {
	s.mu.Lock()
	l.window = 1
	s.mu.Unlock()
}

// linger waits for something to become ready, a while. The worker's time is over when it reports
// false.
func (s *schedule) linger(ctx context.Context, l *lane, limit time.Duration) bool {
	s.mu.Lock()
	if len(l.ready) > 0 && ctx.Err() == nil {
		s.mu.Unlock()
		return true
	}
	select {
	case <-l.more: // about what others have taken
	default:
	}
	l.idle++
	s.mu.Unlock()

	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-l.more:
	case <-s.leave:
	case <-timer.C:
	case <-ctx.Done():
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	l.idle--
	if l.idle > 0 && len(l.ready) > 1 {
		l.tell() // the next one
	}
	return len(l.ready) > 0 && ctx.Err() == nil
}

// retire is what a worker does last.
func (s *schedule) retire(l *lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	l.workers--
	if l.workers == 0 && len(l.ready) == 0 {
		delete(s.lanes, l.key)
	}
	s.need(l)
	s.stir()
}
