package kernel

import (
	"math/big"
	"math/bits"
	"math/rand/v2"
	"testing"
)

const century = 100 * 365 * 86400 // seconds

func TestProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	for range 100_000 {
		a, b, c := r.Uint64()>>r.IntN(64), r.Uint64()>>r.IntN(64), r.Uint64()>>r.IntN(64)
		hi, lo := mul64(a, b)
		if wantHi, wantLo := bits.Mul64(a, b); hi != wantHi || lo != wantLo {
			t.Fatalf("%d*%d = %d, %d, want %d, %d", a, b, hi, lo, wantHi, wantLo)
		}
		if got, want := mulShift(a, b), hi<<(64-clockShift)|lo>>clockShift; got != want {
			t.Fatalf("mulShift(%d, %d) = %d, want %d", a, b, got, want)
		}
		want := ^uint64(0)
		if hi < c {
			want, _ = bits.Div64(hi, lo, c)
		}
		if got := mulDiv(a, b, c); got != want {
			t.Fatalf("%d*%d/%d = %d, want %d", a, b, c, got, want)
		}
	}
}

// TestClockForACentury compares with exact arithmetic: no overflow, and at most
// 0.1 s of rounding in a hundred years.
func TestClockForACentury(t *testing.T) {
	for _, hz := range []uint64{minHz, 999_999_999, 1_000_000_000, 2_400_000_000, 5_123_456_789, maxHz} {
		start := uint64(12345)
		c := clock{tsc: start, ns: 678, mul: mulFor(hz)}
		for seconds := uint64(1); seconds <= century; seconds *= 3 {
			ticks := new(big.Int).Mul(big.NewInt(int64(seconds)), new(big.Int).SetUint64(hz))
			if ticks.BitLen() > 63 {
				break // the TSC itself does not count as far
			}
			got := c.at(start + ticks.Uint64())
			want := seconds*nsPerSecond + 678
			if off := int64(got - want); off > 1e8 || off < -1e8 {
				t.Errorf("at %d Hz, after %d s: %d, off by %d ns", hz, seconds, got, off)
			}
		}
	}
	c := clock{tsc: 1000, ns: 5, mul: mulFor(1e9)}
	if got := c.at(999); got != 5 {
		t.Errorf("before its start the clock shows %d, want 5", got)
	}
}

func TestTimersOfACentury(t *testing.T) {
	for _, hz := range []uint64{minHz, 2_400_000_000, maxHz} {
		perNS := mulDiv(hz, 1<<clockShift, nsPerSecond)
		ns := uint64(century * nsPerSecond)
		got := mulShift(ns, perNS)
		want, _ := new(big.Float).Quo(new(big.Float).Mul(new(big.Float).SetUint64(ns), new(big.Float).SetUint64(hz)), big.NewFloat(1e9)).Uint64()
		if want == ^uint64(0) {
			continue
		}
		if diff := int64(got - want); diff > int64(want/1e9) || diff < -int64(want/1e9) {
			t.Errorf("a century at %d Hz: %d ticks, want %d", hz, got, want)
		}
	}
}
