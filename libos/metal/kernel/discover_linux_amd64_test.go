package kernel

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
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
		fadt.softTypeA, fadt.softTypeB, fadt.reset = 0, 0, register{}
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

// TestFirecracker reads tables as Firecracker writes them: revision 2, one behind the
// other without gaps, from the place where an EBDA was; devices are in the byte
// code and on the command line.
func TestFirecracker(t *testing.T) {
	b := newBoard(t)
	var dsdt []byte
	for i := range uint32(3) {
		b.registersMMIO(uintptr(0xc0001000+i<<12), 2, 1+i%2)
		dsdt = append(dsdt, deviceCode("V00"+string(rune('0'+i)),
			nameCode("_HID", textCode("LNRO0005")), nameCode("_UID", byteCode(byte(i))), nameCode("_CCA", []byte{1}),
			nameCode("_CRS", resourcesCode(fixed32(0xc0001000+i<<12, 0x1000), extended(3, 5+i))))...)
	}
	dsdt = append(dsdt, deviceCode("\x2e_SB_GED_", nameCode("_HID", textCode("ACPI0013")), nameCode("_CRS", resourcesCode(extended(3, 9))))...)
	at := uintptr(0x9fc00)
	place := func(p []byte) uint64 { was := at; b.put(at, p); at += uintptr(len(p)); return uint64(was) }
	d := place(acpiTable("DSDT", 2, dsdt))
	f := place(fixedTable(276, map[int][]byte{112: le32(flagReduced | 1<<4 | 1<<5), 140: le64(d)}))
	m := place(acpiTable("APIC", 6, le32(0xfee00000), le32(0), []byte{1, 12, 0, 0}, le32(0xfec00000), le32(0), []byte{0, 8, 0, 0, 1, 0, 0, 0}))
	x := place(acpiTable("XSDT", 1, le64(f), le64(m)))
	b.put(0xe0000, acpiRoot(2, x))

	root := findRoot(0)
	if root != 0xe0000 {
		t.Fatalf("the root pointer is at %#x, want it found at 0xe0000", root)
	}
	readTables(root)
	line := lineOf("reboot=k panic=1 virtio_mmio.device=4K@0xc0001000:5 virtio_mmio.device=4K@0xc0002000:6 virtio_mmio.device=4K@0xc0003000:7")
	readDeviceWords(line.text, line.n)
	if deviceCount != 3 {
		t.Fatalf("%d devices, want 3: those of both lists are the same", deviceCount)
	}
	for i, got := range found() {
		want := Device{Kind: 1 + uint32(i)%2, Bus: BusMMIO, Place: uintptr(0xc0001000 + i<<12), pin: 5 + uint32(i),
			Registers: Window{testPhysical + uintptr(0xc0001000+i<<12), 0x1000}}
		if got != want {
			t.Errorf("device %d is %+v, want %+v", i, got, want)
		}
	}
	if ioapicCount != 1 || ioapics[0].base != 0xfec00000 {
		t.Errorf("I/O APICs are %+v", ioapics[:ioapicCount])
	}
	if fadt.soft || fadt.button || events.mask != 0 {
		t.Error("a machine without soft-off and button has them")
	}
}

