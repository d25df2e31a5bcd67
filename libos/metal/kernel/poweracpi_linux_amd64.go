package kernel

// softOffPauses is how long a VMM may take: some tenths of a second.
const softOffPauses = 5_000_000

// acpiOff enters soft-off (S5), if ACPI said how (ACPI 6.5, 4.8.3.2.1 and 4.8.3.7).
// It returns if that does not end the machine.
func acpiOff() {
	const sleepEnable, sleepTypeShift = 1 << 13, 10          // of the fixed registers
	const reducedEnable, reducedTypeShift = uint8(1) << 5, 2 // of the sleep control register
	if !fadt.soft {
		return
	}
	if fadt.pm1aControl != 0 {
		outw(uint16(fadt.pm1aControl), uint16(fadt.softTypeA)<<sleepTypeShift|sleepEnable)
	}
	if fadt.pm1bControl != 0 {
		outw(uint16(fadt.pm1bControl), uint16(fadt.softTypeB)<<sleepTypeShift|sleepEnable)
	}
	if fadt.sleep.address != 0 {
		fadt.sleep.write8(fadt.softTypeA<<reducedTypeShift | reducedEnable)
	}
	for range softOffPauses {
		pause()
	}
}
