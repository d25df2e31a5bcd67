package kernel

// The kernel itself drives a virtio device where it cannot wait for the program
// to: for random numbers before there is a program, and for a console where there
// is no serial port. It does so without interrupts, one buffer at a time.

// A polled is one queue of a device, with two descriptors, of which one is used.
type polled struct {
	memory uintptr // physical: descriptors and available ring, used ring, the buffer; a page each
	notify uintptr // register that tells the device of news,
	value  uint32  // by writing this
	wide   bool    // as 32 bits instead of 16
	count  uint16  // buffers given so far
	broken bool
}

const (
	polledSize   = 2
	polledMemory = 3 * pageSize
	polledBuffer = pageSize // bytes at a time
	polledTicks  = 1 << 34  // of the processor's clock, some seconds: who is silent for so long is dead

	descWrite   = 2 // the device writes
	noInterrupt = 1
)

// Status of a device (virtio 1.2, 2.1).
const (
	statusSeen     = 1
	statusDriver   = 2
	statusReady    = 4
	statusAccepted = 8
)

// open starts device d with its queue q and no features but Version 1.
func (p *polled) open(d *Device, q uint32) bool {
	if p.memory == 0 {
		p.memory = frameContig(polledMemory / pageSize)
	}
	if p.memory == 0 || d.Problem != 0 && d.Problem != ProblemMessages {
		return false
	}
	*p16(direct + p.memory + 16*polledSize) = noInterrupt
	if d.Bus == BusPCI {
		return p.openPCI(d, q)
	}
	return p.openMMIO(d.Registers.Address, q)
}

func (p *polled) openMMIO(r uintptr, q uint32) bool {
	const (
		featureSelect, feature                           = 0x24, 0x20
		pageBytes, queueSelect, queueMax                 = 0x28, 0x30, 0x34
		queueSize, queueAlign, queuePage, queueOn        = 0x38, 0x3c, 0x40, 0x44
		queueNotify, status                              = 0x50, 0x70
		queueDescriptors, queueAvailable, queueUsedThere = 0x80, 0x90, 0xa0
	)
	legacy := load32(r+mmioVersion) == 1
	store32(r+status, 0)
	store32(r+status, statusSeen|statusDriver)
	store32(r+featureSelect, 0)
	store32(r+feature, 0)
	ready := uint32(statusSeen | statusDriver | statusReady)
	if legacy {
		store32(r+pageBytes, pageSize)
	} else {
		store32(r+featureSelect, 1)
		store32(r+feature, 1)
		store32(r+status, statusSeen|statusDriver|statusAccepted)
		if load32(r+status)&statusAccepted == 0 {
			return false
		}
		ready |= statusAccepted
	}
	store32(r+queueSelect, q)
	if load32(r+queueMax) < polledSize {
		return false
	}
	store32(r+queueSize, polledSize)
	if legacy {
		store32(r+queueAlign, pageSize)
		store32(r+queuePage, uint32(p.memory/pageSize))
	} else {
		store32(r+queueDescriptors, uint32(p.memory))
		store32(r+queueDescriptors+4, uint32(p.memory>>32))
		store32(r+queueAvailable, uint32(p.memory+16*polledSize))
		store32(r+queueAvailable+4, uint32(p.memory>>32))
		store32(r+queueUsedThere, uint32(p.memory+pageSize))
		store32(r+queueUsedThere+4, uint32((p.memory+pageSize)>>32))
		store32(r+queueOn, 1)
	}
	store32(r+status, ready)
	p.notify, p.value, p.wide = r+queueNotify, q, true
	return true
}

func (p *polled) openPCI(d *Device, q uint32) bool {
	const (
		featureSelect, feature, status                   = 0x08, 0x0c, 0x14
		queueSelect, queueSize, queueOn, queueOffset     = 0x16, 0x18, 0x1c, 0x1e
		queueDescriptors, queueAvailable, queueUsedThere = 0x20, 0x28, 0x30
	)
	r := d.Common.Address
	store8(r+status, 0)
	for i := 0; load8(r+status) != 0; i++ {
		if i == 1e6 {
			return false
		}
	}
	store8(r+status, statusSeen|statusDriver)
	store32(r+featureSelect, 0)
	store32(r+feature, 0)
	store32(r+featureSelect, 1)
	store32(r+feature, 1)
	store8(r+status, statusSeen|statusDriver|statusAccepted)
	if load8(r+status)&statusAccepted == 0 {
		return false
	}
	store16(r+queueSelect, uint16(q))
	if load16(r+queueSize) < polledSize {
		return false
	}
	store16(r+queueSize, polledSize)
	for i, a := range [...]uintptr{p.memory, p.memory + 16*polledSize, p.memory + pageSize} {
		store32(r+queueDescriptors+8*uintptr(i), uint32(a))
		store32(r+queueDescriptors+8*uintptr(i)+4, uint32(a>>32))
	}
	offset := uintptr(load16(r+queueOffset)) * uintptr(d.NotifyStep)
	if offset > d.Notify.Size-2 {
		return false
	}
	store16(r+queueOn, 1)
	store8(r+status, statusSeen|statusDriver|statusAccepted|statusReady)
	p.notify, p.value = d.Notify.Address+offset, q
	return true
}

// give hands the device the first n bytes of the buffer, to fill if write, and waits
// until it is done with them. It returns how many the device says it wrote; false if
// it answers nonsense or not at all, which is the end of it.
func (p *polled) give(n uint32, flags uint32) (written uint32, ok bool) {
	if p.broken || p.memory == 0 {
		return 0, false
	}
	ring := direct + p.memory
	available, used := ring+16*polledSize, ring+pageSize
	*p64(ring) = uint64(p.memory + 2*pageSize)
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

var rng struct {
	polled
	tried, open bool
}

const kindEntropy = 4

// earlyRandom fills n bytes at a with random numbers of the monitor's; false if it
// has none to give.
func earlyRandom(a, n uintptr) bool {
	if !rng.tried {
		rng.tried = true
		for i := 0; i < deviceCount && !rng.open; i++ {
			rng.open = devices[i].Kind == kindEntropy && rng.polled.open(&devices[i], 0)
		}
	}
	buffer := direct + rng.memory + 2*pageSize
	for n > 0 {
		if !rng.open {
			return false
		}
		written, ok := rng.give(uint32(min(n, polledBuffer)), descWrite)
		if !ok || written == 0 {
			return false
		}
		copymem(a, buffer, uintptr(written))
		zero(buffer, uintptr(written))
		a, n = a+uintptr(written), n-uintptr(written)
	}
	return true
}
