package kernel

import "unsafe"

// The vDSO is how Linux gives a program functions that need no system call: an
// ELF image in memory, whose address is in the auxiliary vector. The Go runtime
// looks in it for __vdso_clock_gettime, and calls that for time.Now. This one
// is nothing but the tables that the runtime reads (runtime/vdso_linux.go); its
// one symbol leads to vdsoClockGettime, outside of it.

type (
	elfHeader struct {
		ident                      [16]uint8
		kind, machine              uint16
		version                    uint32
		entry, phoff, shoff        uint64
		flags                      uint32
		ehsize, phentsize, phnum   uint16
		shentsize, shnum, shstrndx uint16
	}
	elfProgram struct {
		kind, flags                                uint32
		offset, vaddr, paddr, filesz, memsz, align uint64
	}
	elfDynamic struct{ tag, value uint64 }
	elfSymbol  struct {
		name        uint32
		info, other uint8
		section     uint16
		value, size uint64
	}
	elfVersion struct {
		version, flags, index, count uint16
		hash, aux, next              uint32
		auxName, auxNext             uint32
	}
)

var vdso struct {
	header  elfHeader
	program [2]elfProgram
	dynamic [5]elfDynamic
	symbols [2]elfSymbol
	version elfVersion
	hash    [5]uint32 // one bucket, a chain of two
	strings [40]uint8
}

const (
	vdsoSymbol      = "__vdso_clock_gettime"
	vdsoVersion     = "LINUX_2.6"
	vdsoVersionHash = 0x3ae75f6 // of its name, as ELF hashes names
)

// vdsoInit fills the tables in. Offsets and addresses count from the image's start.
func vdsoInit() {
	v := &vdso
	base := uint64(vdsoBase())
	offset := func(p unsafe.Pointer) uint64 { return uint64(uintptr(p)) - base }
	v.header = elfHeader{
		ident: [16]uint8{0x7f, 'E', 'L', 'F', 2, 1, 1}, kind: 3, machine: 62, version: 1,
		phoff: offset(unsafe.Pointer(&v.program)), ehsize: 64, phentsize: 56, phnum: 2,
	}
	const load, dynamic = 1, 2
	size := uint64(unsafe.Sizeof(vdso))
	v.program[0] = elfProgram{kind: load, flags: 4, filesz: size, memsz: size, align: pageSize}
	v.program[1] = elfProgram{kind: dynamic, flags: 4, offset: offset(unsafe.Pointer(&v.dynamic))}

	const hash, strtab, symtab, verdef = 4, 5, 6, 0x6ffffffc
	v.dynamic = [5]elfDynamic{
		{hash, offset(unsafe.Pointer(&v.hash))},
		{strtab, offset(unsafe.Pointer(&v.strings))},
		{symtab, offset(unsafe.Pointer(&v.symbols))},
		{verdef, offset(unsafe.Pointer(&v.version))},
	}
	v.hash = [5]uint32{1, 2, 1, 0, 0} // one bucket, two in the chain; it begins at 1; the chain from 0, from 1
	const globalFunction, absolute = 1<<4 | 2, 0xfff1
	v.symbols[1] = elfSymbol{
		name: 1, info: globalFunction, section: absolute,
		value: uint64(vdsoFunction()) - base,
	}
	v.version = elfVersion{version: 1, index: 1, count: 1, hash: vdsoVersionHash, aux: 20, auxName: 2 + uint32(len(vdsoSymbol))}
	copy(v.strings[1:], vdsoSymbol)
	copy(v.strings[2+len(vdsoSymbol):], vdsoVersion)
}

// vdsoBase is the address for the auxiliary vector.
func vdsoBase() uintptr { return uintptr(unsafe.Pointer(&vdso)) }

// vdsoFunction is the address of vdsoClockGettime: clock_gettime(2) as C calls it,
// without a trap. It reads clockPage.
func vdsoFunction() uintptr
