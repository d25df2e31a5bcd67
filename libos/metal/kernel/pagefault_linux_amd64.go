package kernel

import "unsafe"

// Memory of the program comes into being when it is first touched.
//
// There are no large pages in the program's half: under an emulated processor,
// where most of the time goes into clearing memory and filling the TLB by 4 KiB in
// any case, they gained nothing that could be measured, and they take memory that
// nobody asked for.

const (
	faultAround = 16   // pages: while memory is plentiful, those around the one that was touched come with it
	plenty      = 4096 // frames: as long as that many are free
)

// Why there was a page fault: bits of its error code.
const (
	faultPresent = 1 << 0
	faultWrite   = 1 << 1
	faultFetch   = 1 << 4
)

var faults uint64 // page faults served

// demand serves the page fault at address va: it maps a zeroed page there if
// the program may have one. false says that the fault is the program's mistake, or
// that memory has run out.
func demand(va uintptr, err uint64) bool {
	a := space.at(va)
	if a == nil || err&(faultPresent|faultFetch) != 0 {
		return false // nothing is mapped, or there is a page and what was tried is not allowed
	}
	prot := a.prot()
	if prot == 0 || err&faultWrite != 0 && prot&protWrite == 0 {
		return false
	}
	faults++
	if pageEntry(va, 12, true) == nil || !mapFresh(pageDown(va), pageDown(va)+pageSize, prot) {
		lastWords()
		return false
	}
	if frames.free >= plenty {
		first := va &^ (faultAround*pageSize - 1)
		mapFresh(max(first, a.start()), min(first+faultAround*pageSize, a.end), prot)
	}
	return true
}

// mapFresh maps zeroed pages from start to end, in one page table that is there, where there are
// none; false says that there is no memory.
func mapFresh(start, end uintptr, prot uint32) bool {
	bits := protBits(prot)
	e := uintptr(unsafe.Pointer(pageEntry(start, 12, false)))
	for va := start; va < end; va += pageSize {
		if *p64(e) == 0 {
			f := frameAlloc()
			if f == 0 {
				return false
			}
			*p64(e) = uint64(f) | bits
		}
		e += 8
	}
	return true
}

// lastWords is called when a page cannot be had. The first time the program gets the
// reserve and a fault, so that it can show what it was doing; then it ends.
func lastWords() {
	if exhausted {
		noMemory()
	}
	outOfMemory()
	exhausted = true
	reserve = 0
}
