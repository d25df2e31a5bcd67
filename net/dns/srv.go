package dns

import (
	"cmp"
	"math/rand/v2"
	"net"
	"slices"
)

// sortSRV puts records in the order in which to try them: by priority, and within one
// at random, by weight (RFC 2782).
func sortSRV(all []*net.SRV) {
	slices.SortFunc(all, func(a, b *net.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Weight, b.Weight))
	})
	for len(all) > 0 {
		same := 1
		for same < len(all) && all[same].Priority == all[0].Priority {
			same++
		}
		shuffleByWeight(all[:same])
		all = all[same:]
	}
}

// shuffleByWeight puts first one after the other, each with the probability of its
// weight among those left. Those of weight 0 stand first in the drawing and so have
// a small chance.
func shuffleByWeight(all []*net.SRV) {
	total := 0
	for _, s := range all {
		total += int(s.Weight)
	}
	for ; len(all) > 1; all = all[1:] {
		drawn := rand.IntN(total + 1)
		i, sum := 0, int(all[0].Weight)
		for sum < drawn {
			i++
			sum += int(all[i].Weight)
		}
		total -= int(all[i].Weight)
		chosen := all[i]
		copy(all[1:i+1], all[:i])
		all[0] = chosen
	}
}
