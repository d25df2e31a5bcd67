package kernel

// Fixed tables: interrupt controllers (MADT, ACPI 6.5, 5.2.12), the machine's
// fixed registers (FADT, 5.2.9), and memory-mapped PCI configuration (MCFG, PCI
// Firmware 3.3, 4.1.2).

var lapicPhys uintptr = 0xfee00000 // physical address of the local APIC

// An ioapic is an I/O APIC: pins gsi to gsi+pins-1 of the machine.
type ioapic struct {
	base      uintptr // mapped
	gsi, pins uint32
	selected  uint32 // the register that was spoken to last, and one
}

var (
	ioapics     [8]ioapic
	ioapicCount int
)

// An override says that an ISA interrupt is at another pin than that of its number,
// or is level-triggered or active low.
var overrides [16]struct {
	given      bool
	gsi        uint32
	level, low bool
}

func readMADT(a, n uintptr) {
	if n < 44 {
		return
	}
	lapicPhys = uintptr(*p32(a + 36))
	for i := uintptr(44); i+2 <= n; {
		e, size := a+i, uintptr(*p8(a + i + 1))
		if size < 2 || size > n-i {
			return
		}
		switch {
		case *p8(e) == 1 && size >= 12:
			addIOAPIC(uintptr(*p32(e + 4)), *p32(e + 8))
		case *p8(e) == 2 && size >= 10 && *p8(e + 3) < 16:
			o := &overrides[*p8(e + 3)]
			flags := *p16(e + 8)
			o.given, o.gsi = true, *p32(e + 4)
			o.low, o.level = flags&3 == 3, flags>>2&3 == 3
		case *p8(e) == 5 && size >= 12:
			lapicPhys = uintptr(*p64(e + 4))
		}
		i += size
	}
}

func addIOAPIC(phys uintptr, gsi uint32) {
	if ioapicCount == len(ioapics) || phys == 0 {
		return
	}
	ioapics[ioapicCount] = ioapic{base: phys, gsi: gsi}
	ioapicCount++
}

// A register of ACPI is a port or a place in memory (a Generic Address
// Structure); address 0 where there is none.
type register struct {
	memory  bool
	address uintptr
}

// write8 writes a byte to r, if it is there.
func (r register) write8(v uint8) {
	switch {
	case r.address == 0:
	case r.memory:
		if a := mapped(r.address, 1); a != 0 {
			*p8(a) = v
		}
	default:
		outb(uint16(r.address), v)
	}
}

// registerAt reads the Generic Address Structure at a. Spaces other than memory and
// ports are none.
func registerAt(a uintptr) register {
	space, address := *p8(a), uintptr(*p64(a + 4))
	switch {
	case space == 0 && address != 0:
		return register{true, address}
	case space == 1 && address < 1<<16:
		return register{false, address}
	}
	return register{}
}

// fadt is what is known of the machine's fixed registers; a port that is 0 is
// not there.
var fadt struct {
	pm1Event             uint32 // ports: status, and enable after it
	pm1EventLen          uint32
	pm1aControl          uint32
	pm1bControl          uint32
	smiCommand           uint32
	enable               uint8 // written to smiCommand, it turns ACPI on
	sci                  uint32
	button               bool     // there is a fixed power button
	sleep                register // of a machine without the fixed ones
	century              uint8    // index of the clock's century; 0: none
	soft                 bool     // there is a soft-off state,
	softTypeA, softTypeB uint8    // and these are its numbers
}

const (
	flagPowerButton = 1 << 4 // set: the power button is not a fixed one
	flagReduced     = 1 << 20
)

func readFADT(a, n uintptr) {
	if n < 116 {
		return
	}
	f, flags := &fadt, *p32(a + 112)
	if flags&flagReduced == 0 {
		f.pm1Event, f.pm1EventLen = port(*p32(a + 56)), uint32(*p8(a + 88))
		f.pm1aControl, f.pm1bControl = port(*p32(a + 64)), port(*p32(a + 68))
		f.smiCommand, f.enable = port(*p32(a + 48)), *p8(a + 52)
		f.sci = uint32(*p16(a + 46))
		f.button = flags&flagPowerButton == 0 && f.pm1Event != 0 && f.pm1EventLen >= 4 && f.pm1aControl != 0
	}
	f.century = *p8(a + 108)
	if n >= 256 && flags&flagReduced != 0 {
		f.sleep = registerAt(a + 244)
		if f.sleep.memory {
			mapped(f.sleep.address, 1) // now, while there is memory for page tables
		}
	}
}

// port is v if it can be one of the processor's ports, or 0.
func port(v uint32) uint32 {
	if v >= 1<<16 {
		return 0
	}
	return v
}

// An ecam is a stretch of memory that is PCI configuration: 1 MiB per bus.
type ecam struct {
	base        uintptr // physical, of bus 0 whether or not that is in it
	segment     uint32
	first, last uint32 // buses
}

var (
	ecams     [4]ecam
	ecamCount int
)

func readMCFG(a, n uintptr) {
	for i := uintptr(44); i+16 <= n; i += 16 {
		e := a + i
		addECAM(ecam{uintptr(*p64(e)), uint32(*p16(e + 8)), uint32(*p8(e + 10)), uint32(*p8(e + 11))})
	}
}

func addECAM(e ecam) {
	if ecamCount == len(ecams) || e.base == 0 || e.base&(1<<20-1) != 0 || e.last < e.first {
		return
	}
	ecams[ecamCount] = e
	ecamCount++
}
