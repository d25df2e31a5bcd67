package pvh

import "slices"

// cleared is how much of a segment's memory behind its part of the file stays with it: package
// kernel has its variables there.
const cleared = 1 << 20

// cutTail makes a segment of its own of what lies further behind, if there is that: Go's
// cryptography has 32 MiB there which it touches in FIPS mode only. VMMs clear all memory of
// a segment before the start, and have the host find it. Those of a segment that has nothing in the
// file they leave alone, linux-loader always and QEMU as of 7.2; package kernel finds memory
// for it page by page, when it is touched.
func cutTail(list []header) []header {
	for i, h := range list {
		if h.kind != ptLoad || h.fileSize == 0 || h.memorySize <= h.fileSize+cleared+pageSize {
			continue
		}
		keep := (h.address+h.fileSize+pageSize-1)&^(pageSize-1) + cleared - h.address
		list[i].memorySize = keep
		return slices.Insert(list, i+1, header{
			kind: ptLoad, flags: h.flags, offset: (h.offset + h.fileSize) &^ (pageSize - 1),
			address: h.address + keep, physical: h.physical + keep, memorySize: h.memorySize - keep,
		})
	}
	return list
}
