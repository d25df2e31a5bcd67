package kernel

// Interrupts of devices. Each that somebody opened is a source with a vector of
// its own and a descriptor, which becomes readable when it fires. There are three
// kinds: a pin of an I/O APIC, a message (MSI-X), and the power button, which is a
// pin too.
//
// The pin of a virtio device is served as one that is edge-triggered even where tables
// say level: level would want it masked until a goroutine has spoken to the device, which
// is two more accesses for each interrupt. It is safe because whoever waits
// acknowledges so that the pin has fallen once (virtio.MMIO), and then looks at the queues.

const (
	sourceFree = iota
	sourcePin
	sourceMessage
	sourceButton
)

type source struct {
	kind    uint32
	fd      uint32
	gsi     uint32
	bits    uint32 // of the redirection entry, its vector included
	strange uint32 // how often the button's pin fired for something else
}

const (
	vectorDevice = 32 // of sources[0]
	maxStrange   = 1000
)

// sources have the vectors from vectorDevice to the timer's.
var sources [vectorTimer - vectorDevice]source

// Bits of a redirection entry.
const (
	pinLow    = 1 << 13
	pinLevel  = 1 << 15
	pinMasked = 1 << 16
)

// ioapicInit maps the I/O APICs, masks all their pins and has them lead to this
// processor. Where no table told of one, there is one where they have always been.
func ioapicInit() {
	if ioapicCount == 0 {
		addIOAPIC(0xfec00000, 0)
	}
	for i := range ioapicCount {
		io := &ioapics[i]
		io.base = mapped(io.base, 0x20)
		io.pins = io.read(1)>>16&0xff + 1
		for pin := range io.pins {
			io.write(0x10+2*pin, pinMasked)
			io.write(0x11+2*pin, processor()<<24)
		}
	}
}

// processor is the number by which interrupts find this processor.
func processor() uint32 {
	_, b, _, _ := cpuid(1, 0)
	return b >> 24
}

// selectRegister says which register the other one of the two in memory is.
func (io *ioapic) selectRegister(reg uint32) {
	if io.selected != reg+1 {
		io.selected = reg + 1
		store32(io.base, reg)
	}
}

func (io *ioapic) read(reg uint32) uint32 {
	io.selectRegister(reg)
	return load32(io.base + 0x10)
}

func (io *ioapic) write(reg, v uint32) {
	io.selectRegister(reg)
	store32(io.base+0x10, v)
}

// pinSet writes the lower half of a pin's redirection entry. false: there is no such
// pin.
func pinSet(gsi, bits uint32) bool {
	for i := range ioapicCount {
		if io := &ioapics[i]; gsi >= io.gsi && gsi-io.gsi < io.pins {
			io.write(0x10+2*(gsi-io.gsi), bits)
			return true
		}
	}
	return false
}

// deviceInterrupt serves a vector from vectorDevice on.
func deviceInterrupt(vector uint64) {
	i := vector - vectorDevice
	if i >= uint64(len(sources)) {
		eoi()
		return
	}
	s := &sources[i]
	if s.kind == sourceButton && !buttonPressed() {
		// Something else is on the same pin. If it goes on, there will be no button.
		if s.strange++; s.strange == maxStrange {
			pinSet(s.gsi, s.bits|pinMasked)
		}
		eoi()
		return
	}
	eoi()
	if s.kind != sourceFree {
		fdInterrupt(int32(s.fd))
	}
}

// interruptClose ends source i, whose descriptor is gone.
func interruptClose(i uint32) {
	s := &sources[i]
	if s.kind == sourcePin || s.kind == sourceButton {
		pinSet(s.gsi, pinMasked)
	}
	*s = source{}
}

// sourceNew takes a source that is free, and makes its descriptor.
func sourceNew(kind uint32) (i uint32, fd uintptr) {
	for i = range uint32(len(sources)) {
		if sources[i].kind != sourceFree {
			continue
		}
		if fd = fdNewInterrupt(i); !failed(fd) {
			sources[i] = source{kind: kind, fd: uint32(fd)}
		}
		return i, fd
	}
	return 0, enomem
}

// sourceOfPin makes a source of a pin.
func sourceOfPin(kind, gsi uint32, level, low bool) uintptr {
	for i := range sources {
		if s := &sources[i]; (s.kind == sourcePin || s.kind == sourceButton) && s.gsi == gsi {
			return eexist
		}
	}
	if !pinSet(gsi, pinMasked) {
		return einval
	}
	i, fd := sourceNew(kind)
	if failed(fd) {
		return fd
	}
	s := &sources[i]
	s.gsi, s.bits = gsi, vectorDevice+i
	if level {
		s.bits |= pinLevel
	}
	if low {
		s.bits |= pinLow
	}
	pinSet(gsi, s.bits)
	return fd
}

// sysInterrupt opens the interrupt of devices[n], or of the power button.
func sysInterrupt(n uintptr) uintptr {
	if n == buttonNumber {
		if pin, level, low, ok := buttonPin(); ok {
			return sourceOfPin(sourceButton, pin, level, low)
		}
		return enodev
	}
	if n >= uintptr(deviceCount) || devices[n].Bus != BusMMIO {
		return einval
	}
	d := &devices[n]
	return sourceOfPin(sourcePin, d.pin, false, d.low)
}

// sysMessage opens a message: its descriptor, its vector 16 bits further up, and
// the number of the processor that it goes to another 16.
func sysMessage() uintptr {
	i, fd := sourceNew(sourceMessage)
	if failed(fd) {
		return fd
	}
	return fd | uintptr(vectorDevice+i)<<16 | uintptr(processor())<<32
}

// sysDMA returns the physical address of n contiguous pages.
func sysDMA(n uintptr) uintptr {
	if n == 0 || n > maxDMA/pageSize {
		return einval
	}
	if p := frameContig(n); p != 0 {
		return p
	}
	return enomem
}
