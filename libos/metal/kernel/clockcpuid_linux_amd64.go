package kernel

// What CPUID says of how fast the TSC counts.

// Sane frequencies of a TSC, in Hz.
const (
	minHz = 10_000_000
	maxHz = 100_000_000_000
)

// cpuidHz is the frequency of the TSC by CPUID, 0 if it does not say.
func cpuidHz() uint64 {
	last, _, _, _ := cpuid(0, 0)
	if last >= 0x15 {
		denominator, numerator, crystal, _ := cpuid(0x15, 0)
		var mhz uint32
		if last >= 0x16 {
			mhz, _, _, _ = cpuid(0x16, 0)
		}
		if hz := crystalHz(denominator, numerator, crystal, mhz); hz != 0 {
			return hz
		}
	}
	return hypervisorHz()
}

// crystalHz is the frequency by leaf 0x15: the crystal's, times a ratio. Where the
// crystal's is 0, the nominal frequency of leaf 0x16, in MHz, is the TSC's.
func crystalHz(denominator, numerator, crystal, mhz uint32) uint64 {
	switch {
	case denominator == 0 || numerator == 0:
		return 0
	case crystal != 0:
		return sane(mulDiv(uint64(crystal), uint64(numerator), uint64(denominator)))
	}
	return sane(uint64(mhz&0xffff) * 1_000_000)
}

// hypervisorHz is the frequency by leaf 0x40000010, which VMware defined and others have, in kHz.
func hypervisorHz() uint64 {
	const hypervisor = 1 << 31
	if _, _, features, _ := cpuid(1, 0); features&hypervisor == 0 {
		return 0
	}
	if last, _, _, _ := cpuid(0x40000000, 0); last < 0x40000010 || last > 0x400000ff {
		return 0
	}
	khz, _, _, _ := cpuid(0x40000010, 0)
	return sane(uint64(khz) * 1000)
}

// sane is hz if a TSC can be as fast, or 0.
func sane(hz uint64) uint64 {
	if hz < minHz || hz > maxHz {
		return 0
	}
	return hz
}
