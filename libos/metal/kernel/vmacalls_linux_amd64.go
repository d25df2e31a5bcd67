package kernel

// The system calls that change the program's address space: mmap(2), munmap(2),
// mprotect(2), madvise(2), for anonymous private memory without PROT_EXEC.

const (
	mapFixed     = 0x10
	mapAnonymous = 0x20

	// Where a mapping goes that names no place.
	mmapLow  = 0x8000000000
	mmapHigh = 0xc000000000

	// The program's half of the address space.
	userLow  = 0x10000
	userHigh = 0x7ffffffff000
)

const (
	adviseDontNeed = 4
	adviseFree     = 8
	adviseHuge     = 14
	adviseNoHuge   = 15
	adviseCollapse = 25
)

// userRange rounds n up to pages and says whether addr and n are a range of the program's half.
func userRange(addr, n uintptr) (uintptr, bool) {
	n = pageUp(n)
	return n, addr%pageSize == 0 && n != 0 && addr >= userLow && addr < userHigh && n <= userHigh-addr
}

// sysMmap maps n bytes of zeroed memory at or near addr and returns where they are.
func sysMmap(addr, n uintptr, prot, flags uint32) uintptr {
	if n == 0 {
		return einval
	}
	if flags&mapAnonymous == 0 {
		return enodev
	}
	if prot&protExec != 0 {
		return eacces
	}
	if flags&mapFixed == 0 {
		addr = placeFor(addr, n)
		if addr == 0 {
			return enomem
		}
	}
	n, ok := userRange(addr, n)
	if !ok || overlapsImage(addr, n) {
		return einval
	}
	if !space.set(addr, addr+n, prot) {
		return enomem
	}
	unmapPages(addr, addr+n)
	return addr
}

// placeFor returns the address for a mapping that would like to be at hint; 0 if there is none.
func placeFor(hint, n uintptr) uintptr {
	hint = pageUp(hint)
	if n, ok := userRange(hint, n); ok && space.vacant(hint, hint+n) && !overlapsImage(hint, n) {
		return hint
	}
	n = pageUp(n)
	if n == 0 {
		return 0
	}
	return space.gap(n, mmapLow, mmapHigh)
}

// overlapsImage says whether the range touches the part of the image that is always there.
func overlapsImage(addr, n uintptr) bool { return addr < residentEnd && addr+n > imageBase }

// sysMunmap takes the range away.
func sysMunmap(addr, n uintptr) uintptr {
	n, ok := userRange(addr, n)
	if !ok || overlapsImage(addr, n) {
		return einval
	}
	if !space.clear(addr, addr+n) {
		return enomem
	}
	unmapPages(addr, addr+n)
	return 0
}

// sysMprotect changes the protection of the range, all of which must be mapped.
func sysMprotect(addr, n uintptr, prot uint32) uintptr {
	if prot&protExec != 0 {
		return eacces
	}
	n, ok := userRange(addr, n)
	if !ok || overlapsImage(addr, n) {
		return einval
	}
	if !space.covered(addr, addr+n) || !space.set(addr, addr+n, prot) {
		return enomem
	}
	protectPages(addr, addr+n, protBits(prot))
	return 0
}

// sysMadvise gives pages back that the program no longer needs; other advice is noted and changes nothing.
func sysMadvise(addr, n uintptr, advice uint32) uintptr {
	n, ok := userRange(addr, n)
	if !ok || overlapsImage(addr, n) {
		return einval
	}
	switch advice {
	case adviseDontNeed, adviseFree:
		unmapPages(addr, addr+n)
		return 0
	case adviseHuge, adviseNoHuge, adviseCollapse:
		return 0
	}
	return einval
}

// vmaAdd makes the range part of the program's address space.
func vmaAdd(start, end uintptr, prot uint32) {
	if !space.set(start, end, prot) {
		kdie("the address space has too many areas")
	}
}
