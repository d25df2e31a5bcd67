package kernel

// The PCI bus (PCI Local Bus 3.0, 6; PCI Express Base 4.0, 7): the scan for virtio
// devices, and access to configuration, through memory where a table said where it
// is, else through the two ports.

// Registers of a function's configuration.
const (
	pciVendor     = 0x00
	pciDevice     = 0x02
	pciCommand    = 0x04
	pciStatus     = 0x06
	pciClass      = 0x0a // subclass, and above it the class
	pciHeader     = 0x0e
	pciBAR        = 0x10
	pciSecondary  = 0x19 // of a bridge
	pciSubsystem  = 0x2e
	pciCapability = 0x34

	pciMemory    = 1 << 1 // of command: answers at its addresses
	pciMaster    = 1 << 2 // reaches memory by itself
	pciNoPins    = 1 << 10
	pciHasList   = 1 << 4 // of status
	pciManyFuncs = 1 << 7 // of header
	pciNone      = 0xffff // a vendor
	pciBridge    = 0x06<<8 | 4
	pciAddress   = 0xcf8
	pciData      = 0xcfc
)

// A function is where one function of a PCI device is configured: mapped memory
// or, if that is 0, an address for the ports.
type function struct {
	memory uintptr
	port   uint32
	place  uintptr // as in Device
}

func (f function) read8(reg uint32) uint8 {
	if f.memory != 0 {
		return load8(f.memory + uintptr(reg))
	}
	outl(pciAddress, f.port|reg&^3)
	return inb(uint16(pciData + reg&3))
}

func (f function) read16(reg uint32) uint16 {
	if f.memory != 0 {
		return load16(f.memory + uintptr(reg))
	}
	outl(pciAddress, f.port|reg&^3)
	return inw(uint16(pciData + reg&2))
}

func (f function) read32(reg uint32) uint32 {
	if f.memory != 0 {
		return load32(f.memory + uintptr(reg))
	}
	outl(pciAddress, f.port|reg)
	return inl(pciData)
}

func (f function) write16(reg uint32, v uint16) {
	if f.memory != 0 {
		store16(f.memory+uintptr(reg), v)
		return
	}
	outl(pciAddress, f.port|reg&^3)
	outw(uint16(pciData+reg&2), v)
}

func (f function) write32(reg, v uint32) {
	if f.memory != 0 {
		store32(f.memory+uintptr(reg), v)
		return
	}
	outl(pciAddress, f.port|reg)
	outl(pciData, v)
}

// pciWindow is memory below 4 GiB that the host bridge has for functions that nobody
// gave addresses; what is left of it.
var pciWindow struct{ next, end uintptr }

// addHostBridge takes from a host bridge what it has to give, and where the
// configuration of the functions behind it is, if the fixed table did not say.
func addHostBridge(o *amlObject) {
	if r := readResources(o.crs, o.size); r.window != 0 && pciWindow.end == 0 {
		pciWindow.next, pciWindow.end = r.window, r.end
	}
	if o.cba != 0 && ecamCount == 0 {
		addECAM(ecam{base: uintptr(o.cba), segment: uint32(o.segment), last: 255})
	}
}

// scanPCI adds the virtio devices of every bus.
func scanPCI() {
	for i := range ecamCount {
		scanSegment(&ecams[i])
	}
	if ecamCount == 0 {
		scanSegment(&ecam{last: 255})
	}
}

// A busSet is the buses of a segment that are still to be scanned, or have been.
type busSet [4]uint64

func (s *busSet) add(bus uint32) bool {
	word, bit := &s[bus>>6&3], uint64(1)<<(bus&63)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// scanSegment scans the first bus of a segment, and those behind bridges, each once.
func scanSegment(e *ecam) {
	var seen busSet
	var queue [256]uint8
	queue[0] = uint8(e.first)
	seen.add(e.first)
	for i, n := 0, 1; i < n; i++ {
		bus := uint32(queue[i])
		memory := uintptr(0)
		if e.base != 0 {
			if memory = mapped(e.base+uintptr(bus)<<20, 1<<20); memory == 0 {
				continue
			}
		}
		for device := range uint32(32) {
			count := uint32(1)
			for number := uint32(0); number < count; number++ {
				f := functionAt(e, memory, bus, device<<3|number)
				if f.read16(pciVendor) == pciNone {
					continue
				}
				header := f.read8(pciHeader)
				if number == 0 && header&pciManyFuncs != 0 {
					count = 8
				}
				if f.read16(pciClass) != pciBridge || header&0x7f != 1 {
					addPCI(f)
					continue
				}
				behind := uint32(f.read8(pciSecondary))
				switch {
				case behind == 0:
					kputs("cairn: kernel: nobody set up a PCI bridge; what is behind it is not seen\n")
				case behind > e.first && behind <= e.last && seen.add(behind):
					queue[n] = uint8(behind)
					n++
				}
			}
		}
	}
}

// functionAt is the function of number devfn of a bus, whose configuration is at
// memory or, if that is 0, reached through the ports.
func functionAt(e *ecam, memory uintptr, bus, devfn uint32) function {
	f := function{place: uintptr(e.segment)<<16 | uintptr(bus<<8|devfn)}
	if memory != 0 {
		f.memory = memory + uintptr(devfn)<<12
	} else {
		f.port = 1<<31 | bus<<16 | devfn<<8
	}
	return f
}
