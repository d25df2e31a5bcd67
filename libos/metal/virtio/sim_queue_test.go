package virtio

import (
	"sync/atomic"
	"unsafe"
)

// A simQueue is a virtqueue as its device sees it, written from the specification's
// text and not from the driver.
type simQueue struct {
	dev        *simulated
	number     int
	size       uint16
	desc       []descriptor
	avail      *atomic.Uint32
	ring       []uint16
	used       []atomic.Uint32
	usedEvent  *atomic.Uint32
	availEvent *atomic.Uint32
	event      bool
	last       uint16 // index of the next offer
	idx        uint16 // of used
	flags      uint32
}

// A simChain is what a driver has offered.
type simChain struct {
	head     uint16
	out, in  [][]byte // to be read, to be written
	writable int
}

func newSimQueue(s *simulated, number int, r Ring) *simQueue {
	avail, used, _ := RingLayout(r.Size)
	if r.Size > s.max[number] || r.Size&(r.Size-1) != 0 || r.Desc%4096 != 0 || r.Avail != r.Desc+uint64(avail) || r.Used != r.Desc+uint64(used) {
		s.t.Errorf("queue %d lies at %+v", number, r)
	}
	n := r.Size
	a := s.memory.at(r.Avail, 6+2*n)
	u := s.memory.at(r.Used, 8+8*n)
	return &simQueue{
		dev: s, number: number, size: uint16(n), event: s.accepted&EventIndex != 0,
		desc:       unsafe.Slice((*descriptor)(unsafe.Pointer(&s.memory.at(r.Desc, 16*n)[0])), n),
		avail:      word(a, 0),
		ring:       unsafe.Slice((*uint16)(unsafe.Pointer(&a[4])), n),
		used:       unsafe.Slice(word(u, 0), 2+2*n),
		usedEvent:  word(s.memory.at(r.Avail, 8+2*n), 4+2*n),
		availEvent: word(u, 4+8*n),
	}
}

// pop returns the next chain, or nil.
func (q *simQueue) pop() *simChain {
	if uint16(q.avail.Load()>>16) == q.last {
		return nil
	}
	c := &simChain{head: q.ring[q.last%q.size]}
	q.last++
	for i, n := c.head, 0; ; n++ {
		if i >= q.size || n > int(q.size) {
			q.dev.t.Errorf("queue %d: a chain leads to descriptor %d", q.number, i)
			return nil
		}
		d := q.desc[i]
		b := q.dev.memory.at(d.addr, int(d.length))
		if b == nil || d.length == 0 {
			q.dev.t.Errorf("queue %d: a buffer of %d bytes at %#x", q.number, d.length, d.addr)
			return nil
		}
		if d.flags&descWrite != 0 {
			c.in = append(c.in, b)
			c.writable += len(b)
		} else {
			c.out = append(c.out, b)
		}
		if d.flags&descNext == 0 {
			return c
		}
		i = d.next
	}
}

// put puts chains that the device has used into the ring, all at once, and interrupts where
// the driver wants it.
func (q *simQueue) put(heads []uint16, written []int) {
	old := q.idx
	for i, head := range heads {
		e := 1 + 2*int(q.idx%q.size)
		q.used[e].Store(uint32(head))
		q.used[e+1].Store(uint32(written[i]))
		q.idx++
	}
	q.tell()
	if q.event {
		if at := uint16(q.usedEvent.Load()); q.idx-at-1 < q.idx-old {
			q.dev.interrupt(q.number)
		}
	} else if q.avail.Load()&noInterrupt == 0 {
		q.dev.interrupt(q.number)
	}
}

func (q *simQueue) tell() { q.used[0].Store(uint32(q.idx)<<16 | q.flags) }

// await waits for a chain, nil when the device is stopped. While it looks it wants no
// notifications.
func (q *simQueue) await() *simChain {
	for {
		if c := q.pop(); c != nil {
			return c
		}
		if q.event {
			q.availEvent.Store(uint32(q.last))
		} else {
			q.flags = 0
			q.tell()
		}
		if c := q.pop(); c != nil {
			return c
		}
		select {
		case <-q.dev.notified[q.number]:
		case <-q.dev.closed:
			return nil
		}
		if !q.event {
			q.flags = noNotify
			q.tell()
		}
	}
}
