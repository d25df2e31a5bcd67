package kernel

// The 8254 timer (PIT) counts down at a known frequency, from 65536 again and
// again, which takes 55 ms. (Only channel 0 can be used: microvm has no port
// 0x61, which gates channel 2.)

const (
	pitHz      = 1193182
	pitWrap    = 1 << 16
	pitCounter = 0x40
	pitCommand = 0x43

	pitWindow = pitHz / 500 // 2 ms, in ticks: how long the first measurement takes
	pitTries  = 4           // readings of which the best counts
)

// pit is the last reading, and how many ticks passed from the first to it.
var pit struct {
	last  pitReading
	ticks uint64
	dead  bool // it does not count
}

// A pitReading is the counter and the TSC it belongs to, to within spread.
type pitReading struct {
	count       uint16
	tsc, spread uint64
}

// pitStart makes channel 0 count. Its interrupt goes nowhere.
func pitStart() {
	outb(pitCommand, 0x34) // channel 0, low then high byte, mode 2
	outb(pitCounter, 0)
	outb(pitCounter, 0)
	pit.last = pitRead()
	pit.dead = pit.last.count == pitRead().count
}

// pitRead takes the best of some readings: the one that took least.
func pitRead() pitReading {
	var best pitReading
	for range pitTries {
		before := rdtsc()
		outb(pitCommand, 0) // latch channel 0
		after := rdtsc()
		count := uint16(inb(pitCounter))
		count |= uint16(inb(pitCounter)) << 8
		if best.spread == 0 || after-before < best.spread {
			best = pitReading{count, before + (after-before)/2, after - before}
		}
	}
	return best
}

// pitHertz measures the TSC; 0 says that the PIT does not count.
func pitHertz() uint64 {
	for range 100_000 {
		if pit.dead {
			break
		}
		r := pitRead()
		if passed := uint64(pit.last.count - r.count); passed >= pitWindow {
			return sane(mulDiv(r.tsc-pit.last.tsc, pitHz, passed))
		}
	}
	return 0
}

// pitNow is how many nanoseconds the PIT has counted. hz is the TSC's frequency as
// far as it is known: it tells how often the counter wrapped since the last reading.
func pitNow(hz uint64) (ns, tsc uint64, ok bool) {
	if pit.dead {
		return 0, 0, false
	}
	r := pitRead()
	pit.ticks += pitPassed(pit.last.count, r.count, mulDiv(r.tsc-pit.last.tsc, pitHz, hz))
	pit.last = r
	return mulDiv(pit.ticks, nsPerSecond, pitHz), r.tsc, true
}

// pitPassed is how many ticks passed between two counts, given about how many it were.
func pitPassed(before, after uint16, about uint64) uint64 {
	passed := uint64(before - after)
	if about > passed {
		passed += (about - passed + pitWrap/2) / pitWrap * pitWrap
	}
	return passed
}
