package kernel

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

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
		64: le32(0x604), 88: {4}, 108: {50}, 112: le32(0)}))
	b.put(0x1000, acpiTable("RSDT", 1, le32(0x2000), le32(0xffffff00)))
	b.put(0xf0010, acpiRoot(0, 0x1000))
	readTables(findRoot(0x5000))
	got := fadt
	if got.pm1Event != 0x600 || got.pm1aControl != 0x604 || got.pm1bControl != 0 || got.smiCommand != 0xb2 || got.enable != 2 ||
		got.sci != 9 || !got.button || got.century != 50 {
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
