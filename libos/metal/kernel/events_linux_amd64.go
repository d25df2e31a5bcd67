package kernel

// The power button. A machine with the fixed registers of ACPI has a bit for it
// among their events (ACPI 6.5, 4.8.4.1); one without has a Generic Event Device
// (5.6.9), an interrupt and some byte code that reads one register and notifies
// the button for one bit of it. Firecracker has neither and presses Ctrl, Alt and Del on
// a keyboard (SendCtrlAltDel), which counts as the button where there is no other.

// Where the button is.
const (
	buttonEvents = 1 + iota
	buttonFixed
	buttonKeys
)

var button struct {
	kind uint32
	keys uint32 // the last four bytes of the keyboard
}

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

// buttonPin turns the power button on and says at which pin it is heard; false if
// there is none.
func buttonPin() (pin uint32, level, low, ok bool) {
	switch {
	case events.interrupt && events.mask != 0 && mapped(events.address, 4) != 0:
		button.kind = buttonEvents
		pin, level, low = events.pin, events.level, events.low
	case fadt.button:
		button.kind = buttonFixed
		pin, level, low = fixedPin()
	case inb(keyStatus) != 0xff:
		button.kind = buttonKeys
		pin, level, low = isaPin(1)
	default:
		return 0, false, false, false
	}
	buttonPressed() // what has been is not counted
	return pin, level, low, true
}

// buttonPressed takes note of what has happened, and reports whether the power button
// was pressed.
func buttonPressed() bool {
	switch button.kind {
	case buttonEvents:
		a := mapped(events.address, 4)
		if events.width == 1 {
			return uint32(load8(a))&events.mask != 0
		}
		return load32(a)&events.mask != 0
	case buttonFixed:
		return fixedPressed()
	}
	return keysPressed()
}

// Bits of the fixed registers.
const (
	pm1Button  = 1 << 8 // of status and enable
	pm1Enabled = 1 << 0 // of control: ACPI is on
)

// fixedPin turns ACPI on, and of its fixed events the button.
func fixedPin() (pin uint32, level, low bool) {
	control := uint16(fadt.pm1aControl)
	if inw(control)&pm1Enabled == 0 && fadt.smiCommand != 0 {
		outb(uint16(fadt.smiCommand), fadt.enable)
		for i := 0; i < 1e6 && inw(control)&pm1Enabled == 0; i++ {
			pause()
		}
	}
	outw(uint16(fadt.pm1Event+fadt.pm1EventLen/2), pm1Button)
	if fadt.sci < uint32(len(overrides)) && overrides[fadt.sci].given {
		return isaPin(fadt.sci)
	}
	return fadt.sci, true, true // what it is unless the tables say else
}

func fixedPressed() bool {
	status := uint16(fadt.pm1Event)
	if inw(status)&pm1Button == 0 {
		return false
	}
	outw(status, pm1Button)
	return true
}

const (
	keyData   = 0x60 // ports of the keyboard controller
	keyStatus = 0x64
	keyThere  = 1 // of status: there is a byte

	ctrlAltDel  = 0x1411e071 // what the keys send, Del being two bytes,
	ctrlAltDel1 = 0x1d38e053 // and what they do when translated to the first set of codes
)

func keysPressed() (pressed bool) {
	for i := 0; i < 100 && inb(keyStatus)&keyThere != 0; i++ {
		button.keys = button.keys<<8 | uint32(inb(keyData))
		pressed = pressed || button.keys == ctrlAltDel || button.keys == ctrlAltDel1
	}
	return pressed
}
