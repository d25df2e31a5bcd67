package kernel

import "unsafe"

// What the VMM hands over (struct hvm_start_info of Xen's PVH boot protocol), and
// how memory is put in order from it.

const (
	imageBase      = 0x400000 // where the linker lays a program that has a fixed place
	bootMagic      = 0x336ec578
	maxEntries     = 1024    // of the memory map
	lowMemory      = 1 << 20 // below are firmware and what the VMM left
	bootMapped     = 1 << 32 // physical memory that the boot code's tables reach
	reservedFrames = 32      // for the program's last words
)

var (
	commandLine    [4096]byte
	commandLineLen int
	rsdp           uintptr // physical address of ACPI's root pointer, 0 if the VMM gave none
	ram            frameMap
	lowRAM         frameRange // below lowMemory
	exhausted      bool       // memory ran out, and the program was told
	imageEnd       uintptr    // end of the image in memory, bss included
	residentEnd    uintptr    // end of the part of it that is there from the start
)

// memoryInit reads the start info at physical address info and builds the tables
// of frames and pages. From here on frames can be had.
func memoryInit(info uintptr) {
	pitStart()
	if info >= bootMapped-pageSize || *p32(direct + info) != bootMagic {
		kdie("not started by the PVH boot protocol: the start info is not where it should be")
	}
	readCommandLine(uintptr(*p64(direct + info + 24)))
	rsdp = uintptr(*p64(direct + info + 32))
	if *p32(direct + info + 4) < 1 || *p32(direct + info + 48) == 0 {
		kdie("the VMM gave no memory map (PVH start info of version 0)")
	}
	readMemoryMap(uintptr(*p64(direct + info + 40)), uintptr(*p32(direct + info + 48)))
	imageEnd = imageBase
	cleared := imageEnd
	for i := uintptr(0); i < imageSegments(); i++ {
		s := imageSegment(i)
		imageEnd = max(imageEnd, s.end)
		if s.loaded {
			cleared = max(cleared, s.end)
		}
	}
	residentEnd = min(imageEnd, kernelEnd())
	if residentEnd > cleared {
		kdie("the kernel's variables lie where the VMM has not cleared the memory")
	}
	if !ram.holds(imageBase, residentEnd) {
		kdie("the image does not fit into the memory of the machine: give it more")
	}
	if r := ram.ranges[0]; r.start < lowMemory {
		lowRAM = frameRange{max(r.start, pageSize), min(r.end, lowMemory)} // frame 0 means none
	}
	ram.remove(0, lowMemory)
	ram.remove(imageBase, residentEnd)
	framesInit()
	pagesInit()
	reserve = reservedFrames
}

// memoryReclaim takes the RAM below 1 MiB too, when nothing that the VMM or the
// firmware left there is needed any more: after discover.
func memoryReclaim() {
	frames.addRange(lowRAM.start, lowRAM.end)
}

func readCommandLine(phys uintptr) {
	if phys == 0 || phys >= bootMapped-uintptr(len(commandLine)) {
		return
	}
	for commandLineLen < len(commandLine) {
		c := *p8(direct + phys + uintptr(commandLineLen))
		if c == 0 {
			return
		}
		commandLine[commandLineLen] = c
		commandLineLen++
	}
	kdie("the kernel command line has 4,096 bytes or more")
}

// readMemoryMap collects the RAM of the map at phys.
func readMemoryMap(phys, count uintptr) {
	if count > maxEntries || phys >= bootMapped-count*mapEntry {
		kdie("the memory map has more than 1,024 entries, or lies above 4 GiB")
	}
	if !ram.read(direct+phys, count) || !ram.trim() {
		kputs("cairn: kernel: the memory map is in too many pieces, or too far apart; some RAM is not used\n")
	}
}

