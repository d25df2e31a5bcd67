package kernel

// A first measurement of the TSC against the PIT is short, and so off by up to
// 0.3%. A rate makes it good, by comparing again after longer and longer times:
// each comparison is exact to some microseconds however long ago the one
// before was. After a second the rate is exact to about 5 in a million, after
// four minutes to 1 in ten million. The clock is never set: it goes a little
// faster or slower until it shows what the reference shows.

const (
	firstInterval = 16_000_000        // ns until the first comparison
	lastInterval  = 256 * nsPerSecond // ns between comparisons, in the end
	maxSlew       = 2000              // of the clock, in parts per million
	maxChange     = 10_000            // of the frequency: more is no measurement; parts per million
)

type rate struct {
	hz       uint64
	interval uint64 // ns until the next comparison

	// Where the comparison began: the TSC, the reference and the clock.
	tsc, ref, shown uint64
}

// start begins to compare.
func (r *rate) start(hz, tsc, ref, shown uint64) {
	*r = rate{hz: hz, interval: firstInterval, tsc: tsc, ref: ref, shown: shown}
}

// compare is told what reference and clock (set to count by r.hz, or what compare returned before)
// show when the TSC is at tsc. It returns the multiplier with which the clock goes on.
func (r *rate) compare(tsc, ref, shown uint64) (mul uint64) {
	elapsed := ref - r.ref
	hz := mulDiv(tsc-r.tsc, nsPerSecond, elapsed)
	if elapsed == 0 || hz < r.hz-r.hz/1_000_000*maxChange || hz > r.hz+r.hz/1_000_000*maxChange {
		r.start(r.hz, tsc, ref, shown) // the machine was stopped, or the reference was
		return mulFor(r.hz)
	}
	r.hz = hz
	r.interval = min(r.interval*8, lastInterval)
	behind := int64(elapsed - (shown - r.shown))
	if elapsed >= lastInterval {
		r.tsc, r.ref, r.shown = tsc, ref, r.shown+elapsed
	}
	return slewed(mulFor(hz), behind, r.interval)
}

// slewed is mul changed so that the clock makes good by how much it is behind (negative:
// ahead) in the interval, as far as maxSlew allows.
func slewed(mul uint64, behind int64, interval uint64) uint64 {
	limit := int64(interval / 1_000_000 * maxSlew)
	behind = max(-limit, min(behind, limit))
	if behind < 0 {
		return mul - mulDiv(mul, uint64(-behind), interval)
	}
	return mul + mulDiv(mul, uint64(behind), interval)
}
