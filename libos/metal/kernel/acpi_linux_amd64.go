package kernel

// ACPI: the tables in which a machine says what it consists of (ACPI 6.5, 5.2).
// They are read once, at boot, by code that trusts no length in them: a table
// that is longer than maxTable, does not add up or lies where nothing can be read
// is as good as absent.

// Physical memory as discovery sees it: bytes up to physicalEnd, mapped where
// they are wanted. In tests physical address a is at physicalBase+a.
var (
	physicalBase uintptr
	physicalEnd  uintptr = 1 << 32
)

const maxTable = 1 << 20 // bytes

// physical is where n bytes at physical address a are mapped; 0 if they cannot be read.
func physical(a, n uintptr) uintptr {
	if a == 0 || n > physicalEnd || a > physicalEnd-n {
		return 0
	}
	return mapped(a, n)
}

// mapped is where n bytes of a device, or of a table, at physical address a are
// mapped; 0 if they cannot be.
func mapped(a, n uintptr) uintptr {
	if physicalBase == 0 {
		return mapDevice(a, n)
	}
	if n > physicalEnd || a > physicalEnd-n {
		return 0
	}
	return physicalBase + a
}

// Signatures of tables, as numbers.
const (
	signRoot32 = 'R' | 'S'<<8 | 'D'<<16 | 'T'<<24
	signRoot64 = 'X' | 'S'<<8 | 'D'<<16 | 'T'<<24
	signMADT   = 'A' | 'P'<<8 | 'I'<<16 | 'C'<<24
	signFADT   = 'F' | 'A'<<8 | 'C'<<16 | 'P'<<24
	signDSDT   = 'D' | 'S'<<8 | 'D'<<16 | 'T'<<24
	signSSDT   = 'S' | 'S'<<8 | 'D'<<16 | 'T'<<24
	signMCFG   = 'M' | 'C'<<8 | 'F'<<16 | 'G'<<24
)

const tableHeader = 36 // bytes before a table's own

// table is the table at physical address p: where it is mapped and how many
// bytes it has; 0, 0 if there is none that can be believed.
func table(p uintptr) (a, n uintptr) {
	a = physical(p, tableHeader)
	if a == 0 {
		return 0, 0
	}
	n = uintptr(*p32(a + 4))
	if n < tableHeader || n > maxTable || physical(p, n) == 0 || sum(a, n) != 0 {
		return 0, 0
	}
	return a, n
}

// sum adds up n bytes, which makes 0 where they are what somebody wrote.
func sum(a, n uintptr) (s uint8) {
	for i := uintptr(0); i < n; i++ {
		s += *p8(a + i)
	}
	return s
}

// findRoot is the physical address of the root pointer structure: the one that the
// monitor named, or else the one in the BIOS's area. 0: there is no ACPI.
func findRoot(named uintptr) uintptr {
	if isRoot(named) {
		return named
	}
	const start, end = 0xe0000, 0x100000
	a := physical(start, end-start)
	for i := uintptr(0); a != 0 && i < end-start; i += 16 {
		if *p64(a + i) == rootMagic && isRoot(start+i) {
			return start + i
		}
	}
	return 0
}

const (
	rootMagic = 'R' | 'S'<<8 | 'D'<<16 | ' '<<24 | 'P'<<32 | 'T'<<40 | 'R'<<48 | ' '<<56
	rootSize  = 20 // bytes of the first version
	rootSize2 = 36
)

func isRoot(p uintptr) bool {
	a := physical(p, rootSize)
	return a != 0 && *p64(a) == rootMagic && sum(a, rootSize) == 0
}

// readTables reads every table that the root pointer at physical address
// root leads to: the byte code needs what the fixed tables say, so there are two rounds.
func readTables(root uintptr) {
	eachTable(root, false)
	eachTable(root, true)
}

func eachTable(root uintptr, code bool) {
	a := physical(root, rootSize)
	if a == 0 {
		return
	}
	if *p8(a + 15) >= 2 && physical(root, rootSize2) != 0 {
		if t, n := table(uintptr(*p64(a + 24))); t != 0 && *p32(t) == signRoot64 {
			for i := uintptr(tableHeader); i+8 <= n; i += 8 {
				readTable(uintptr(*p64(t + i)), code)
			}
			return
		}
	}
	if t, n := table(uintptr(*p32(a + 16))); t != 0 && *p32(t) == signRoot32 {
		for i := uintptr(tableHeader); i+4 <= n; i += 4 {
			readTable(uintptr(*p32(t + i)), code)
		}
	}
}

// readTable reads the table at physical address p, if it is one of those with
// byte code, or of the others.
func readTable(p uintptr, code bool) {
	a, n := table(p)
	if a == 0 {
		return
	}
	switch sign := *p32(a); {
	case sign == signMADT && !code:
		readMADT(a, n)
	case sign == signMCFG && !code:
		readMCFG(a, n)
	case sign == signFADT && !code:
		readFADT(a, n)
	case sign == signFADT:
		readDSDT(a, n)
	case sign == signSSDT && code:
		readAML(a+tableHeader, n-tableHeader)
	}
}

// readDSDT reads the first table of byte code, which the FADT at a leads to.
func readDSDT(a, n uintptr) {
	if n < 44 {
		return
	}
	p := uintptr(*p32(a + 40))
	if n >= 148 && *p64(a + 140) != 0 {
		p = uintptr(*p64(a + 140))
	}
	if d, n := table(p); d != 0 && *p32(d) == signDSDT {
		readAML(d+tableHeader, n-tableHeader)
	}
}
