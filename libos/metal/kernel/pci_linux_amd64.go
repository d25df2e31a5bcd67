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

// A busQueue is the buses of a segment that are to be scanned, each once.
type busQueue struct {
	buses [256]uint8
	n     int
	seen  [4]uint64
}

func (q *busQueue) add(bus uint32) {
	word, bit := &q.seen[bus>>6&3], uint64(1)<<(bus&63)
	if *word&bit == 0 {
		*word |= bit
		q.buses[q.n] = uint8(bus)
		q.n++
	}
}

// scanSegment scans the first bus of a segment, and those behind bridges.
func scanSegment(e *ecam) {
	var q busQueue
	q.add(e.first)
	for i := 0; i < q.n; i++ {
		q.scanBus(e, uint32(q.buses[i]))
	}
}

func (q *busQueue) scanBus(e *ecam, bus uint32) {
	memory := uintptr(0)
	if e.base != 0 {
		if memory = mapped(e.base+uintptr(bus)<<20, 1<<20); memory == 0 {
			return
		}
	}
	for devfn := uint32(0); devfn < 256; devfn++ {
		f := functionAt(e, memory, bus, devfn)
		there := f.read16(pciVendor) != pciNone
		if there {
			q.scanFunction(e, f)
		}
		if devfn&7 == 0 && (!there || f.read8(pciHeader)&pciManyFuncs == 0) {
			devfn += 7 // on to the next device
		}
	}
}

// scanFunction adds f, or the bus behind it if it is a bridge.
func (q *busQueue) scanFunction(e *ecam, f function) {
	if f.read16(pciClass) != pciBridge || f.read8(pciHeader)&^pciManyFuncs != 1 {
		addPCI(f)
		return
	}
	switch behind := uint32(f.read8(pciSecondary)); {
	case behind == 0:
		kputs("cairn: kernel: nobody set up a PCI bridge; what is behind it is not seen\n")
	case behind > e.first && behind <= e.last:
		q.add(behind)
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
