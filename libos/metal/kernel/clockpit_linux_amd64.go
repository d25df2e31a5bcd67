package kernel

// The 8254 timer (PIT) counts down at a known frequency, from 65536 again and
// again, which takes 55 ms. (Only channel 0 can be used: microvm has no port
// 0x61, which gates channel 2.)
//
// It is started first of all, so that measuring the TSC against it costs no
// time: the rest of the boot is the measure. On a busy host the machine may
// stand still at any point, for longer than the counter takes to wrap; so a rough
// frequency is measured first, as the best of some short attempts, and says how
// often it wrapped.

const (
	pitHz      = 1193182
	pitWrap    = 1 << 16
	pitCounter = 0x40
	pitCommand = 0x43

	pitReads    = 4              // readings of which the best counts
	pitRough    = pitHz / 10_000 // 0.1 ms, in ticks: how long a short attempt takes
	pitAttempts = 3
	pitLeast    = pitHz / 500 // 2 ms: the shortest measure
	pitMost     = pitHz / 2   // 0.5 s: the longest for which the rough frequency will do
	pitLooks    = 50          // readings of which two must differ
	pitPolls    = 100_000     // readings until it is clear that the PIT does not count
)

// pit is the first reading, the last one, and how many ticks passed between them.
var pit struct {
	first, last pitReading
	ticks       uint64
}

// A pitReading is the counter and the TSC it belongs to.
type pitReading struct {
	count uint16
	tsc   uint64
}

// pitStart makes channel 0 count. Its interrupt goes nowhere.
func pitStart() {
	outb(pitCommand, 0x34) // channel 0, low then high byte, mode 2
	outb(pitCounter, 0)
	outb(pitCounter, 0)
	pit.first = pitRead()
	pit.last = pit.first
}

// pitCounts tells whether there is a PIT; for the lack of one it takes some hundred reads
// of a port.
func pitCounts() bool {
	for range pitLooks {
		if pitRead().count != pit.first.count {
			return true
		}
	}
	return false
}

// pitRead takes the best of some readings: the one that took least.
func pitRead() pitReading {
	var best pitReading
	least := ^uint64(0)
	for range pitReads {
		before := rdtsc()
		outb(pitCommand, 0) // latch channel 0
		after := rdtsc()
		count := uint16(inb(pitCounter))
		count |= uint16(inb(pitCounter)) << 8
		if after-before < least {
			least = after - before
			best = pitReading{count, before + least/2}
		}
	}
	return best
}

// pitHertz measures the TSC; 0 says that the PIT does not count.
func pitHertz() uint64 {
	start := pitRead()
	rough := ^uint64(0)
	for range pitAttempts {
		rough = min(rough, pitSince(pitRead(), pitRough, 0))
	}
	if mulDiv(start.tsc-pit.first.tsc, pitHz, rough) < pitMost {
		start = pit.first
	}
	return sane(pitSince(start, pitLeast, rough))
}

// pitSince measures the TSC since start, for at least that many ticks of the PIT. about
// is its frequency as far as it is known, 0 if the counter did not wrap. It
// returns 0 if the PIT does not count.
func pitSince(start pitReading, ticks, about uint64) uint64 {
	for range pitPolls {
		pit.last = pitRead()
		pit.ticks = pitPassed(start.count, pit.last.count, pitTicks(pit.last.tsc-start.tsc, about))
		if pit.ticks >= ticks {
			return mulDiv(pit.last.tsc-start.tsc, pitHz, pit.ticks)
		}
	}
	return 0
}

// pitTicks is how many ticks of the PIT take as long as tsc ticks of a TSC of hz; 0 if hz is 0.
func pitTicks(tsc, hz uint64) uint64 {
	if hz == 0 {
		return 0
	}
	return mulDiv(tsc, pitHz, hz)
}

// pitPassed is how many ticks passed between two counts, given about how many it were.
func pitPassed(before, after uint16, about uint64) uint64 {
	passed := uint64(before - after)
	if about > passed {
		passed += (about - passed + pitWrap/2) / pitWrap * pitWrap
	}
	return passed
}

// pitNow is how many nanoseconds the PIT has counted, and the TSC then. hz is the
// TSC's frequency as far as it is known.
func pitNow(hz uint64) (ns, tsc uint64) {
	r := pitRead()
	pit.ticks += pitPassed(pit.last.count, r.count, pitTicks(r.tsc-pit.last.tsc, hz))
	pit.last = r
	return mulDiv(pit.ticks, nsPerSecond, pitHz), r.tsc
}
