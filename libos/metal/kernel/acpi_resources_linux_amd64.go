package kernel

// What a device in the byte code occupies is a list of resource descriptors (ACPI
// 6.5, 6.4): small ones have their length in the first byte, large ones in the
// next two.

const (
	resourceIRQ      = 4 << 3 // small
	resourceEnd      = 15 << 3
	resourceMemory32 = 0x85 // large
	resourceFixed32  = 0x86
	resourceDWord    = 0x87
	resourceWord     = 0x88
	resourceIRQs     = 0x89
	resourceQWord    = 0x8a
)

// resources are what a list of descriptors comes to: the first stretch of memory,
// the first interrupt, and, for a bridge, the stretch of memory below 4 GiB that is
// its to give away.
type resources struct {
	memory, size uintptr
	pin          uint32
	level, low   bool
	interrupt    bool // there is one
	window, end  uintptr
}

// readResources reads n bytes of descriptors at a.
func readResources(a, n uintptr) (r resources) {
	for i := uintptr(0); i < n; {
		d, tag := a+i, *p8(a + i)
		head, size := uintptr(1), uintptr(tag&7)
		if tag >= 0x80 {
			if n-i < 3 {
				return r
			}
			head, size = 3, uintptr(*p16(d + 1))
		}
		if size > n-i-head {
			return r
		}
		if tag < 0x80 {
			tag &^= 7
		}
		if tag == resourceEnd {
			return r
		}
		r.read(tag, d+head, size)
		i += head + size
	}
	return r
}

// read reads the descriptor whose n bytes, those of its head excluded, are at a.
func (r *resources) read(tag uint8, a, n uintptr) {
	switch {
	case tag == resourceFixed32 && n >= 9:
		r.addMemory(uintptr(*p32(a + 1)), uintptr(*p32(a + 5)), false)
	case tag == resourceMemory32 && n >= 17:
		r.addMemory(uintptr(*p32(a + 1)), uintptr(*p32(a + 13)), false)
	case tag == resourceDWord && n >= 23 && *p8(a) == 0:
		r.addMemory(uintptr(*p32(a + 7)), uintptr(*p32(a + 19)), *p8(a + 1)&1 == 0)
	case tag == resourceQWord && n >= 43 && *p8(a) == 0:
		r.addMemory(uintptr(*p64(a + 11)), uintptr(*p64(a + 35)), *p8(a + 1)&1 == 0)
	case tag == resourceIRQs && n >= 6 && *p8(a + 1) >= 1 && !r.interrupt:
		flags := *p8(a)
		r.interrupt, r.pin = true, *p32(a + 2)
		r.level, r.low = flags&2 == 0, flags&4 != 0
	case tag == resourceIRQ && n >= 2 && !r.interrupt:
		r.readISA(a, n)
	}
}

// readISA reads a descriptor with a mask of ISA interrupts, the lowest of which
// counts; edge-triggered and active high unless a third byte says otherwise.
func (r *resources) readISA(a, n uintptr) {
	mask := *p16(a)
	for i := uint32(0); i < 16; i++ {
		if mask>>i&1 == 0 {
			continue
		}
		r.interrupt = true
		r.pin, r.level, r.low = isaPin(i)
		if n >= 3 {
			r.level, r.low = *p8(a + 2)&1 == 0, *p8(a + 2)&8 != 0
		}
		return
	}
}

// addMemory adds n bytes at physical address p, as the device's own or, if given,
// as what a bridge hands on to those behind it.
func (r *resources) addMemory(p, n uintptr, given bool) {
	if p == 0 || n == 0 || p+n < p {
		return
	}
	if r.memory == 0 {
		r.memory, r.size = p, n
	}
	if given && p+n <= 1<<32 && p >= 1<<20 && n > r.end-r.window {
		r.window, r.end = p, p+n
	}
}

// isaPin is the pin of an ISA interrupt, and how it is driven.
func isaPin(irq uint32) (pin uint32, level, low bool) {
	if irq < uint32(len(overrides)) && overrides[irq].given {
		o := &overrides[irq]
		return o.gsi, o.level, o.low
	}
	return irq, false, false
}
