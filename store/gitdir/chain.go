package gitdir

import (
	"math/bits"

	"cairn/store/pack"
)

// Chains of deltas. Every version of a folder is best a delta on the one before
// it, but then the chain soon has its full length and has to begin anew with a
// whole copy, which for a folder of some hundred entries is what most of the
// space goes to. So versions are linked like the digits of an odometer: runRadix
// versions in a row of rank 0, each on the one before; then one of rank 1, which is
// a delta on the last of rank 1 before it, or on a higher one if runRadix of these
// have been, and so on. The chain's length is the sum of the digits, and whole copies
// are needed every runRadix^ranks versions.
//
// A merged pack brings chains along, whose deltas are copied as they are. The whole
// copy at the end of a chain becomes a delta in its turn: its rank follows from
// the number of versions that hang on it.

const (
	runRadix  = 12
	rankWhole = 15 // of a version that is no delta
)

// link chooses what object i may become a delta on, when pred is the version
// before it in history.
func (s *mergeSet) link(i, pred uint32) {
	o := &s.objects[i]
	if pred == none || pred == i || s.objects[pred].state != placed || s.objects[pred].typ != o.typ {
		return
	}
	if o.base != none {
		s.inherit(i, pred)
		return
	}
	rank := uint8((bits.Len32(o.weight) - 1) / bits.Len32(runRadix-1))
	for at := pred; at != none; at = s.under(at) {
		a := &s.objects[at]
		full := a.rank == rank && a.run+1 >= runRadix
		if full {
			rank++
		}
		if full || a.rank < rank || int(a.depth)+1+int(o.height) > pack.MaxDepth {
			continue
		}
		o.hint, o.rank, o.run = at, rank, 1
		if a.rank == rank {
			o.run = a.run + 1
		}
		return
	}
}

// under is what an object that has been placed is a delta on.
func (s *mergeSet) under(i uint32) uint32 {
	o := &s.objects[i]
	if o.base != none {
		return o.base
	}
	return o.hint
}

// inherit finds rank and run of a delta that is copied.
func (s *mergeSet) inherit(i, pred uint32) {
	o := &s.objects[i]
	rank := uint8(0)
	for at := pred; at != o.base && at != none; at = s.under(at) {
		if r := s.objects[at].rank; r >= rank && r < rankWhole {
			rank = r + 1
		}
	}
	o.rank, o.run = rank, 1
	if b := &s.objects[o.base]; b.rank == rank {
		o.run = b.run + 1
	}
}
