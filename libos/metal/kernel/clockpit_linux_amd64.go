package kernel

// The 8254 timer (PIT) counts down at a known frequency. Where no hypervisor and
// no CPUID leaf says how fast the TSC is, it is measured against channel 0.

const (
	pitHz      = 1193182
	pitCounter = 0x40
	pitCommand = 0x43

	pitWindow = pitHz / 500 // 2 ms: how long the first measurement takes
)

// pitStart makes channel 0 count down from 65536, again and again.
func pitStart() {
	outb(pitCommand, 0x34) // channel 0, low then high byte, mode 2
	outb(pitCounter, 0)
	outb(pitCounter, 0)
}

// A pitReading is the counter of channel 0 (it counts down) and when it was read.
type pitReading struct {
	count  uint16
	tsc    uint64
	lapic  uint32
	spread uint64 // how long reading took, in ticks of the TSC
}

// pitRead takes the best of some readings: the one that took least.
func pitRead() pitReading {
	var best pitReading
	for range 4 {
		before := rdtsc()
		outb(pitCommand, 0) // latch channel 0
		after := rdtsc()
		timer := apicRead(apicTimerCount)
		count := uint16(inb(pitCounter))
		count |= uint16(inb(pitCounter)) << 8
		if best.spread == 0 || after-before < best.spread {
			best = pitReading{count, before + (after-before)/2, timer, after - before}
		}
	}
	return best
}

// pitCalibrate measures the TSC and the local APIC's timer; false says that the PIT does not count.
func pitCalibrate() bool {
	pitStart()
	apicWrite(apicTimerStart, ^uint32(0))
	first := pitRead()
	for range 100_000 {
		last := pitRead()
		if passed := uint64(first.count - last.count); passed >= pitWindow {
			tscHz = mulDiv(last.tsc-first.tsc, pitHz, passed)
			lapicHz = mulDiv(uint64(first.lapic-last.lapic), pitHz, passed)
			apicWrite(apicTimerStart, 0)
			return true
		}
	}
	return false
}

// calibrate finds out how fast the TSC and the timer count.
func calibrate() {
	if !pitCalibrate() {
		kdie("nothing tells the time: neither kvmclock, nor CPUID, nor a PIT that counts")
	}
}
