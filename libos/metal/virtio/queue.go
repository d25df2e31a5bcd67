package virtio

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// A queue is a split virtqueue (virtio 1.2, 2.7): a table of descriptors, the ring
// in which the driver offers chains of them to the device, and the ring in which the
// device says which it has used. The rings are memory that the device writes too, at
// any time and whatever it likes. So whatever it wrote is read once and checked, and
// what the driver wrote is not read again.
//
// Order. Both sides tell the other of entries by a 16-bit index, which shares 32
// aligned bits with flags of the same writer; these are stored and loaded as
// one. Go's atomics are sequentially consistent, and the compiler moves no access
// across them. On amd64 a load is a MOV, and a store an XCHG: the entries are visible
// before the index that tells of them, and with fence, where that is not enough, an index is
// visible before the other side's wish to be told is looked at. Rings are little-endian, as
// are the machines this runs on.
//
// Locking is the owner's affair: one goroutine at a time.
type queue struct {
	dev    Device
	number int
	size   int // a power of two
	mask   uint16
	event  bool // EventIndex was agreed on

	desc  []descriptor
	avail *atomic.Uint32 // flags and index of what is offered
	ring  []uint16       // offered heads
	used  []atomic.Uint32

	usedEvent  *atomic.Uint32 // behind avail: which used entry we want to hear of
	availEvent *atomic.Uint32 // behind used: which offer the device wants to hear of

	quiet uint32 // flags that go into avail
	next  uint16 // index of the next offer
	told  uint16 // next, when the device was last told where it wanted to be
	seen  uint16 // index of the next used entry to read
	known uint16 // the device's index when last looked at
	out   int    // chains that the device has
	given []bool // which those are, by head
}

// A descriptor names memory to the device (virtio 1.2, 2.7.5).
type descriptor struct {
	addr   uint64
	length uint32
	flags  uint16
	next   uint16
}

const (
	descNext  = 1 // descriptor: next is valid
	descWrite = 2 // descriptor: the device writes it

	noInterrupt = 1 // avail's flags
	noNotify    = 1 // used's flags
)

// Sizes of queues. With one descriptor the event index would not be aligned; more
// than maxQueue only cost memory.
const (
	minQueue = 4
	maxQueue = 256
)

// newQueue sets up a queue of up to most descriptors and tells the device of it. It asks for no
// interrupts.
func newQueue(d Device, m Memory, number, most int, features uint64) (*queue, error) {
	size := min(d.QueueMax(number), most, maxQueue)
	if size < minQueue {
		return nil, fmt.Errorf("%s: queue %d has %d descriptors, %d are needed", d.Name(), number, d.QueueMax(number), minQueue)
	}
	size = 1 << (bits.Len(uint(size)) - 1)
	avail, used, total := RingLayout(size)
	mem, phys, err := m.Alloc(total + 2) // the event index is read with what follows it
	if err != nil {
		return nil, fmt.Errorf("%s: queue %d: %w", d.Name(), number, err)
	}
	q := &queue{
		dev: d, number: number, size: size, mask: uint16(size - 1), event: features&EventIndex != 0,
		desc:  unsafe.Slice((*descriptor)(unsafe.Pointer(&mem[0])), size),
		avail: word(mem, avail),
		ring:  unsafe.Slice((*uint16)(unsafe.Pointer(&mem[avail+4])), size),
		used:  unsafe.Slice(word(mem, used), 2+2*size),
		quiet: noInterrupt,
		given: make([]bool, size),
	}
	q.usedEvent = word(mem, avail+4+2*size)
	q.availEvent = &q.used[1+2*size]
	if q.event {
		q.quiet = 0 // is to be zero then (virtio 1.2, 2.7.7.1)
	}
	q.avail.Store(q.quiet)
	at := Ring{Size: size, Desc: phys, Avail: phys + uint64(avail), Used: phys + uint64(used)}
	if err := d.SetQueue(number, at); err != nil {
		return nil, fmt.Errorf("%s: queue %d: %w", d.Name(), number, err)
	}
	return q, nil
}

// word returns the 32 bits at off, which is a multiple of 4.
func word(mem []byte, off int) *atomic.Uint32 {
	_ = mem[off+3]
	return (*atomic.Uint32)(unsafe.Pointer(&mem[off]))
}