// TestCloudHypervisor reads tables as cloud-hypervisor writes them: from the root pointer
// that it names, in the EBDA; no fixed registers but a port for soft-off and one for reset;
// devices on PCI, placed.
func TestCloudHypervisor(t *testing.T) {
	b := newBoard(t)
	segment := deviceCode("\x2e_SB_PC00", nameCode("_HID", dwordCode(hidPCIe)), nameCode("_CID", dwordCode(hidPCI)), nameCode("_ADR", []byte{0}),
		nameCode("_SEG", []byte{0}), nameCode("_UID", []byte{0}), nameCode("_CCA", []byte{1}), nameCode("SUPP", []byte{0}),
		nameCode("_CRS", resourcesCode(code([]byte{resourceWord, 13, 0, 2, 0, 0}, make([]byte, 10)), []byte{0x47, 1, 0xf8, 0xc, 0xf8, 0xc, 1, 8},
			fixed32(0xe8000000, 1<<20), dwordMemory(0, 0xc0000000, 0xe7ffffff), qwordMemory(0, 1<<40, 1<<41-1))),
		deviceCode("S003", nameCode("_SUN", byteCode(3)), nameCode("_ADR", dwordCode(3<<16))))
	events := code(
		deviceCode("\x2e_SB_GEC_", nameCode("_HID", dwordCode(hidController)), nameCode("_UID", textCode("Generic Event Controller")),
			code([]byte{amlExt, amlRegion}, []byte("GDST"), []byte{0}, dwordCode(0xe7fff000), []byte{1}),
			[]byte{0x93, 0x61, 0x0a, 8, amlNotify, '\\', 0x2e}, []byte("_SB_PWRB"), byteCode(0x80)),
		deviceCode("\x2e_SB_GED_", nameCode("_HID", textCode("ACPI0013")), nameCode("_UID", []byte{0}), nameCode("_CRS", resourcesCode(extended(3, 6)))))
	soft := nameCode("_S5_", sized([]byte{amlPackage}, []byte{4}, byteCode(5), byteCode(5), []byte{0, 0}))
	at := uintptr(0xa0000 + rootSize2)
	place := func(p []byte) uint64 { was := at; b.put(at, p); at += uintptr(len(p)); return uint64(was) }
	d := place(acpiTable("DSDT", 6, segment, soft, events))
	f := place(fixedTable(276, map[int][]byte{112: le32(flagReduced | flagReset | 1<<8), 116: address(1, 0x600), 128: {1},
		140: le64(d), 244: address(1, 0x600), 256: address(1, 0x600)}))
	m := place(acpiTable("APIC", 5, le32(0xfee00000), le32(0), slices.Concat([]byte{9, 16, 0, 0}, make([]byte, 12)),
		[]byte{1, 12, 0, 0}, le32(0xfec00000), le32(0), []byte{2, 10, 0, 4}, le32(4), le16(0)))
	g := place(acpiTable("MCFG", 1, make([]byte, 8), le64(0xe8000000), le16(0), []byte{0, 0}, le32(0)))
	x := place(acpiTable("XSDT", 1, le64(f), le64(m), le64(g)))
	b.put(0xa0000, acpiRoot(2, x))

	readTables(findRoot(0xa0000))
	if !fadt.soft || fadt.softTypeA != 5 || fadt.sleep != (register{false, 0x600}) || fadt.reset != (register{false, 0x600}) || fadt.resetValue != 1 || fadt.button {
		t.Errorf("the fixed registers are %+v", fadt)
	}
	checkEvents(t, 6, 0xe7fff000, 1, 8)
	if want := (ecam{base: 0xe8000000}); ecamCount != 1 || ecams[0] != want {
		t.Errorf("configuration is at %+v, want %+v", ecams[:ecamCount], want)
	}
	if pciWindow.next != 0xc0000000 || pciWindow.end != 0xe8000000 {
		t.Errorf("the window is %+v", pciWindow)
	}
	if ioapicCount != 1 || !overrides[4].given || deviceCount != 0 {
		t.Errorf("%d I/O APICs, overrides %v, %d devices", ioapicCount, overrides, deviceCount)
	}
}

func checkEvents(t *testing.T, pin uint32, address uintptr, width uint64, mask uint32) {
	t.Helper()
	if e := events; !e.interrupt || e.pin != pin || e.level || e.low || e.address != address || e.width != width || e.mask != mask {
		t.Errorf("the event device is %+v, want pin %d, %d bytes at %#x, bit %#x", e, pin, width, address, mask)
	}
}

type commandText struct {
	text *[4096]byte
	n    int
}

func lineOf(s string) commandText {
	var text [4096]byte
	return commandText{&text, copy(text[:], s)}
}

