package kernel

import "testing"

func TestCrystal(t *testing.T) {
	for _, c := range []struct {
		name                                 string
		denominator, numerator, crystal, mhz uint32
		want                                 uint64
	}{
		{"Skylake: no crystal, a nominal frequency", 2, 250, 0, 3000, 3_000_000_000},
		{"Goldmont: a crystal", 3, 171, 19_200_000, 0, 1_094_400_000},
		{"nothing", 0, 0, 0, 0, 0},
		{"a ratio alone", 2, 250, 0, 0, 0},
		{"absurdly fast", 1, 1 << 31, 1 << 31, 0, 0},
		{"absurdly slow", 1000, 1, 1000, 0, 0},
	} {
		if got := crystalHz(c.denominator, c.numerator, c.crystal, c.mhz); got != c.want {
			t.Errorf("%s: %d Hz, want %d", c.name, got, c.want)
		}
	}
}
