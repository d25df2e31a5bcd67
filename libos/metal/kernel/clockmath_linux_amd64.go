package kernel

// Arithmetic of clocks, on numbers alone.

const nsPerSecond = 1_000_000_000

// A clock counts nanoseconds by the processor's time-stamp counter (TSC):
//
//	ns + (tsc' - tsc) * mul / 1<<clockShift
//
// With a shift of 40 the rounding of mul is an error below 1e-11 at any frequency
// above 10 MHz, and the product has 128 bits, so nothing overflows in centuries.
type clock struct {
	tsc uint64 // where it was set
	ns  uint64 // what it showed there
	mul uint64
}

const clockShift = 40

// at is what the clock shows when the counter is at tsc. A counter before the
// clock's start, which only another processor could show, counts as the start.
func (c *clock) at(tsc uint64) uint64 {
	if int64(tsc-c.tsc) < 0 {
		return c.ns
	}
	return c.ns + mulShift(tsc-c.tsc, c.mul)
}

// mulShift is a*b >> clockShift.
func mulShift(a, b uint64) uint64 {
	hi, lo := mul64(a, b)
	return hi<<(64-clockShift) | lo>>clockShift
}

// mulFor is the multiplier for a counter of hz per second.
func mulFor(hz uint64) uint64 { return mulDiv(nsPerSecond, 1<<clockShift, hz) }

// mul64 is the product of a and b in 128 bits.
func mul64(a, b uint64) (hi, lo uint64) {
	a1, a0 := a>>32, a&(1<<32-1)
	b1, b0 := b>>32, b&(1<<32-1)
	low := a0 * b0
	mid := a1*b0 + low>>32
	mid2 := a0*b1 + mid&(1<<32-1)
	return a1*b1 + mid>>32 + mid2>>32, a * b
}

// mulDiv is a*b/c, rounded down; the largest number if it does not fit or c is 0.
func mulDiv(a, b, c uint64) uint64 {
	hi, lo := mul64(a, b)
	if hi >= c {
		return ^uint64(0)
	}
	var q uint64
	for range 64 {
		carry := hi >> 63
		hi = hi<<1 | lo>>63
		lo <<= 1
		q <<= 1
		if carry != 0 || hi >= c {
			hi -= c
			q |= 1
		}
	}
	return q
}