// TestDeviceWords reads devices off the command line.
func TestDeviceWords(t *testing.T) {
	tests := []struct {
		line string
		want []uint32 // pins
	}{
		{"virtio_mmio.device=512@0xfeb00e00:12", []uint32{12}},
		{"a virtio_mmio.device=0x200@0xfeb00e00:12:3 b", []uint32{12}},
		{"virtio_mmio.device=1K@4272950784:5", []uint32{5}},
		{"virtio_mmio.device=512@0xFEB00E00:12 virtio_mmio.device=512@0xfeb00e00:13", []uint32{12}},
		{"xvirtio_mmio.device=512@0xfeb00e00:12", nil},
		{"virtio_mmio.device=512", nil},
		{"virtio_mmio.device=512@", nil},
		{"virtio_mmio.device=512@0xfeb00e00", nil},
		{"virtio_mmio.device=512@0xfeb00e00:", nil},
		{"virtio_mmio.device=@0xfeb00e00:1", nil},
		{"virtio_mmio.device=2M@0xfeb00e00:1", nil},
		{"virtio_mmio.device=512@0xffffffffffffff00:1", nil},
		{"virtio_mmio.device=512@0xfeb01000:1", nil}, // nothing there
		{"virtio_mmio.device=512@0xfeb00e00:99999999", nil},
	}
	for _, tt := range tests {
		b := newBoard(t)
		b.registersMMIO(0xfeb00e00, 1, 1)
		line := lineOf(tt.line)
		readDeviceWords(line.text, line.n)
		var got []uint32
		for _, d := range found() {
			got = append(got, d.pin)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: pins %v, want %v", tt.line, got, tt.want)
		}
	}
}

// TestOverrides: an ISA interrupt is where the table says, and driven as it says.
func TestOverrides(t *testing.T) {
	newBoard(t)
	b := newBoard(t)
	entry := func(irq byte, gsi uint32, flags uint16) []byte {
		return slices.Concat([]byte{2, 10, 0, irq}, le32(gsi), le16(flags))
	}
	b.put(0x1000, acpiTable("APIC", 1, le32(0xfee01000), le32(1), []byte{1, 12, 0, 0}, le32(0xfec00000), le32(0),
		[]byte{1, 12, 1, 0}, le32(0xfec10000), le32(24), entry(0, 2, 0), entry(9, 9, 0xd), entry(10, 10, 0xf), entry(77, 1, 0)))
	readTable(0x1000, false)
	for _, tt := range []struct {
		irq, pin   uint32
		level, low bool
	}{{0, 2, false, false}, {4, 4, false, false}, {9, 9, true, false}, {10, 10, true, true}, {30, 30, false, false}} {
		if pin, level, low := isaPin(tt.irq); pin != tt.pin || level != tt.level || low != tt.low {
			t.Errorf("interrupt %d is at %d, level %t, low %t, want %+v", tt.irq, pin, level, low, tt)
		}
	}
	if lapicPhys != 0xfee01000 || ioapicCount != 2 || ioapics[1] != (ioapic{base: 0xfec10000, gsi: 24}) {
		t.Errorf("APIC at %#x, I/O APICs %+v", lapicPhys, ioapics[:ioapicCount])
	}
}

// TestFixedRegisters: a machine of the old kind, with ports.
func TestFixedRegisters(t *testing.T) {
	b := newBoard(t)
	b.put(0x3000, acpiTable("DSDT", 1, nameCode("_S5_", sized([]byte{amlPackage}, []byte{4}, byteCode(5), []byte{1, 0, 0}))))
	b.put(0x2000, fixedTable(244, map[int][]byte{40: le32(0x3000), 46: le16(9), 48: le32(0xb2), 52: {2}, 56: le32(0x600),
		64: le32(0x604), 88: {4}, 108: {50}, 112: le32(flagReset), 116: address(1, 0xcf9), 128: {15}}))
	b.put(0x1000, acpiTable("RSDT", 1, le32(0x2000), le32(0xffffff00)))
	b.put(0xf0010, acpiRoot(0, 0x1000))
	readTables(findRoot(0x5000))
	got := fadt
	if got.pm1Event != 0x600 || got.pm1aControl != 0x604 || got.pm1bControl != 0 || got.smiCommand != 0xb2 || got.enable != 2 ||
		got.sci != 9 || !got.button || got.century != 50 || got.reset != (register{false, 0xcf9}) || got.resetValue != 15 {
		t.Errorf("the fixed registers are %+v", got)
	}
	if !got.soft || got.softTypeA != 5 || got.softTypeB != 1 {
		t.Errorf("soft-off is %t, %d, %d", got.soft, got.softTypeA, got.softTypeB)
	}
}

