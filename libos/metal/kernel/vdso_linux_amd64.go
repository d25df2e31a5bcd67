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

type vdsoImage struct {
	header  elfHeader
	program [2]elfProgram
	dynamic [5]elfDynamic
	symbols [2]elfSymbol
	version elfVersion
	hash    [5]uint32
	strings [40]uint8
}

const (
	vdsoSymbol      = "__vdso_clock_gettime"
	vdsoVersion     = "LINUX_2.6"
	vdsoVersionHash = 0x3ae75f6 // of its name, as ELF hashes names
)

// vdso is the image, but for what only vdsoInit can say. Offsets and addresses in it count from its
// start. The constants are those of the ELF specification.
var vdso = vdsoImage{
	header: elfHeader{
		ident: [16]uint8{0x7f, 'E', 'L', 'F', 2, 1, 1}, kind: 3, machine: 62, version: 1,
		phoff: uint64(unsafe.Offsetof(vdsoImage{}.program)), ehsize: 64, phentsize: 56, phnum: 2,
	},
	program: [2]elfProgram{
		{kind: 1, flags: 4, filesz: uint64(unsafe.Sizeof(vdsoImage{})), memsz: uint64(unsafe.Sizeof(vdsoImage{})), align: pageSize}, // LOAD
		{kind: 2, flags: 4, offset: uint64(unsafe.Offsetof(vdsoImage{}.dynamic))},                                                   // DYNAMIC
	},
	dynamic: [5]elfDynamic{
		{4, uint64(unsafe.Offsetof(vdsoImage{}.hash))},             // HASH
		{5, uint64(unsafe.Offsetof(vdsoImage{}.strings))},          // STRTAB
		{6, uint64(unsafe.Offsetof(vdsoImage{}.symbols))},          // SYMTAB
		{0x6ffffffc, uint64(unsafe.Offsetof(vdsoImage{}.version))}, // VERDEF
	},
	symbols: [2]elfSymbol{1: {name: 1, info: 1<<4 | 2, section: 0xfff1}}, // global function, absolute
	version: elfVersion{version: 1, index: 1, count: 1, hash: vdsoVersionHash, aux: 20, auxName: 2 + uint32(len(vdsoSymbol))},
	hash:    [5]uint32{1, 2, 1, 0, 0}, // one bucket, which begins with symbol 1; chains of 0 and 1, which end
}

func vdsoInit() {
	vdso.symbols[1].value = uint64(vdsoFunction() - vdsoBase())
	copy(vdso.strings[1:], vdsoSymbol)
	copy(vdso.strings[2+len(vdsoSymbol):], vdsoVersion)
}

// vdsoBase is the address for the auxiliary vector.
func vdsoBase() uintptr { return uintptr(unsafe.Pointer(&vdso)) }

// vdsoFunction is the address of vdsoClockGettime: clock_gettime(2) as C calls it,
// without a trap. It reads clockPage.
func vdsoFunction() uintptr
