package pack

import (
	"bytes"
	"encoding/binary"
	"iter"
	"slices"
	"sync"
)

// An Index is a version 2 pack index: which object lies at which offset. It
// reads the bytes it was opened with, which may be a mapped file, and keeps
// nothing else until a reverse look-up is needed (4 bytes an object then).
type Index struct {
	data    []byte
	n       int
	hashes  []byte // n × 20, sorted
	crcs    []byte // n × 4
	offsets []byte // n × 4; the high bit set: an index into large
	large   []byte // 8 bytes each

	order  sync.Once
	sorted []uint32 // positions in the order of offsets
}

const (
	indexMagic  = "\xfftOc\x00\x00\x00\x02"
	fanoutSize  = 256 * 4
	largeOffset = 1 << 31
)

// OpenIndex opens an index over data, which must not change as long as the Index
// is in use. It checks the structure in constant time, and not the checksum.
func OpenIndex(data []byte) (*Index, error) {
	if len(data) < len(indexMagic)+fanoutSize+2*trailerSize || string(data[:len(indexMagic)]) != indexMagic {
		return nil, formatError("not a version 2 index")
	}
	x := &Index{data: data}
	last := 0
	for i := range 256 {
		n := x.fanout(i)
		if n < last {
			return nil, formatError("index fan-out goes back")
		}
		last = n
	}
	x.n = last
	rest := data[len(indexMagic)+fanoutSize : len(data)-2*trailerSize]
	if len(rest)/28 < x.n {
		return nil, formatError("index is too short for %d objects", x.n)
	}
	x.hashes, rest = rest[:x.n*20], rest[x.n*20:]
	x.crcs, rest = rest[:x.n*4], rest[x.n*4:]
	x.offsets, x.large = rest[:x.n*4], rest[x.n*4:]
	if len(x.large)%8 != 0 || len(x.large)/8 > x.n {
		return nil, formatError("index has %d bytes too many", len(x.large))
	}
	return x, nil
}

func (x *Index) fanout(i int) int {
	return int(binary.BigEndian.Uint32(x.data[len(indexMagic)+4*i:]))
}

// Len returns the number of objects.
func (x *Index) Len() int { return x.n }

// PackSum returns the checksum of the pack that this is the index of.
func (x *Index) PackSum() (sum Hash) {
	copy(sum[:], x.data[len(x.data)-2*trailerSize:])
	return sum
}

// Find returns the offset of an object.
func (x *Index) Find(h Hash) (offset int64, ok bool) {
	i, ok := x.search(h)
	if !ok {
		return 0, false
	}
	return x.offset(i), true
}

func (x *Index) search(h Hash) (i int, ok bool) {
	lo, hi := 0, x.fanout(int(h[0]))
	if h[0] > 0 {
		lo = x.fanout(int(h[0]) - 1)
	}
	key := binary.BigEndian.Uint64(h[:])
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		at := x.hashes[mid*20 : mid*20+20]
		switch k := binary.BigEndian.Uint64(at); {
		case key < k, key == k && bytes.Compare(h[8:], at[8:]) < 0:
			hi = mid
		case key > k || !bytes.Equal(h[8:], at[8:]):
			lo = mid + 1
		default:
			return mid, true
		}
	}
	return lo, false
}

// offset returns -1 for an entry that is broken; no pack has an object there.
func (x *Index) offset(i int) int64 {
	off := binary.BigEndian.Uint32(x.offsets[4*i:])
	if off < largeOffset {
		return int64(off)
	}
	at := int(off-largeOffset) * 8
	if at+8 > len(x.large) {
		return -1
	}
	return int64(binary.BigEndian.Uint64(x.large[at:]))
}

func (x *Index) hash(i int) (h Hash) {
	copy(h[:], x.hashes[i*20:])
	return h
}

func (x *Index) crc(i int) uint32 { return binary.BigEndian.Uint32(x.crcs[4*i:]) }

// At returns the object at position i in the order of hashes.
func (x *Index) At(i int) IndexEntry {
	return IndexEntry{x.hash(i), x.crc(i), x.offset(i)}
}

// All yields every object and its offset in the order of hashes.
func (x *Index) All() iter.Seq2[Hash, int64] {
	return func(yield func(Hash, int64) bool) {
		for i := range x.n {
			if !yield(x.hash(i), x.offset(i)) {
				return
			}
		}
	}
}

// InPackOrder yields every object and its offset in the order of offsets.
func (x *Index) InPackOrder() iter.Seq2[Hash, int64] {
	return func(yield func(Hash, int64) bool) {
		for _, i := range x.byOffset() {
			if !yield(x.hash(int(i)), x.offset(int(i))) {
				return
			}
		}
	}
}

func (x *Index) byOffset() []uint32 {
	x.order.Do(func() {
		sorted := make([]uint32, x.n)
		for i := range sorted {
			sorted[i] = uint32(i)
		}
		slices.SortFunc(sorted, func(a, b uint32) int {
			return int(min(max(x.offset(int(a))-x.offset(int(b)), -1), 1))
		})
		x.sorted = sorted
	})
	return x.sorted
}

// atOffset returns the position, in the order of hashes, of the object at
// this offset, and the offset of the next one, or end.
func (x *Index) atOffset(offset, end int64) (i int, next int64, ok bool) {
	sorted := x.byOffset()
	at, ok := slices.BinarySearchFunc(sorted, offset, func(i uint32, off int64) int {
		return int(min(max(x.offset(int(i))-off, -1), 1))
	})
	if !ok {
		return 0, 0, false
	}
	next = end
	if at+1 < len(sorted) {
		next = x.offset(int(sorted[at+1]))
	}
	return int(sorted[at]), next, true
}
