package kernel

import "unsafe"

// The processor's tables: segments, the task state with its stacks, vectors,
// and where SYSCALL leads.

// Selectors. All code runs in ring 0; two code segments that differ in
// nothing but their number tell an interrupt what it interrupted.
const (
	kernelCode = 0x08
	flatData   = 0x10
	threadCode = 0x18
	taskState  = 0x20
)

// Vectors: 0 to 31 are the processor's exceptions, the rest are interrupts.
const (
	exceptions     = 32
	vectorTimer    = 94
	vectorSpurious = 95
	vectors        = 96
)

// Interrupt stacks in the task state.
const (
	istInterrupt = 1 + iota
	istFault
	istFatal
)

var (
	gdt [6]uint64
	idt [2 * vectors]uint64
	tss [26]uint32
	dtr [2]uint64 // limit and base, as LGDT and LIDT take them
)

// tablesInit loads the tables and turns on SYSCALL and the FPU's full width.
func tablesInit() {
	gdt[kernelCode/8] = 0x00af9b000000ffff
	gdt[flatData/8] = 0x00cf93000000ffff
	gdt[threadCode/8] = 0x00af9b000000ffff
	t := uint64(uintptr(unsafe.Pointer(&tss)))
	gdt[taskState/8] = 103 | t&0xffffff<<16 | 0x89<<40 | t>>24&0xff<<56
	gdt[taskState/8+1] = t >> 32
	lgdt(tableAt(uintptr(unsafe.Pointer(&gdt)), unsafe.Sizeof(gdt)))

	setIST(istInterrupt, stackPage(interruptStackEnd))
	setIST(istFault, stackPage(faultStackEnd))
	setIST(istFatal, stackPage(fatalStackEnd))
	tss[25] = 104 << 16 // no I/O permission map
	ltr(taskState)

	for v := uintptr(0); v < vectors; v++ {
		h := uint64(addressOfVectors() + v*vectorSize)
		idt[2*v] = h&0xffff | kernelCode<<16 | istOf(v)<<32 | 0x8e<<40 | h>>16&0xffff<<48
		idt[2*v+1] = h >> 32
	}
	lidt(tableAt(uintptr(unsafe.Pointer(&idt)), unsafe.Sizeof(idt)))

	const star, lstar, fmask = 0xc0000081, 0xc0000082, 0xc0000084
	wrmsr(star, kernelCode<<32)
	wrmsr(lstar, uint64(addressOfSyscall()))
	wrmsr(fmask, 0x47700) // off: trap, interrupts, direction, I/O level, nested task, alignment check
}

func tableAt(base, size uintptr) uintptr {
	dtr[0] = uint64(size-1) | uint64(base)<<16
	dtr[1] = uint64(base) >> 48
	return uintptr(unsafe.Pointer(&dtr))
}

func setIST(i int, top uintptr) {
	tss[7+2*i] = uint32(top)
	tss[8+2*i] = uint32(top >> 32)
}

func istOf(vector uintptr) uint64 {
	switch {
	case vector >= exceptions:
		return istInterrupt
	case vector == exceptionNMI || vector == exceptionDouble || vector == exceptionMachine:
		return istFatal
	}
	return istFault
}
