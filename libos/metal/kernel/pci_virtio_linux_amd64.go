package kernel

// A virtio device on PCI (virtio 1.2, 4.1): its structures are in memory that BARs
// map, where capabilities say. Only the modern interface with MSI-X is used; all
// monitors have it.

const (
	virtioVendor = 0x1af4
	virtioFirst  = 0x1000 // transitional devices: the kind is in the subsystem
	virtioModern = 0x1040 // modern ones: the kind is the difference
	virtioLast   = 0x107f

	capVendor  = 0x09
	capMSIX    = 0x11
	maxCaps    = 48 // that a function's configuration has room for
	firstCap   = 0x40
	msixEnable = 1 << 15 // of message control
	msixMask   = 1 << 14 // all messages

	// Kinds of structures.
	virtioCommon = 1
	virtioNotify = 2
	virtioDevice = 4
	commonSize   = 0x38
)

// addPCI adds the function f if it is a virtio device.
func addPCI(f function) {
	id := f.read16(pciDevice)
	if f.read16(pciVendor) != virtioVendor || id < virtioFirst || id > virtioLast {
		return
	}
	d := addDevice()
	if d == nil {
		return
	}
	*d = Device{Kind: uint32(id) - virtioModern, Bus: BusPCI, Place: f.place}
	if id < virtioModern {
		d.Kind = uint32(f.read16(pciSubsystem))
	}
	var bars [6]Window
	if !placeBARs(f, &bars) {
		d.Problem = ProblemUnplaced
		return
	}
	d.describe(f, &bars)
}

// describe fills in what the capabilities of f say of d, and turns messages on, each of
// them masked.
func (d *Device) describe(f function, bars *[6]Window) {
	msix := readCapabilities(f, d, bars)
	switch {
	case d.Common.Size < commonSize || d.Notify.Size < 2:
		d.Problem = ProblemWindows
		return
	case msix == 0:
		d.Problem = ProblemMessages
		return
	}
	for i := uintptr(0); i < d.Vectors.Size; i += 16 {
		store32(d.Vectors.Address+i+12, 1)
	}
	f.write16(msix, f.read16(msix)&^msixMask|msixEnable)
}

// readCapabilities walks the list of capabilities of f and fills in the structures of
// d. It returns where the control register of MSI-X is; 0 if there is none to use.
func readCapabilities(f function, d *Device, bars *[6]Window) (msix uint32) {
	if f.read16(pciStatus)&pciHasList == 0 {
		return 0
	}
	at := uint32(f.read8(pciCapability)) &^ 3
	for i := 0; i < maxCaps && at >= firstCap; i++ {
		switch f.read8(at) {
		case capVendor:
			w := inBAR(bars, uint32(f.read8(at+4)), f.read32(at+8), f.read32(at+12))
			switch kind := f.read8(at + 3); {
			case w.Size == 0:
			case kind == virtioCommon && d.Common.Size == 0:
				d.Common = w
			case kind == virtioNotify && d.Notify.Size == 0:
				d.Notify, d.NotifyStep = w, f.read32(at+16)
			case kind == virtioDevice && d.Config.Size == 0:
				d.Config = w
			}
		case capMSIX:
			count := uint32(f.read16(at+2)&0x7ff) + 1
			table := f.read32(at + 4)
			if w := inBAR(bars, table&7, table&^7, 16*count); w.Size != 0 {
				d.Vectors, msix = w, at+2
			}
		}
		at = uint32(f.read8(at+1)) &^ 3
	}
	return msix
}

// inBAR is n bytes at offset of a BAR, or nothing if they are not within it.
func inBAR(bars *[6]Window, bar, offset, n uint32) Window {
	if bar >= uint32(len(bars)) {
		return Window{}
	}
	b := bars[bar]
	if uintptr(n) > b.Size || uintptr(offset) > b.Size-uintptr(n) {
		return Window{}
	}
	return Window{b.Address + uintptr(offset), uintptr(n)}
}

const maxBAR = 16 << 20 // bytes that are mapped of one

// placeBARs maps the memory of f, places what nobody has, and turns f on. false:
// something is without a place, and there is none to give it.
func placeBARs(f function, bars *[6]Window) bool {
	command := f.read16(pciCommand)
	f.write16(pciCommand, command&^pciMemory)
	for i := uint32(0); i < uint32(len(bars)); i++ {
		reg := pciBAR + 4*i
		low := f.read32(reg)
		if low&1 != 0 {
			continue // ports
		}
		wide := low>>1&3 == 2 && i < 5
		place, size := uintptr(low&^15), barSize(f, reg, wide)
		if wide {
			place |= uintptr(f.read32(reg+4)) << 32
		}
		if size == 0 {
			continue
		}
		if place == 0 {
			if place = giveBAR(size); place == 0 {
				return false
			}
			f.write32(reg, uint32(place))
			if wide {
				f.write32(reg+4, uint32(place>>32))
			}
		}
		if size <= maxBAR {
			if a := mapped(place, size); a != 0 {
				bars[i] = Window{a, size}
			}
		}
		if wide {
			i++
		}
	}
	f.write16(pciCommand, command|pciMemory|pciMaster|pciNoPins)
	return true
}

// barSize finds the size of a BAR; 0 if it is not used.
func barSize(f function, reg uint32, wide bool) uintptr {
	mask := uint64(probe(f, reg) &^ 15)
	if wide {
		mask |= uint64(probe(f, reg+4)) << 32
	}
	return uintptr(mask & -mask) // the lowest bit that could be set
}

// probe returns which bits of a register can be set.
func probe(f function, reg uint32) uint32 {
	was := f.read32(reg)
	f.write32(reg, 0xffffffff)
	can := f.read32(reg)
	f.write32(reg, was)
	return can
}

// giveBAR takes size bytes of the host bridge's memory; 0: there are none. Monitors
// that give no addresses give them to no function, so nothing else lies there.
func giveBAR(size uintptr) uintptr {
	p := (max(pciWindow.next, 1<<12) + size - 1) &^ (size - 1)
	if size > 1<<30 || p >= pciWindow.end || size > pciWindow.end-p {
		return 0
	}
	pciWindow.next = p + size
	return p
}
