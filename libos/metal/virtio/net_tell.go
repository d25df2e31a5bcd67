package virtio

import (
	"runtime"
	"time"
)

// Telling the card of a frame leaves the virtual machine, which costs as much as a
// good part of what it takes to answer a request. So the card is told once the goroutines
// that can run have had their turn, of all there is to be sent by then; or at once when it
// is much. Where that turns out to be long for little, since they compute rather
// than send, it is told at once for a while.
const (
	tellFrames = 32
	tellBytes  = 64 << 10

	longTurn   = 500 * time.Microsecond
	fewFrames  = 8
	eagerSends = 64
)

// tell tells the card of what has been sent, or sees to it that teller does.
func (n *Net) tell() {
	s := &n.out
	switch {
	case s.eager > 0 || s.queue.waiting() >= tellFrames || s.untold >= tellBytes:
		s.eager = max(0, s.eager-1)
		s.kick()
	case !s.telling:
		s.telling = true
		n.tells <- struct{}{}
	}
}

// teller tells the card of frames after a turn of the others, until the card is closed.
func (n *Net) teller() {
	defer close(n.told)
	for {
		select {
		case <-n.tells:
		case <-n.gone:
			return
		}
		began := time.Now()
		runtime.Gosched()
		n.mu.Lock()
		n.out.telling = false
		if n.err() == nil {
			n.out.gathered(time.Since(began))
			n.out.kick()
		}
		n.mu.Unlock()
	}
}

// gathered takes notice of how long a turn was.
func (s *sender) gathered(turn time.Duration) {
	if n := s.queue.waiting(); turn > longTurn && n > 0 && n < fewFrames {
		s.eager = eagerSends
	}
}

func (s *sender) kick() {
	s.untold = 0
	s.queue.kick()
}
