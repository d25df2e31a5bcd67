package gitdir

import (
	"slices"
	"testing"
)

func TestChooseMerge(t *testing.T) {
	few := slices.Repeat([]int{4}, smallPacks-1)
	many := slices.Repeat([]int{4}, smallPacks)
	next := slices.Repeat([]int{tierObjects}, tierFactor-1)
	for name, c := range map[string]struct {
		counts []int
		want   int
	}{
		"none":                     {nil, 0},
		"few small":                {few, 0},
		"many small":               {many, smallPacks},
		"many small, some larger":  {slices.Concat(many, next), smallPacks},
		"few small, many larger":   {slices.Concat(few, next, next[:1]), len(few) + tierFactor},
		"a large one stays":        {slices.Concat(many, []int{100_000}), smallPacks},
		"not more than the limit":  {slices.Repeat([]int{0}, maxMergePacks+10), maxMergePacks},
		"not too many objects":     {slices.Concat(many, []int{maxMerge + 1}), smallPacks},
		"a tier that is cut short": {slices.Concat(slices.Repeat([]int{tierObjects}, tierFactor), next), 2*tierFactor - 1},
	} {
		if got := chooseMerge(c.counts); got != c.want {
			t.Errorf("%s: got %d packs, want %d", name, got, c.want)
		}
	}
}

// TestWriteAmplification commits packs of one update and counts how often each object is
// written until there are 100,000 of them: as often as there are tiers.
func TestWriteAmplification(t *testing.T) {
	const updates, each = 25_000, 4
	var counts []int
	written := 0
	for n := range updates {
		counts = append(counts, each)
		if n%pokePacks != 0 {
			continue
		}
		for {
			slices.Sort(counts)
			chosen := chooseMerge(counts)
			if chosen < 2 {
				break
			}
			sum := 0
			for _, n := range counts[:chosen] {
				sum += n
			}
			written += sum
			counts = append(counts[chosen:], sum)
		}
	}
	times := float64(written) / (updates * each)
	t.Logf("each object was written %.1f times; %d packs are left", times, len(counts))
	if times > 5 {
		t.Errorf("written: got %.1f times, want at most 5", times)
	}
	if len(counts) > 64 {
		t.Errorf("packs: got %d, want at most 64", len(counts))
	}
}
