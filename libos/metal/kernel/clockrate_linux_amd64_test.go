package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// machine is a TSC and a PIT that disagree with what was first measured.
type machine struct {
	random *rand.Rand
	hz     float64 // of the TSC
	jitter float64 // of a reading, in ns
	now    float64 // ns
}

func (m *machine) tsc() uint64 { return uint64(1e6 + m.now*m.hz/1e9) }

// counts is what reading the PIT gives: at most jitter late.
func (m *machine) counts() uint16 {
	late := m.random.Float64() * m.jitter
	return uint16(-int64((m.now + late) * pitHz / 1e9))
}

// TestRateFindsTheFrequency lets the clock run for an hour: it must come close to
// the PIT's time, never go back, and never go wrong by more than the first error.
func TestRateFindsTheFrequency(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 5))
		m := machine{random: r, hz: 1e9 + 3e9*r.Float64(), jitter: 5000}
		wrong := 1 + (r.Float64()*2-1)*0.003
		hz := uint64(m.hz * wrong)

		c := clock{tsc: m.tsc(), mul: mulFor(hz)}
		last, ticks, lastTSC := m.counts(), uint64(0), m.tsc()
		var keeper rate
		keeper.start(hz, m.tsc(), 0, 0)
		start := m.now
		for m.now < 3600e9 {
			before := c.at(m.tsc())
			m.now += float64(keeper.interval) * (1 + 0.5*r.Float64()) // the interrupt may be late
			tsc := m.tsc()
			count := m.counts()
			ticks += pitPassed(last, count, mulDiv(tsc-lastTSC, pitHz, keeper.hz))
			last, lastTSC = count, tsc
			shown := c.at(tsc)
			if shown < before {
				t.Fatalf("seed %d: the clock went back", seed)
			}
			c = clock{tsc: tsc, ns: shown, mul: keeper.compare(tsc, mulDiv(ticks, nsPerSecond, pitHz), shown)}
			if got := c.at(tsc); got != shown {
				t.Fatalf("seed %d: the clock jumped from %d to %d", seed, shown, got)
			}
			if off := math.Abs(float64(shown) - (m.now - start)); off > 1e6 {
				t.Fatalf("seed %d: after %.3f s the clock is off by %.0f ns", seed, m.now/1e9, off)
			}
		}
		if off := math.Abs(float64(keeper.hz)-m.hz) / m.hz; off > 1e-7 {
			t.Errorf("seed %d: after an hour the frequency is off by %g", seed, off)
		}
		if off := math.Abs(float64(c.at(m.tsc())) - (m.now - start)); off > 20_000 {
			t.Errorf("seed %d: after an hour the clock is off by %.0f ns", seed, off)
		}
	}
}

func TestRateIgnoresAStop(t *testing.T) {
	var r rate
	r.start(2e9, 0, 0, 0)
	r.compare(2e9, 1e9, 1e9)
	mul := r.compare(2e9+1000, 100e9, 1e9+500) // the TSC stood still while the reference went on
	if want := mulFor(2e9); mul != want || r.hz != 2e9 {
		t.Errorf("a stop changed the rate to %d (%d Hz), want %d", mul, r.hz, want)
	}
	if r.interval != firstInterval {
		t.Errorf("the next comparison is %d ns away, want %d", r.interval, uint64(firstInterval))
	}
	if mul := r.compare(2e9+1000, 100e9, 1e9+500); mul != mulFor(2e9) {
		t.Error("no time passed, and the rate changed")
	}
}

func TestSlewIsBounded(t *testing.T) {
	mul := mulFor(1e9)
	for _, behind := range []int64{math.MinInt64 + 1, -1e12, -1, 0, 1, 1e12, math.MaxInt64} {
		got := slewed(mul, behind, nsPerSecond)
		if off := math.Abs(float64(got)/float64(mul) - 1); off > maxSlew*1.001/1e6 {
			t.Errorf("behind by %d ns: rate off by %g", behind, off)
		}
		if behind > 0 && got < mul || behind < 0 && got > mul {
			t.Errorf("behind by %d ns: wrong direction", behind)
		}
	}
}

func TestPITWraps(t *testing.T) {
	for _, c := range []struct {
		before, after uint16
		about, want   uint64
	}{
		{1000, 900, 100, 100},
		{1000, 900, 0, 100},
		{100, 65000, 700, 636},
		{1000, 900, 65636, 65636},
		{1000, 900, 65636 + 30000, 65636},
		{1000, 900, 65636 - 30000, 65636},
		{1000, 1000, 1 << 32, 1 << 32},
	} {
		if got := pitPassed(c.before, c.after, c.about); got != c.want {
			t.Errorf("from %d to %d, about %d: %d, want %d", c.before, c.after, c.about, got, c.want)
		}
	}
}
