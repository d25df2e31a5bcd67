package queue

import (
	"container/heap"
	"strings"
	"sync"
	"time"
	"unique"
)

// When an entry's time comes
//
// The schedule has an item for each entry on the branch: made from the tree once and then from
// what changes, it is a hint. Whoever takes an item reads the entry itself before anything is
// sent. An item waits in a heap by time; when that has come it is ready, in the lane of its
// destination; and then it is taken, by the one worker who deals with it. What is done costs what is
// due, not what is there.
type schedule struct {
	mu     sync.Mutex
	items  map[string]*item // by path
	heap   itemHeap         // those that wait
	lanes  map[string]*lane // by destination
	short  []*lane          // those that may need another worker, in turn
	wake   chan struct{}    // the dispatcher looks again
	leave  chan struct{}    // idle workers go, because others are waited for
	active int              // workers
	// How many workers there may be, and in one lane.
	most, perLane int
}

// An item is an entry, as far as its time is concerned.
type item struct {
	path   string
	domain string
	next   time.Time
	to     int // recipients
	state  itemState
	index  int // in the heap
}

type itemState uint8

const (
	waiting itemState = iota // in the heap
	ready                    // in a lane
	taken                    // by a worker
	parked                   // held, or not readable: until it changes
	gone                     // not on the branch any more
)

// folder is that of the item's message.
func (i *item) folder() string { return i.path[:idLength+2] }

func newSchedule(most, perLane int) *schedule {
	return &schedule{
		most: most, perLane: perLane,
		items: map[string]*item{}, lanes: map[string]*lane{}, wake: make(chan struct{}, 1),
		leave: make(chan struct{}, most),
	}
}

// stir has the dispatcher look again.
func (s *schedule) stir() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// A change is how an entry is now.
type change struct {
	path string
	time *timing // nil: there is none any more
}

// A timing is what the schedule has to know of an entry.
type timing struct {
	domain string
	next   time.Time
	to     int
	held   bool
}

func (e *entry) timing() *timing {
	return &timing{domain: e.Domain, next: e.Next, to: len(e.To), held: e.Held}
}

// set takes changes in, all before anybody sees one: so the entries of a message come together.
func (s *schedule) set(changes []change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range changes {
		s.setOne(c.path, c.time)
	}
	s.stir()
}

// setOne leaves an item that is taken to its worker; but one that is gone is gone.
func (s *schedule) setOne(path string, t *timing) {
	i := s.items[path]
	switch {
	case t == nil && i != nil:
		s.take(i, gone)
	case t != nil && i == nil:
		i = &item{path: strings.Clone(path), domain: unique.Make(t.domain).Value(), index: -1, state: parked}
		s.items[i.path] = i
		s.place(i, t)
	case t != nil && i.state != taken:
		s.place(i, t)
	}
}

// done puts back an item that was taken, as its entry is now; nil: there is none any more.
func (s *schedule) done(i *item, e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case i.state == gone:
	case e == nil:
		s.take(i, gone)
	default:
		s.place(i, e.timing())
	}
	s.stir()
}

// delay puts back an item that was taken, to be looked at again at a time; zero: when its entry
// changes.
func (s *schedule) delay(i *item, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.state == gone {
		return
	}
	s.take(i, parked)
	if !next.IsZero() {
		s.wait(i, next)
	}
	s.stir()
}

func (s *schedule) place(i *item, t *timing) {
	s.take(i, parked)
	i.to = t.to
	if !t.held {
		s.wait(i, t.next)
	}
}

func (s *schedule) wait(i *item, next time.Time) {
	i.state, i.next = waiting, next
	heap.Push(&s.heap, i)
}

// take takes an item from where it is. Lanes notice by its state.
func (s *schedule) take(i *item, state itemState) {
	if i.state == waiting {
		heap.Remove(&s.heap, i.index)
	}
	i.state = state
	if state == gone {
		delete(s.items, i.path)
	}
}

// due returns when the next item's time comes, or has come.
func (s *schedule) due() (next time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.heap) == 0 {
		return time.Time{}, false
	}
	return s.heap[0].next, true
}

// busy reports whether something is being sent, or ready for it.
func (s *schedule) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active > 0 || len(s.lanes) > 0
}

// promote moves what is due into the lanes of its destinations.
func (s *schedule) promote(now time.Time, route func(domain string) target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.heap) > 0 && !s.heap[0].next.After(now) {
		i := s.heap[0]
		t := route(i.domain)
		s.take(i, ready)
		l := s.lanes[t.key]
		if l == nil {
			l = &lane{more: make(chan struct{}, 1), window: 1}
			s.lanes[t.key] = l
		}
		l.target = t
		l.ready = append(l.ready, i)
		if l.idle > 0 {
			l.tell()
		}
		s.need(l)
	}
}

// itemHeap has the earliest item first, and items of one message beside each other.
type itemHeap []*item

func (h itemHeap) Len() int { return len(h) }

func (h itemHeap) Less(i, j int) bool {
	if c := h[i].next.Compare(h[j].next); c != 0 {
		return c < 0
	}
	return h[i].path < h[j].path
}

func (h itemHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *itemHeap) Push(x any) {
	i := x.(*item)
	i.index = len(*h)
	*h = append(*h, i)
}

func (h *itemHeap) Pop() any {
	old := *h
	i := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return i
}
