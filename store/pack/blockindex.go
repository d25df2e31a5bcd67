package pack

import (
	"math/bits"
	"sync"
)

// block is how many bytes of the base one place in the index stands for, and the
// shortest copy that is found other than at the ends.
const block = 16

const (
	maxTries = 16 // places of the base that are compared for one hash
	multiply = 0x08104225
)

// A blockIndex finds the blocks of a base by their hash.
type blockIndex struct {
	shift uint
	heads []uint32 // 1 + number of the last block with this hash, 0 for none
	next  []uint32 // of each block, the one before it with the same hash
}

var blockIndexes = sync.Pool{New: func() any { return new(blockIndex) }}

func indexBlocks(base []byte) *blockIndex {
	ix := blockIndexes.Get().(*blockIndex)
	blocks := len(base) / block
	width := uint(bits.Len(uint(blocks)) + 1)
	ix.shift = 32 - min(width, 28)
	ix.heads = resize(ix.heads, 1<<(32-ix.shift))
	clear(ix.heads)
	ix.next = resize(ix.next, blocks)
	for i := blocks - 1; i >= 0; i-- {
		slot := ix.slot(hashBlock(base[i*block : i*block+block]))
		ix.next[i] = ix.heads[slot]
		ix.heads[slot] = uint32(i + 1)
	}
	return ix
}

func (ix *blockIndex) free() {
	if cap(ix.next) <= 1<<20 {
		blockIndexes.Put(ix)
	}
}

func resize(s []uint32, n int) []uint32 {
	if cap(s) < n {
		return make([]uint32, n)
	}
	return s[:n]
}

// slot spreads the hash, whose low bits alone know little of the first bytes.
func (ix *blockIndex) slot(hash uint32) uint32 { return (hash * 0x9e3779b1) >> ix.shift }

// longest returns where in base the longest piece lies that target begins with.
func (ix *blockIndex) longest(base, target []byte, hash uint32) (off, n int) {
	i := ix.heads[ix.slot(hash)]
	for try := 0; i != 0 && try < maxTries; try++ {
		at := int(i-1) * block
		if m := common(base[at:], target); m > n {
			off, n = at, m
		}
		i = ix.next[i-1]
	}
	return off, n
}

// hashBlock is a polynomial in multiply with the bytes as coefficients.
func hashBlock(b []byte) (h uint32) {
	for _, c := range b[:block] {
		h = h*multiply + uint32(c) + 1
	}
	return h
}

// power is multiply to the power of block.
var power = func() uint32 {
	p := uint32(1)
	for range block {
		p *= multiply
	}
	return p
}()

// roll moves a block's hash by one byte.
func roll(h uint32, out, in byte) uint32 {
	return h*multiply + uint32(in) + 1 - power*(uint32(out)+1)
}
