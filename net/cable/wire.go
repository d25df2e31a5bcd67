package cable

import (
	"container/heap"
	"net"
	"sync"
	"time"
)

// A wire leads from a port into the switch. Frames on it are ordered by when they are due.
// mu is held while a frame is handed on, so that frames arrive in that order.
type wire struct {
	port *Port

	mu      sync.Mutex
	room    sync.Cond // signalled when bytes or closed changes
	sent    uint64    // frames so far
	seq     uint64    // flights so far
	free    time.Time // when Rate lets the next frame begin
	last    time.Time // when the latest frame that keeps its place is due
	transit transit
	bytes   int // cost of transit
	timer   *time.Timer
	closed  bool
}

func newWire(p *Port) *wire {
	w := &wire{port: p}
	w.room.L = &w.mu
	return w
}

// send decides what befalls a frame and puts it on the wire.
func (w *wire) send(f frame) error {
	o := &w.port.sw.opts
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.closed && len(w.transit) > 0 && w.bytes+f.cost() > o.Queue {
		w.room.Wait()
	}
	if w.closed {
		return net.ErrClosed
	}
	fate := decide(o, w.port.index, w.sent)
	w.sent++
	if w.port.cut.Load() {
		fate = lost("cut off")
	}
	w.port.sw.log.add(w.port.index, f, fate.comment)
	now := time.Now()
	begun := w.begin(now, len(f.data))
	for range fate.copies {
		w.launch(f, now, w.due(begun, fate))
	}
	return nil
}

// begin returns when the last bit of a frame of so many bytes is on the wire.
func (w *wire) begin(now time.Time, size int) time.Time {
	rate := w.port.sw.opts.Rate
	if rate == 0 {
		return now
	}
	if w.free.Before(now) {
		w.free = now
	}
	w.free = w.free.Add(time.Duration(int64(size) * int64(time.Second) / rate))
	return w.free
}

// due returns when a frame arrives. One that is not held back keeps its place.
func (w *wire) due(begun time.Time, f fate) time.Time {
	due := begun.Add(w.port.sw.opts.Delay + f.jitter)
	if f.held > 0 {
		return due.Add(f.held)
	}
	if due.Before(w.last) {
		return w.last
	}
	w.last = due
	return due
}

// launch hands a frame on: at once when it is due and none is before it.
func (w *wire) launch(f frame, now, due time.Time) {
	if !due.After(now) && (len(w.transit) == 0 || w.transit[0].due.After(now)) {
		w.port.sw.forward(w.port, f)
		return
	}
	w.seq++
	heap.Push(&w.transit, flight{f, due, w.seq})
	w.bytes += f.cost()
	w.arm()
}

// land hands on all frames whose time has come.
func (w *wire) land() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for len(w.transit) > 0 && !w.transit[0].due.After(now) {
		f := heap.Pop(&w.transit).(flight).frame
		w.bytes -= f.cost()
		w.port.sw.forward(w.port, f)
	}
	w.arm()
	w.room.Broadcast()
}

// arm sets the timer for the frame that is due first.
func (w *wire) arm() {
	if len(w.transit) == 0 {
		return
	}
	wait := time.Until(w.transit[0].due)
	if w.timer == nil {
		w.timer = time.AfterFunc(wait, w.land)
	} else {
		w.timer.Reset(wait)
	}
}

func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.room.Broadcast()
}

// A flight is a frame on the wire. seq keeps the order of those due at once.
type flight struct {
	frame
	due time.Time
	seq uint64
}

// transit is a heap of flights, the first due on top.
type transit []flight

func (t transit) Len() int      { return len(t) }
func (t transit) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t transit) Less(i, j int) bool {
	if t[i].due.Equal(t[j].due) {
		return t[i].seq < t[j].seq
	}
	return t[i].due.Before(t[j].due)
}
func (t *transit) Push(x any) { *t = append(*t, x.(flight)) }
func (t *transit) Pop() any {
	old := *t
	last := old[len(old)-1]
	old[len(old)-1] = flight{}
	*t = old[:len(old)-1]
	return last
}
