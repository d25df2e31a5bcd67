package kernel

// What the machine consists of, found once at boot from ACPI's tables, from the
// words that monitors without them put on the command line, and on the PCI bus.
// Nothing here allocates; what exceeds the arrays is not there.

// How a device is reached.
const (
	BusMMIO = 1 + iota
	BusPCI
)

// A Device is a virtio device. Addresses are mapped ones. It does not change.
type Device struct {
	Kind  uint32 // virtio 1.2, 5
	Bus   uint32
	Place uintptr // MMIO: physical address; PCI: segment<<16 | bus<<8 | device<<3 | function

	Registers Window // MMIO
	pin       uint32
	low       bool // the pin is active low

	Common, Notify, Config Window // PCI: structures of virtio 1.2, 4.1.4
	NotifyStep             uint32
	Vectors                Window // MSI-X table, 16 bytes each
	Problem                uint32 // why it cannot be used; 0: it can
}

// Problems.
const (
	ProblemVersion  = 1 + iota // the transport's version is unknown
	ProblemWindows             // structures of it are absent, or lie where nothing is
	ProblemUnplaced            // nobody gave it addresses, and there are none to give
	ProblemMessages            // it has no message-signalled interrupts
)

// A Window is memory of a device.
type Window struct{ Address, Size uintptr }

var (
	devices     [32]Device
	deviceCount int
	missed      bool // there were more
)

// discover fills in what the machine consists of. It runs once, before there is a
// clock and before interrupts are on.
func discover() {
	if p := findRoot(rsdp); p != 0 {
		readTables(p)
	}
	readDeviceWords(&commandLine, commandLineLen)
	ioapicInit()
	scanPCI()
	spareInit()
}

// addDevice returns the next free device to fill in; nil if there is none.
func addDevice() *Device {
	if deviceCount == len(devices) {
		missed = true
		return nil
	}
	d := &devices[deviceCount]
	deviceCount++
	return d
}

// Registers of the memory-mapped transport (virtio 1.2, 4.2.2).
const (
	mmioMagic   = 0x74726976 // "virt"
	mmioVersion = 0x04
	mmioKind    = 0x08
	mmioConfig  = 0x100
)

// addMMIO adds the device whose n bytes of registers are at physical address p,
// unless it is known already or there is none.
func addMMIO(p, n uintptr, pin uint32, low bool) {
	if n < mmioConfig || n > 1<<20 {
		return
	}
	for i := range deviceCount {
		if devices[i].Bus == BusMMIO && devices[i].Place == p {
			return
		}
	}
	a := mapped(p, n)
	if a == 0 || load32(a) != mmioMagic || load32(a+mmioKind) == 0 {
		return
	}
	if d := addDevice(); d != nil {
		*d = Device{Kind: load32(a + mmioKind), Bus: BusMMIO, Place: p,
			Registers: Window{a, n}, pin: pin, low: low}
		if v := load32(a + mmioVersion); v != 1 && v != 2 {
			d.Problem = ProblemVersion
		}
	}
}

// addACPI adds the device that byte code declares.
func addACPI(o *amlObject) {
	if r := readResources(o.crs, o.size); r.memory != 0 && r.interrupt {
		addMMIO(r.memory, r.size, r.pin, r.low)
	}
}

const deviceWord = "virtio_mmio.device="

// readDeviceWords adds the devices of the words virtio_mmio.device=SIZE@ADDRESS:IRQ,
// an identifier after another colon maybe, of n bytes of text.
func readDeviceWords(line *[4096]byte, n int) {
	for i := 0; i+len(deviceWord) < n; i++ {
		if i > 0 && line[i-1] > ' ' || !wordAt(line, i) {
			continue
		}
		at := i + len(deviceWord)
		size, at := readNumber(line, n, at)
		if at < n {
			if shift := sizeShift(line[at]); shift != 0 {
				size, at = size<<shift, at+1
			}
		}
		if at >= n || line[at] != '@' {
			continue
		}
		address, at := readNumber(line, n, at+1)
		if at >= n || line[at] != ':' {
			continue
		}
		irq, end := readNumber(line, n, at+1)
		if end == at+1 || irq > 1<<16 {
			continue
		}
		pin, _, low := isaPin(uint32(irq))
		addMMIO(uintptr(address), uintptr(size), pin, low)
	}
}

// wordAt reports whether deviceWord stands at i, which leaves room for it.
func wordAt(line *[4096]byte, i int) bool {
	for k := range len(deviceWord) {
		if line[i+k] != deviceWord[k] {
			return false
		}
	}
	return true
}

func sizeShift(c byte) uint {
	switch c {
	case 'K', 'k':
		return 10
	case 'M', 'm':
		return 20
	}
	return 0
}

// readNumber reads a decimal number, or one of base 16 after 0x, and says where it
// ends.
func readNumber(line *[4096]byte, n, at int) (v uint64, end int) {
	base := uint64(10)
	if at+1 < n && line[at] == '0' && line[at+1]|0x20 == 'x' {
		base, at = 16, at+2
	}
	for ; at < n; at++ {
		digit := uint64(line[at]) - '0'
		if digit > 9 {
			digit = uint64(line[at]|0x20) - 'a' + 10
			if digit < 10 {
				break
			}
		}
		if digit >= base {
			break
		}
		v = v*base + digit
	}
	return v, at
}

// load8, load16 and load32 read a register of a device, always and once; the
// others write one. (A call is what keeps the compiler from doing otherwise.)
//
//go:noinline
func load8(a uintptr) uint8 { return *p8(a) }

//go:noinline
func load16(a uintptr) uint16 { return *p16(a) }

//go:noinline
func load32(a uintptr) uint32 { return *p32(a) }

//go:noinline
func store8(a uintptr, v uint8) { *p8(a) = v }

//go:noinline
func store16(a uintptr, v uint16) { *p16(a) = v }

//go:noinline
func store32(a uintptr, v uint32) { *p32(a) = v }
