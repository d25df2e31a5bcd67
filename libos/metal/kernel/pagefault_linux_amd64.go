package kernel

// Memory of the program comes into being when it is first touched.

// faultAround is how many pages around the one that was touched come with it
// while memory is plentiful: a power of two.
const (
	faultAround    = 8
	plentyOfFrames = 4096
)

var faults uint64 // page faults served

// demand serves the page fault at address va: it maps a zeroed page there if
// the program may have one. false says that the fault is the program's mistake.
func demand(va uintptr, err uint64) bool {
	if err&faultPresent != 0 {
		return false // there is a page, and what was tried is not allowed there
	}
	a := space.at(va)
	if a == nil || err&faultFetch != 0 {
		return false
	}
	prot := a.prot()
	if prot == 0 || err&faultWrite != 0 && prot&protWrite == 0 {
		return false
	}
	faults++
	if !mapFresh(pageDown(va), prot) {
		lastWords()
		return false
	}
	if frames.free >= plentyOfFrames {
		first := va &^ (faultAround*pageSize - 1)
		for p := max(first, a.start()); p < min(first+faultAround*pageSize, a.end); p += pageSize {
			mapFresh(p, prot)
		}
	}
	return true
}

// mapFresh maps a zeroed page at va unless one is there; false says that there is no memory.
func mapFresh(va uintptr, prot uint32) bool {
	e := pageEntry(va, 12, true)
	if e == nil {
		return false
	}
	if *e != 0 {
		return true
	}
	f := frameAlloc()
	if f == 0 {
		return false
	}
	*e = uint64(f) | protBits(prot)
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
