package kernel

import (
	"slices"
	"testing"
)

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
// that it names, in the EBDA; no fixed registers but a port for soft-off.
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
	f := place(fixedTable(276, map[int][]byte{112: le32(flagReduced | 1<<10 | 1<<8), 116: address(1, 0x600), 128: {1},
		140: le64(d), 244: address(1, 0x600), 256: address(1, 0x600)}))
	m := place(acpiTable("APIC", 5, le32(0xfee00000), le32(0), slices.Concat([]byte{9, 16, 0, 0}, make([]byte, 12)),
		[]byte{1, 12, 0, 0}, le32(0xfec00000), le32(0), []byte{2, 10, 0, 4}, le32(4), le16(0)))
	g := place(acpiTable("MCFG", 1, make([]byte, 8), le64(0xe8000000), le16(0), []byte{0, 0}, le32(0)))
	x := place(acpiTable("XSDT", 1, le64(f), le64(m), le64(g)))
	b.put(0xa0000, acpiRoot(2, x))

	readTables(findRoot(0xa0000))
	if !fadt.soft || fadt.softTypeA != 5 || fadt.sleep != (register{false, 0x600}) || fadt.button {
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
