package kernel

// The power button. A machine with the fixed registers of ACPI has a bit for it
// among their events (ACPI 6.5, 4.8.4.1); one without has a Generic Event Device
// (5.6.9), an interrupt and some byte code that reads one register and notifies
// the button for one bit of it.

// events is the Generic Event Device.
var events struct {
	interrupt  bool // it has a pin,
	pin        uint32
	level, low bool
	address    uintptr // a register that says, when read, what has happened since,
	width      uint64  // of so many bytes,
	mask       uint32  // and this bit of it is the button
}

const namePWRB = 'P' | 'W'<<8 | 'R'<<16 | 'B'<<24

// readNotify finds the bit of the power button. Where a is Notify(PWRB, …), or
// Notify(\_SB.PWRB, …), it stands in If(LEqual(…, bit)), so the bit is just before.
func readNotify(a, limit uintptr) {
	name := a + 1
	if limit-name >= 10 && *p8(name) == '\\' && *p8(name + 1) == 0x2e {
		name += 6
	}
	if limit-name < 4 || *p32(name) != namePWRB || events.mask != 0 {
		return
	}
	switch {
	case *p8(a - 2) == amlByte:
		events.mask = uint32(*p8(a - 1))
	case *p8(a - 1) == 1:
		events.mask = 1
	}
}

// addEventRegion takes the register of a device that may be the event device's.
func addEventRegion(o *amlObject) {
	if events.address == 0 && o.region != 0 && (o.width == 1 || o.width == 4) {
		events.address, events.width = uintptr(o.region), o.width
	}
}

// Bits of the fixed registers.
const (
	pm1Button  = 1 << 8 // of status and enable
	pm1Enabled = 1 << 0 // of control: ACPI is on
)

// buttonPin turns the power button on and says at which pin it is heard; false if
// there is none.
func buttonPin() (pin uint32, level, low, ok bool) {
	if events.interrupt && events.mask != 0 && mapped(events.address, 4) != 0 {
		buttonPressed()
		return events.pin, events.level, events.low, true
	}
	if !fadt.button {
		return 0, false, false, false
	}
	control := uint16(fadt.pm1aControl)
	if inw(control)&pm1Enabled == 0 && fadt.smiCommand != 0 {
		outb(uint16(fadt.smiCommand), fadt.enable)
		for i := 0; i < 1e6 && inw(control)&pm1Enabled == 0; i++ {
			pause()
		}
	}
	status := uint16(fadt.pm1Event)
	outw(status, pm1Button)
	outw(status+uint16(fadt.pm1EventLen/2), pm1Button)
	pin, level, low = fadt.sci, true, true // what it is unless the tables say else
	if pin < uint32(len(overrides)) && overrides[pin].given {
		pin, level, low = isaPin(pin)
	}
	return pin, level, low, true
}

// buttonPressed takes note of what the machine's events are, and reports whether the
// power button is among them.
func buttonPressed() bool {
	if events.mask != 0 {
		a := mapped(events.address, 4)
		if events.width == 1 {
			return uint32(load8(a))&events.mask != 0
		}
		return load32(a)&events.mask != 0
	}
	status := uint16(fadt.pm1Event)
	if inw(status)&pm1Button == 0 {
		return false
	}
	outw(status, pm1Button)
	return true
}
