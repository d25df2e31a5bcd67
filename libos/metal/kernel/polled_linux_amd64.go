package kernel

// The kernel itself drives a virtio device where it cannot wait for the program
// to: for random numbers before there is a program, and for a console where there
// is no serial port. It does so without interrupts, one buffer at a time.

// A polled is a device of which one queue is used: its last one, with two descriptors,
// of which one is used. Monitors want those before it to be there, too.
type polled struct {
	ring   uintptr // physical: descriptors and available ring, on the next page the used ring
	buffer uintptr // physical, a page
	notify uintptr // register that tells the device of news,
	value  uint32  // by writing this
	wide   bool    // as 32 bits instead of 16
	count  uint16  // buffers given so far
	broken bool
}

const (
	polledSize      = 2            // descriptors of a queue
	polledAvailable = 16 * 2       // where the available ring is, behind them
	polledUsed      = pageSize     // where the used ring is; legacy devices want it on a page
	polledQueue     = 2 * pageSize // bytes of a queue
	polledBuffer    = pageSize     // bytes at a time
	polledTicks     = 1 << 34      // of the processor's clock, some seconds: who is silent for so long is dead

	descWrite   = 2 // the device writes
	noInterrupt = 1
)

// Status of a device (virtio 1.2, 2.1). Firecracker wants them one by one.
const (
	statusSeen     = 1
	statusDriver   = 2 | statusSeen
	statusAccepted = 8 | statusDriver
	statusReady    = 4
)

// open starts device d with that many queues and no features but Version 1.
func (p *polled) open(d *Device, queues uint32) bool {
	if d.Problem != 0 && d.Problem != ProblemMessages {
		return false
	}
	memory := frameContig(uintptr(queues)*polledQueue/pageSize + 1)
	if memory == 0 {
		return false
	}
	p.value = queues - 1
	p.ring = memory + uintptr(p.value)*polledQueue
	p.buffer = memory + uintptr(queues)*polledQueue
	*p16(direct + p.ring + polledAvailable) = noInterrupt
	if d.Bus == BusPCI {
		return p.openPCI(d, memory, queues)
	}
	return p.openMMIO(d.Registers.Address, memory, queues)
}

func (p *polled) openMMIO(r, memory uintptr, queues uint32) bool {
	const (
		feature, featureSelect           = 0x20, 0x24
		pageBytes, queueSelect, queueMax = 0x28, 0x30, 0x34
		queueSize, queueAlign, queuePage = 0x38, 0x3c, 0x40
		queueOn, queueNotify, status     = 0x44, 0x50, 0x70
		queueParts, partStep             = 0x80, 0x10
	)
	legacy, accepted := load32(r+mmioVersion) == 1, uint32(statusDriver)
	store32(r+status, 0)
	store32(r+status, statusSeen)
	store32(r+status, statusDriver)
	store32(r+featureSelect, 0)
	store32(r+feature, 0)
	if legacy {
		store32(r+pageBytes, pageSize)
	} else {
		store32(r+featureSelect, 1)
		store32(r+feature, 1)
		accepted = statusAccepted
		store32(r+status, accepted)
		if load32(r+status) != accepted {
			return false
		}
	}
	for q := range queues {
		store32(r+queueSelect, q)
		if load32(r+queueMax) < polledSize {
			return false
		}
		at := memory + uintptr(q)*polledQueue
		store32(r+queueSize, polledSize)
		if legacy {
			store32(r+queueAlign, pageSize)
			store32(r+queuePage, uint32(at/pageSize))
			continue
		}
		queueAt(r+queueParts, partStep, at)
		store32(r+queueOn, 1)
	}
	store32(r+status, accepted|statusReady)
	p.notify, p.wide = r+queueNotify, true
	return true
}

func (p *polled) openPCI(d *Device, memory uintptr, queues uint32) bool {
	const (
		featureSelect, feature, status               = 0x08, 0x0c, 0x14
		queueSelect, queueSize, queueOn, queueOffset = 0x16, 0x18, 0x1c, 0x1e
		queueParts, partStep                         = 0x20, 0x08
	)
	r := d.Common.Address
	store8(r+status, 0)
	for i := 0; load8(r+status) != 0; i++ {
		if i == 1e6 {
			return false
		}
	}
	store8(r+status, statusSeen)
	store8(r+status, statusDriver)
	for word := range uint32(2) {
		store32(r+featureSelect, word)
		store32(r+feature, word) // Version 1 is the first bit of the second word
	}
	store8(r+status, statusAccepted)
	if load8(r+status) != statusAccepted {
		return false
	}
	offset := uintptr(0)
	for q := range queues {
		store16(r+queueSelect, uint16(q))
		if load16(r+queueSize) < polledSize {
			return false
		}
		store16(r+queueSize, polledSize)
		queueAt(r+queueParts, partStep, memory+uintptr(q)*polledQueue)
		offset = uintptr(load16(r+queueOffset)) * uintptr(d.NotifyStep)
		store16(r+queueOn, 1)
	}
	if offset > d.Notify.Size-2 {
		return false
	}
	store8(r+status, statusAccepted|statusReady)
	p.notify = d.Notify.Address + offset
	return true
}

// queueAt writes where the parts of the queue at physical address p are, into
// registers from r on.
func queueAt(r, step, p uintptr) {
	for _, part := range [...]uintptr{p, p + polledAvailable, p + polledUsed} {
		store32(r, uint32(part))
		store32(r+4, uint32(part>>32))
		r += step
	}
}

// give hands the device the first n bytes of the buffer, to fill if write, and waits
// until it is done with them. It returns how many the device says it wrote; false if
// it answers nonsense or not at all, which is the end of it.
func (p *polled) give(n uint32, flags uint32) (written uint32, ok bool) {
	if p.broken || p.notify == 0 {
		return 0, false
	}
	ring := direct + p.ring
	available, used := ring+polledAvailable, ring+polledUsed
	*p64(ring) = uint64(p.buffer)
	*p32(ring + 8) = n
	*p32(ring + 12) = flags
	store16(available+4+2*uintptr(p.count%polledSize), 0)
	was := p.count
	p.count++
	store16(available+2, p.count)
	if p.wide {
		store32(p.notify, p.value)
	} else {
		store16(p.notify, uint16(p.value))
	}
	for start := rdtsc(); load16(used+2) != p.count; pause() {
		if rdtsc()-start > polledTicks {
			p.broken = true
			return 0, false
		}
	}
	e := used + 4 + 8*uintptr(was%polledSize)
	written = load32(e + 4)
	if load32(e) != 0 || written > n {
		p.broken = true
		return 0, false
	}
	return written, true
}