// TestResources reads one device in each of the encodings.
func TestResources(t *testing.T) {
	tests := []struct {
		name string
		crs  [][]byte
		want resources
	}{
		{"fixed", [][]byte{fixed32(0xd0000000, 0x200), extended(1, 40)},
			resources{memory: 0xd0000000, size: 0x200, pin: 40, level: true, interrupt: true}},
		{"edge, low, 64 bits", [][]byte{qwordMemory(1, 5<<30, 5<<30+0xfff), extended(7, 17)},
			resources{memory: 5 << 30, size: 0x1000, pin: 17, low: true, interrupt: true}},
		{"ISA", [][]byte{dwordMemory(1, 0xd0000000, 0xd00001ff), {0x22, 0x20, 0}},
			resources{memory: 0xd0000000, size: 0x200, pin: 5, interrupt: true}},
		{"ISA with flags", [][]byte{{0x23, 0, 0x04, 0x18}},
			resources{pin: 10, level: true, low: true, interrupt: true}},
		{"32 bits, not fixed", [][]byte{code([]byte{resourceMemory32, 17, 0, 1}, le32(0xd0000000), le32(0xd0000000), le32(1), le32(0x400))},
			resources{memory: 0xd0000000, size: 0x400}},
		{"a bridge's", [][]byte{dwordMemory(0xc, 0xc0000000, 0xdfffffff), qwordMemory(0xc, 1<<40, 1<<41-1)},
			resources{memory: 0xc0000000, size: 0x20000000, window: 0xc0000000, end: 0xe0000000}},
		{"cut short", [][]byte{{resourceFixed32, 9, 1}}, resources{}},
		{"nothing", nil, resources{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBoard(t)
			p := append(code(tt.crs...), 0x79, 0)
			b.put(0x1000, p)
			if got := readResources(testPhysical+0x1000, uintptr(len(p))); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestEvents finds the register and the bit of the power button as QEMU writes them.
func TestEvents(t *testing.T) {
	b := newBoard(t)
	p := deviceCode("GED_", nameCode("_HID", textCode("ACPI0013")), nameCode("_CRS", resourcesCode(extended(3, 9))),
		code([]byte{amlExt, amlRegion}, []byte("EREG"), []byte{0}, dwordCode(0xfea00000), byteCode(4)),
		[]byte{0xa0, 0x10, 0x93, 0x7b, 0x60, 0x0a, 2, 0, 0x0a, 2, amlNotify}, []byte("PWRB"), byteCode(0x80))
	b.put(0x1000, p)
	readAML(testPhysical+0x1000, uintptr(len(p)))
	checkEvents(t, 9, 0xfea00000, 4, 2)
}

// TestHostBridge: the window of the bridge counts, not those of devices within it or
// beside it, and PCI configuration is where a method says that is nothing but its value.
func TestHostBridge(t *testing.T) {
	b := newBoard(t)
	p := code(
		deviceCode("PCI0", nameCode("_HID", textCode("PNP0A08")), nameCode("_SEG", []byte{0}),
			deviceCode("GSI0", nameCode("_HID", textCode("PNP0C0F")), nameCode("_CRS", resourcesCode(extended(1, 16)))),
			sized([]byte{0x14}, []byte("_CBA"), []byte{0, amlReturn}, dwordCode(0xe0000000)),
			nameCode("_CRS", resourcesCode(dwordMemory(0xc, 0xc0000000, 0xdfffffff), qwordMemory(0xc, 3<<38, 1<<40-1)))),
		deviceCode("RES0", nameCode("_HID", textCode("PNP0C02")), nameCode("_CRS", resourcesCode(qwordMemory(0xc, 0xe0000000, 0xefffffff)))))
	b.put(0x1000, p)
	readAML(testPhysical+0x1000, uintptr(len(p)))
	if pciWindow.next != 0xc0000000 || pciWindow.end != 0xe0000000 {
		t.Errorf("the window is %+v", pciWindow)
	}
	if want := (ecam{base: 0xe0000000, last: 255}); ecamCount != 1 || ecams[0] != want {
		t.Errorf("configuration is at %+v, want %+v", ecams[:ecamCount], want)
	}
	if got := giveBAR(0x4000); got != 0xc0000000 {
		t.Errorf("the first BAR is at %#x", got)
	}
	if got := giveBAR(0x100000); got != 0xc0100000 {
		t.Errorf("the second BAR is at %#x", got)
	}
	if got := giveBAR(1 << 29); got != 0 {
		t.Errorf("a BAR that does not fit is at %#x", got)
	}
}

// functionCode is the configuration of a virtio function with its capabilities.
func functionCode(id uint16, capabilities ...[]byte) []byte {
	p := make([]byte, 256)
	copy(p, slices.Concat(le16(virtioVendor), le16(id), le16(0), le16(pciHasList)))
	at := 0x40
	p[pciCapability] = byte(at)
	for i, c := range capabilities {
		copy(p[at:], c)
		if i+1 < len(capabilities) {
			p[at+1] = byte(at + len(c))
		}
		at += len(c)
	}
	return p
}

func virtioCap(kind, bar byte, offset, n uint32, more ...[]byte) []byte {
	return slices.Concat([]byte{capVendor, 0, 16, kind, bar, 0, 0, 0}, le32(offset), le32(n), slices.Concat(more...))
}

func msixCap(count uint16, bar, offset uint32) []byte {
	return slices.Concat([]byte{capMSIX, 0}, le16(count-1), le32(offset|bar), le32(0))
}

// TestCapabilities: a function is used if all it needs is in its memory.
func TestCapabilities(t *testing.T) {
	common, notify := virtioCap(virtioCommon, 0, 0, 0x38), virtioCap(virtioNotify, 0, 0x6000, 0x1000, le32(4))
	config, msix := virtioCap(virtioDevice, 0, 0x4000, 0x1000), msixCap(3, 0, 0x8000)
	loop := slices.Concat([]byte{0x05, 0x40}, le16(0))
	tests := []struct {
		name string
		caps [][]byte
		want uint32
	}{
		{"cloud-hypervisor", [][]byte{common, virtioCap(3, 0, 0x2000, 1), config, notify, virtioCap(5, 0, 0, 0, le32(0)), msix}, 0},
		{"without configuration", [][]byte{msix, notify, common}, 0},
		{"no common structure", [][]byte{notify, msix}, ProblemWindows},
		{"common structure too short", [][]byte{virtioCap(virtioCommon, 0, 0, 0x20), notify, msix}, ProblemWindows},
		{"outside of the BAR", [][]byte{virtioCap(virtioCommon, 0, 0xfffffff0, 0x38), notify, msix}, ProblemWindows},
		{"larger than the BAR", [][]byte{common, virtioCap(virtioNotify, 0, 0, 0xffffffff, le32(4)), msix}, ProblemWindows},
		{"no such BAR", [][]byte{virtioCap(virtioCommon, 7, 0, 0x38), notify, msix}, ProblemWindows},
		{"a BAR without memory", [][]byte{virtioCap(virtioCommon, 1, 0, 0x38), notify, msix}, ProblemWindows},
		{"no messages", [][]byte{common, notify}, ProblemMessages},
		{"messages outside", [][]byte{common, notify, msixCap(2048, 0, 0x10000-0x1000)}, ProblemMessages},
		{"for ever", [][]byte{loop}, ProblemWindows},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBoard(t)
			b.put(0x10000, functionCode(0x1041, tt.caps...))
			b.put(0x20000, make([]byte, 0x10000))
			f := function{memory: testPhysical + 0x10000}
			bars := [6]Window{0: {testPhysical + 0x20000, 0x10000}}
			var d Device
			d.describe(f, &bars)
			if d.Problem != tt.want {
				t.Fatalf("problem %d, want %d", d.Problem, tt.want)
			}
			if tt.want != 0 {
				return
			}
			if d.NotifyStep != 4 || d.Common != (Window{testPhysical + 0x20000, 0x38}) || d.Vectors != (Window{testPhysical + 0x28000, 48}) {
				t.Errorf("found %+v", d)
			}
			for i := range uintptr(3) {
				if *p32(d.Vectors.Address + 16*i + 12) != 1 {
					t.Errorf("message %d is not masked", i)
				}
			}
		})
	}
}

// TestScan finds functions on a bus, behind bridges and on another segment, each once,
// however the bridges are connected.
func TestScan(t *testing.T) {
	b := newBoard(t)
	at := func(base uintptr, bus, device, fn uintptr) uintptr { return base + bus<<20 + device<<15 + fn<<12 }
	const one, two = uintptr(0x80000000), uintptr(0x90000000)
	for _, base := range []uintptr{one, two} { // nothing anywhere
		for bus := range uintptr(4) {
			for devfn := range uintptr(256) {
				b.put(base+bus<<20+devfn<<12, le16(pciNone))
			}
		}
	}
	bridge := func(behind byte) []byte {
		p := make([]byte, 64)
		copy(p, slices.Concat(le16(0x1b36), le16(0xc), le32(0), []byte{0, 0}, le16(pciBridge), le16(0), []byte{1}))
		p[pciSecondary] = behind
		return p
	}
	multi := functionCode(0x1041)
	multi[pciHeader] = pciManyFuncs
	b.put(at(one, 0, 1, 0), multi)
	b.put(at(one, 0, 1, 5), functionCode(0x1042))
	b.put(at(one, 0, 2, 0), bridge(2))
	b.put(at(one, 0, 3, 0), bridge(0)) // not set up
	b.put(at(one, 2, 0, 0), functionCode(0x1044))
	b.put(at(one, 2, 1, 0), bridge(2))
	b.put(at(one, 2, 2, 0), bridge(1))
	b.put(at(one, 1, 31, 0), functionCode(0x1003))
	b.put(at(two, 0, 4, 0), functionCode(0x1041))
	b.put(0x1000, acpiTable("MCFG", 1, make([]byte, 8), le64(uint64(one)), le16(0), []byte{0, 3}, le32(0), le64(uint64(two)), le16(1), []byte{0, 0}, le32(0)))
	readTable(0x1000, false)
	scanPCI()
	var got []uintptr
	for _, d := range found() {
		got = append(got, d.Place)
	}
	want := []uintptr{0x0008, 0x000d, 0x0200, 0x01f8, 0x10020}
	if !slices.Equal(got, want) {
		t.Errorf("found at %#x, want %#x", got, want)
	}
	if kinds := []uint32{devices[0].Kind, devices[1].Kind, devices[3].Kind}; !slices.Equal(kinds, []uint32{1, 2, 0}) {
		t.Errorf("kinds are %d", kinds)
	}
}

// TestTooMany: what does not fit is told, not written elsewhere.
func TestTooMany(t *testing.T) {
	b := newBoard(t)
	var words strings.Builder
	for i := range uintptr(40) {
		b.registersMMIO(0xc0000000+i<<12, 2, 1)
		fmt.Fprintf(&words, " virtio_mmio.device=4K@%#x:5", 0xc0000000+i<<12)
	}
	line := lineOf(words.String())
	readDeviceWords(line.text, line.n)
	if list, more := Devices(); len(list) != 32 || !more {
		t.Errorf("%d devices, more %t; want 32, and more", len(list), more)
	}
}

// TestNonsense: tables that lie are not believed, and lead nowhere.
func TestNonsense(t *testing.T) {
	good := acpiTable("APIC", 1, le32(0xfee01000), le32(1), []byte{1, 12, 0, 0}, le32(0xfec00000), le32(0))
	long := slices.Clone(good)
	copy(long[4:], le32(0xffffffff))
	short := slices.Clone(good)
	copy(short[4:], le32(8))
	wrong := slices.Clone(good)
	wrong[20]++
	for name, p := range map[string][]byte{"too long": balance(long, 9), "too short": balance(short, 9), "does not add up": wrong} {
		b := newBoard(t)
		b.put(0x1000, p)
		b.put(0x2000, acpiTable("XSDT", 1, le64(0x1000), le64(0x2000), le64(1<<63), le64(testMemory-4), le64(0)))
		b.put(0xe0000, acpiRoot(2, 0x2000))
		readTables(findRoot(^uintptr(0) - 3))
		if ioapicCount != 0 {
			t.Errorf("a table that %s is believed", name)
		}
	}
	for _, body := range [][]byte{{1, 0}, {1, 11}, {1, 200, 0, 0}, {2, 3, 9}} {
		b := newBoard(t)
		b.put(0x1000, acpiTable("APIC", 1, le32(0xfee01000), le32(1), body))
		readTable(0x1000, false)
		if ioapicCount != 0 || overrides[9].given {
			t.Errorf("entry %v is believed", body)
		}
	}
}
