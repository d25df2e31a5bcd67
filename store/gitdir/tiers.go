package gitdir

// Packs are merged by size, in tiers: tier 0 is packs of fewer than tierObjects
// objects, each next tier is tierFactor times as large. When a tier has its number of
// packs, they and all smaller ones become one pack, of a higher tier. So an object
// is written once for each tier, which is the logarithm of how many there
// are, and the number of packs is bounded by tierFactor times that.
const (
	tierObjects = 512
	tierFactor  = 8
	smallPacks  = 24 // how many packs tier 0 may have

	// maxMerge bounds the objects of one merge, for its memory: about 170
	// bytes an object. Larger packs stay as they are.
	maxMerge = 1 << 20

	// maxMergePacks bounds the packs of one merge, for the maps of their indexes.
	maxMergePacks = 5000

	// mergeCache bounds the contents that a merge keeps to read deltas, in bytes.
	mergeCache = 32 << 20
)

func tierOf(objects int) (tier int) {
	for limit := tierObjects; objects >= limit; limit *= tierFactor {
		tier++
	}
	return tier
}

// chooseMerge returns how many of the smallest packs are to be merged, given the
// numbers of objects of all that may be, ascending.
func chooseMerge(packs []int) (chosen int) {
	inTier, objects := 0, 0 // of the packs so far
	for i, n := range packs {
		tier := tierOf(n)
		if i == 0 || tierOf(packs[i-1]) < tier {
			inTier = 0
		}
		inTier++
		if objects += n; objects > maxMerge || i == maxMergePacks {
			break
		}
		if inTier >= tierFactor && (tier > 0 || inTier >= smallPacks) {
			chosen = i + 1
		}
	}
	return chosen
}
