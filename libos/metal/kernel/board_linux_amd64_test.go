package kernel

import (
	"encoding/binary"
	"slices"
	host "syscall" // the package has a function of that name
	"testing"
	"unsafe"
)

// testMemory is the physical memory of machines that tests make up: 8 GiB, of which
// only what is touched takes any.
const testMemory = 8 << 30

var testPhysical = func() uintptr {
	mem, err := host.Mmap(-1, 0, testMemory, host.PROT_READ|host.PROT_WRITE, host.MAP_PRIVATE|host.MAP_ANON|host.MAP_NORESERVE)
	if err != nil {
		panic(err)
	}
	return uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
}()

// A board is a machine that a test makes up.
type board struct {
	t    testing.TB
	used []Window // to be cleared
}

// newBoard returns one with nothing on it, and forgets what discovery knew.
func newBoard(t testing.TB) *board {
	b := &board{t: t}
	forget := func() {
		physicalBase, physicalEnd = testPhysical, testMemory
		clear(devices[:])
		clear(ioapics[:])
		clear(ecams[:])
		clear(overrides[:])
		deviceCount, ioapicCount, ecamCount, missed, lapicPhys = 0, 0, 0, false, 0xfee00000
		fadt.pm1aControl, fadt.pm1bControl, fadt.sleep, fadt.soft, fadt.button = 0, 0, register{}, false, false
		fadt.softTypeA, fadt.softTypeB = 0, 0
		events.interrupt, events.address, events.mask, events.width = false, 0, 0, 0
		pciWindow.next, pciWindow.end = 0, 0
		for _, w := range b.used {
			clear(unsafe.Slice(p8(testPhysical+w.Address), w.Size))
		}
	}
	forget()
	t.Cleanup(func() { forget(); physicalBase, physicalEnd = 0, 1<<32 })
	return b
}

// put lays bytes at a physical address.
func (b *board) put(at uintptr, p []byte) {
	b.t.Helper()
	if at+uintptr(len(p)) > testMemory {
		b.t.Fatalf("%#x is beyond the test's memory", at)
	}
	b.used = append(b.used, Window{at, uintptr(len(p))})
	copy(unsafe.Slice(p8(testPhysical+at), len(p)), p)
}

func le16(v uint16) []byte { return binary.LittleEndian.AppendUint16(nil, v) }
func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
func le64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }

// balance sets p[at] so that the bytes of p add up to 0.
func balance(p []byte, at int) []byte {
	p[at] = 0
	var sum byte
	for _, c := range p {
		sum += c
	}
	p[at] = -sum
	return p
}

// acpiTable is a table with that body after its header.
func acpiTable(sign string, revision byte, body ...[]byte) []byte {
	p := slices.Concat([]byte(sign), le32(0), []byte{revision, 0}, []byte("TESTER"), []byte("TESTTABL"), le32(1), []byte("TEST"), le32(1))
	p = append(p, slices.Concat(body...)...)
	binary.LittleEndian.PutUint32(p[4:], uint32(len(p)))
	return balance(p, 9)
}

// root is the root pointer: to an XSDT, or in its first version to an RSDT.
func acpiRoot(revision byte, table uint64) []byte {
	p := slices.Concat([]byte("RSD PTR "), []byte{0}, []byte("TESTER"), []byte{revision}, le32(uint32(table)))
	if revision < 2 {
		return balance(p, 8)
	}
	p = slices.Concat(p, le32(36), le64(table), make([]byte, 4))
	balance(p[:20], 8)
	return balance(p, 32)
}

// fixed is a FADT of n bytes with some of them set.
func fixedTable(n int, set map[int][]byte) []byte {
	p := acpiTable("FACP", 6, make([]byte, n-tableHeader))
	for at, v := range set {
		copy(p[at:], v)
	}
	return balance(p, 9)
}

// register of the fixed table: space 0 is memory, 1 ports.
func address(space byte, at uint64) []byte {
	return slices.Concat([]byte{space, 8, 0, 1}, le64(at))
}

// Byte code.

func code(parts ...[]byte) []byte { return slices.Concat(parts...) }

// sized is op, and a body after its own length.
func sized(op []byte, body ...[]byte) []byte {
	p := slices.Concat(body...)
	n := len(p)
	var length []byte
	switch {
	case n+1 < 1<<6:
		length = []byte{byte(n + 1)}
	case n+2 < 1<<12:
		length = []byte{1<<6 | byte((n+2)&15), byte((n + 2) >> 4)}
	default:
		length = []byte{2<<6 | byte((n+3)&15), byte((n + 3) >> 4), byte((n + 3) >> 12)}
	}
	return slices.Concat(op, length, p)
}

func deviceCode(name string, body ...[]byte) []byte {
	return sized([]byte{amlExt, amlDevice}, append([][]byte{[]byte(name)}, body...)...)
}

func nameCode(name string, value []byte) []byte { return code([]byte{amlName}, []byte(name), value) }
func textCode(s string) []byte                  { return code([]byte{amlString}, []byte(s), []byte{0}) }
func byteCode(v byte) []byte                    { return []byte{amlByte, v} }
func dwordCode(v uint32) []byte                 { return code([]byte{amlDWord}, le32(v)) }

// resourcesCode is a buffer of descriptors, closed by an end tag.
func resourcesCode(descriptors ...[]byte) []byte {
	p := code(append(descriptors, []byte{0x79, 0})...)
	return sized([]byte{amlBuffer}, byteCode(byte(len(p))), p)
}

func fixed32(at, n uint32) []byte {
	return code([]byte{resourceFixed32, 9, 0, 1}, le32(at), le32(n))
}

func extended(flags byte, gsi uint32) []byte {
	return code([]byte{resourceIRQs, 6, 0, flags, 1}, le32(gsi))
}

func dwordMemory(general byte, from, to uint32) []byte {
	return code([]byte{resourceDWord, 23, 0, 0, general, 1}, le32(0), le32(from), le32(to), le32(0), le32(to-from+1))
}

func qwordMemory(general byte, from, to uint64) []byte {
	return code([]byte{resourceQWord, 43, 0, 0, general, 1}, le64(0), le64(from), le64(to), le64(0), le64(to-from+1))
}

// registersMMIO lays the registers of a device of a kind at a physical address.
func (b *board) registersMMIO(at uintptr, version, kind uint32) {
	b.put(at, slices.Concat(le32(mmioMagic), le32(version), le32(kind), make([]byte, 0x100)))
}

func found() []Device { return devices[:deviceCount] }
