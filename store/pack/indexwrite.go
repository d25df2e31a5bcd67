package pack

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"slices"
)

// An IndexEntry is what an index knows of one object.
type IndexEntry struct {
	Hash   Hash
	CRC    uint32 // IEEE CRC-32 of the entry as it lies in the pack
	Offset int64
}

// AppendIndex sorts entries and appends the version 2 index of the pack whose
// checksum is packSum, byte for byte as git index-pack writes it.
func AppendIndex(dst []byte, entries []IndexEntry, packSum Hash) []byte {
	slices.SortFunc(entries, func(a, b IndexEntry) int {
		if c := bytes.Compare(a.Hash[:], b.Hash[:]); c != 0 {
			return c
		}
		return int(min(max(a.Offset-b.Offset, -1), 1))
	})
	dst = slices.Grow(dst, len(indexMagic)+fanoutSize+28*len(entries)+2*trailerSize)
	start := len(dst)
	dst = append(dst, indexMagic...)
	dst = appendFanout(dst, entries)
	for i := range entries {
		dst = append(dst, entries[i].Hash[:]...)
	}
	for i := range entries {
		dst = binary.BigEndian.AppendUint32(dst, entries[i].CRC)
	}
	dst = appendOffsets(dst, entries)
	dst = append(dst, packSum[:]...)
	sum := sha1.Sum(dst[start:])
	return append(dst, sum[:]...)
}

func appendFanout(dst []byte, entries []IndexEntry) []byte {
	n := 0
	for first := range 256 {
		for n < len(entries) && int(entries[n].Hash[0]) == first {
			n++
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	}
	return dst
}

func appendOffsets(dst []byte, entries []IndexEntry) []byte {
	var large []byte
	for i := range entries {
		off := uint32(entries[i].Offset)
		if entries[i].Offset >= largeOffset {
			off = largeOffset | uint32(len(large)/8)
			large = binary.BigEndian.AppendUint64(large, uint64(entries[i].Offset))
		}
		dst = binary.BigEndian.AppendUint32(dst, off)
	}
	return append(dst, large...)
}