// framesInit lays the table of frames into the lowest RAM that holds it, and
// everything else that is RAM into the table.
func framesInit() {
	size := pageUp(frameTableSize(ram.end()))
	for i := range ram.n {
		r := ram.ranges[i]
		if r.end-r.start < size || r.start+size > bootMapped {
			continue
		}
		ram.remove(r.start, r.start+size)
		zero(direct+r.start, size)
		frames.init(direct+r.start, ram.end())
		for i := range ram.n {
			frames.addRange(ram.ranges[i].start, ram.ranges[i].end)
		}
		return
	}
	kdie("no RAM is left beside the image: give the machine more memory")
}

// pagesInit builds and loads the page tables: the direct map of RAM, and the image up to residentEnd.
func pagesInit() {
	_, _, _, d := cpuid(0x80000001, 0)
	hugePages = d>>26&1 != 0
	root = frameAlloc()
	if root == 0 {
		noMemory()
	}
	tableFrames = 1
	mapDirect(0, residentEnd, 0)
	for i := range ram.n {
		mapDirect(ram.ranges[i].start, ram.ranges[i].end, 0)
	}
	mapImage(residentEnd)
	unmapGuards()
	if residentEnd < imageEnd {
		space.set(residentEnd, imageEnd, protRead|protWrite)
	}
	writeCR3(uint64(root))
}

// kernelEnd is the end of the kernel's own variables. The linker sorts those
// without pointers by size, so the largest are the last; what comes behind them,
// tables of the program that may be huge, is backed only where it is touched.
func kernelEnd() uintptr {
	areas := uintptr(unsafe.Pointer(&space)) + unsafe.Sizeof(space)
	return pageUp(max(areas, stackPage(interruptStackEnd)))
}

// A segment is a part of the image in memory, in whole pages.
type segment struct {
	start, end uintptr
	prot       uint32
	loaded     bool // the VMM has: it leaves a segment alone that has nothing in the file
}

// imageSegments is the number of program headers of the image.
func imageSegments() uintptr { return uintptr(*p16(imageBase + 56)) }

// imageSegment reads program header i; a header that loads nothing gives the zero segment.
func imageSegment(i uintptr) segment {
	const load = 1
	h := imageBase + uintptr(*p64(imageBase + 32)) + i*56
	if *p32(h) != load {
		return segment{}
	}
	flags := *p32(h + 4)
	va := uintptr(*p64(h + 16))
	return segment{
		start:  pageDown(va),
		end:    pageUp(va + uintptr(*p64(h + 40))),
		prot:   flags>>2&1*protRead | flags&2 | flags&1*protExec,
		loaded: *p64(h + 32) > 0,
	}
}

// memoryFree is what the program may use, in bytes: for GOMEMLIMIT, so that the
// collector works harder before memory runs out.
func memoryFree() uintptr { return memoryLimit(frames.free * pageSize) }

// memoryLimit is what of the free bytes is for Go: 15/16. The rest is for page tables,
// pages of threads, and what is allocated while the collector is at work; where memory is
// scarce that is 512 KiB, but at most a quarter.
func memoryLimit(free uintptr) uintptr {
	return free - max(free/16, min(512<<10, free/4))
}

// outOfMemory says how much memory there was and who has it.
func outOfMemory() {
	program := frames.total - frames.free - tableFrames - contigFrames
	kputs("\ncairn: out of memory: of ")
	kKiB(frames.total*pageSize + residentEnd - imageBase)
	kputs(" the image has ")
	kKiB(residentEnd - imageBase)
	kputs(", page tables ")
	kKiB(tableFrames * pageSize)
	kputs(", devices ")
	kKiB(contigFrames * pageSize)
	kputs(", the program ")
	kKiB(program * pageSize)
	kputs("; give the machine more\n")
}

func kKiB(bytes uintptr) {
	kdec(uint64(bytes >> 10))
	kputs(" KiB")
}

// noMemory ends the machine, for lack of memory.
func noMemory() {
	outOfMemory()
	kdie("out of memory")
}
