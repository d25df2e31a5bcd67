package kernel

import "unsafe"

// Page tables. Everything is in one address space and runs in ring 0, so SMEP and
// SMAP, which keep ring 0 from the pages of ring 3, have nothing to keep apart.
// What does hold, because CR0.WP and EFER.NXE are set:
//
//   - No page is both writable and executable, and none can be made so: mmap and
//     mprotect refuse PROT_EXEC.
//   - The low half has the image with the permissions of its ELF segments, and
//     what the program mapped; page 0 is never there.
//   - The direct map of physical memory, in the high half, is not executable, and
//     text and read-only data are read-only in it too. All else can be written there.
//   - The page below each kernel stack is absent.
//
// The direct map uses pages of 1 GiB where the processor has them, else of 2 MiB,
// so that it costs next to no memory.

const (
	ptePresent  = 1 << 0
	pteWrite    = 1 << 1
	pteUncached = 1<<3 | 1<<4 // write-through and cache disable: strong uncached in any PAT
	pteLarge    = 1 << 7      // in a page directory: a page of 2 MiB; one level up: of 1 GiB
	pteGlobal   = 1 << 8
	pteNX       = 1 << 63
	pteFrame    = 0x000ffffffffff000

	largeSize = 2 << 20
	hugeSize  = 1 << 30
)

var (
	root        uintptr // physical address of the top page table
	tableFrames uintptr // page tables, with that one
	hugePages   bool    // the processor has pages of 1 GiB
)

// protBits are the bits of a page of protection prot.
func protBits(prot uint32) uint64 {
	if prot&(protRead|protWrite|protExec) == 0 {
		return 0
	}
	bits := uint64(ptePresent)
	if prot&protWrite != 0 {
		bits |= pteWrite
	}
	if prot&protExec == 0 {
		bits |= pteNX
	}
	return bits
}

// pageEntry returns the entry for va at the level of shift (12, 21 or 30: 4 KiB,
// 2 MiB, 1 GiB). Tables on the way that are absent are made if create. It returns
// nil if there is no way: a table is absent still, or a larger page is there.
func pageEntry(va uintptr, shift uint, create bool) *uint64 {
	table := root
	for s := uint(39); ; s -= 9 {
		e := tableEntry(table, va, s)
		if s == shift {
			return e
		}
		if *e == 0 && create {
			*e = tableNew()
		}
		if *e&ptePresent == 0 || *e&pteLarge != 0 {
			return nil
		}
		table = uintptr(*e & pteFrame)
	}
}

func tableEntry(table, va uintptr, shift uint) *uint64 {
	return p64(direct + table + (va>>shift&511)*8)
}

// tableNew is an entry that points to a new, empty table; 0 if there is no memory.
func tableNew() uint64 {
	f := frameAlloc()
	if f == 0 {
		return 0
	}
	tableFrames++
	return uint64(f) | ptePresent | pteWrite
}

// mapDirect puts physical memory from start to end, rounded outwards to 2 MiB, into
// the direct map. What is there already stays as it is.
func mapDirect(start, end uintptr, bits uint64) {
	bits |= ptePresent | pteWrite | pteNX | pteGlobal | pteLarge
	for a := start &^ (largeSize - 1); a < end; a += largeSize {
		if hugePages && a%hugeSize == 0 && end-a >= hugeSize {
			if e := directEntry(a, 30); *e == 0 {
				*e = uint64(a) | bits
				a += hugeSize - largeSize
				continue
			}
		}
		if e := directEntry(a, 21); e != nil && *e == 0 {
			*e = uint64(a) | bits
		}
	}
}

// directEntry is pageEntry for physical address a in the direct map; nil says that a larger page is there.
func directEntry(a uintptr, shift uint) *uint64 {
	e := pageEntry(direct+a, shift, true)
	if e == nil {
		if huge := pageEntry(direct+a, 30, false); huge == nil || *huge&pteLarge == 0 {
			noMemory() // for a table on the way
		}
	}
	return e
}

// mapDevice makes the registers at physical address phys accessible, uncached
// unless they lie within 2 MiB of RAM, and returns their address in the direct map.
func mapDevice(phys, size uintptr) uintptr {
	if phys >= maxMemory || size > maxMemory-phys {
		kdie("the registers of a device lie above 64 TiB")
	}
	mapDirect(phys, phys+size, pteUncached)
	return direct + phys
}

// directReadOnly takes the right to write from the direct map's view of the pages from start to end.
func directReadOnly(start, end uintptr) {
	for a := start; a < end; {
		next := min(a&^(largeSize-1)+largeSize, end)
		e := directEntry(a, 21)
		if next-a == largeSize {
			*e &^= pteWrite
			a = next
			continue
		}
		if *e&pteLarge != 0 && !splitLarge(e) {
			noMemory()
		}
		for p := entryAddress(direct + a); a < next; a += pageSize {
			*p64(p) &^= pteWrite
			p += 8
		}
	}
}

// splitLarge makes a page of 2 MiB into 512 of 4 KiB.
func splitLarge(e *uint64) bool {
	table := tableNew()
	if table == 0 {
		return false
	}
	for i := range uint64(512) {
		*p64(direct + uintptr(table&pteFrame) + uintptr(i)*8) = *e&^pteLarge + i*pageSize
	}
	*e = table
	return true
}

// mapImage maps the program where it was loaded, with the permissions of its ELF segments, up to limit.
func mapImage(limit uintptr) {
	readOnlyEnd := limit // the linker lays what can be written last
	for i := uintptr(0); i < imageSegments(); i++ {
		s := imageSegment(i)
		if s.prot&(protWrite|protExec) == protWrite|protExec {
			kdie("a segment of the image is both writable and executable")
		}
		bits := protBits(s.prot) | pteGlobal
		var e uintptr
		for a := s.start; a < min(s.end, limit); a += pageSize {
			if e%pageSize == 0 { // the first, or the last table is full
				e = entryAddress(a)
			}
			*p64(e) = uint64(a) | bits
			e += 8
		}
		if s.prot&protWrite != 0 {
			readOnlyEnd = min(readOnlyEnd, s.start)
		}
	}
	directReadOnly(imageBase, readOnlyEnd)
}

// entryAddress is the address of the entry of the page at va; the entries of the pages
// that follow, in the same table, follow it.
func entryAddress(va uintptr) uintptr {
	e := pageEntry(va, 12, true)
	if e == nil {
		noMemory()
	}
	return uintptr(unsafe.Pointer(e))
}

// unmapGuards takes away the page below each kernel stack.
func unmapGuards() {
	for i := range guards {
		*pageEntry(guard(i), 12, false) = 0
	}
}
