package kernel

import (
	host "syscall"
	"testing"
	"unsafe"
)

// edge lays p right before memory that nobody can read, so that a read past the end
// of p is the end of the test, and returns where.
func edge(t *testing.T, p []byte) uintptr {
	t.Helper()
	room := (len(p) + pageSize - 1) &^ (pageSize - 1)
	mem, err := host.Mmap(-1, 0, room+pageSize, host.PROT_READ|host.PROT_WRITE, host.MAP_PRIVATE|host.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Munmap(mem) })
	if err := host.Mprotect(mem[room:], host.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	copy(mem[room-len(p):], p)
	return uintptr(unsafe.Pointer(unsafe.SliceData(mem))) + uintptr(room-len(p))
}

// bounded fails if discovery has filled in what there is no room for.
func bounded(t *testing.T) {
	t.Helper()
	if deviceCount > len(devices) || ioapicCount > len(ioapics) || ecamCount > len(ecams) {
		t.Errorf("%d devices, %d I/O APICs, %d stretches of configuration", deviceCount, ioapicCount, ecamCount)
	}
}

// maxFuzz bounds what a fuzzed table is; some of its readers take time in its square.
const maxFuzz = 16 << 10

func FuzzByteCode(f *testing.F) {
	f.Add(code(deviceCode("\\VR00", nameCode("_HID", textCode("LNRO0005")), nameCode("_CRS", resourcesCode(fixed32(0xfeb00000, 0x200), extended(1, 40)))),
		nameCode("_S5_", sized([]byte{amlPackage}, []byte{2}, byteCode(5), []byte{0}))))
	f.Add(deviceCode("PCI0", nameCode("_HID", dwordCode(hidPCIe)), deviceCode("\x2f\x03A___B___C___"), sized([]byte{0x14}, []byte("_CBA"), []byte{0, amlReturn}, dwordCode(0xe0000000)),
		nameCode("_CRS", resourcesCode(dwordMemory(0xc, 0xc0000000, 0xdfffffff)))))
	f.Add(deviceCode("GED_", nameCode("_HID", textCode("ACPI0013")), []byte{amlExt, amlRegion}, []byte("EREG"), []byte{0}, dwordCode(1), byteCode(4), []byte{amlByte, 2, amlNotify}, []byte("PWRB")))
	f.Add([]byte{amlExt, amlDevice, 0xff, 0xff, 0xff, 0xff, 'A', 'B', 'C', 'D'})
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > maxFuzz {
			t.Skip("too long")
		}
		newBoard(t)
		readAML(edge(t, p), uintptr(len(p)))
		bounded(t)
	})
}

func FuzzTables(f *testing.F) {
	f.Add(acpiTable("APIC", 1, le32(0xfee00000), le32(1), []byte{1, 12, 0, 0}, le32(0xfec00000), le32(0)))
	f.Add(fixedTable(276, map[int][]byte{140: le64(0x1000)}))
	f.Add(acpiTable("MCFG", 1, make([]byte, 8), le64(0xe0000000), le16(0), []byte{0, 255}, le32(0)))
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > maxFuzz || len(p) < tableHeader {
			t.Skip("no table")
		}
		newBoard(t)
		a := edge(t, p)
		n := uintptr(len(p))
		readMADT(a, n)
		readFADT(a, n)
		readDSDT(a, n)
		readMCFG(a, n)
		bounded(t)
	})
}

func FuzzRoot(f *testing.F) {
	f.Add(acpiRoot(2, 0x1000), acpiTable("XSDT", 1, le64(0x1000), le64(0x2000)))
	f.Add(acpiRoot(0, 0x1000), acpiTable("RSDT", 1, le32(0x1000)))
	f.Fuzz(func(t *testing.T, root, table []byte) {
		if len(root) > 100 || len(table) > maxFuzz {
			t.Skip("too long")
		}
		b := newBoard(t)
		b.put(0xe0000, root)
		b.put(0x1000, table)
		readTables(findRoot(0xe0000))
		bounded(t)
	})
}

func FuzzCapabilities(f *testing.F) {
	f.Add(functionCode(0x1041, virtioCap(virtioCommon, 0, 0, 0x38), virtioCap(virtioNotify, 0, 0x600, 0x100, le32(4)), msixCap(3, 0, 0x800)))
	f.Fuzz(func(t *testing.T, p []byte) {
		newBoard(t)
		config := make([]byte, pageSize)
		copy(config, p)
		f := function{memory: edge(t, config)}
		bars := [6]Window{2: {edge(t, make([]byte, pageSize)), pageSize}}
		var d Device
		d.describe(f, &bars)
		for _, w := range []Window{d.Common, d.Notify, d.Config, d.Vectors} {
			if w.Size != 0 && (w.Address < bars[2].Address || w.Address+w.Size > bars[2].Address+pageSize) {
				t.Errorf("%+v is not within %+v", w, bars[2])
			}
		}
	})
}

func FuzzDeviceWords(f *testing.F) {
	f.Add("virtio_mmio.device=512@0xfeb00e00:12 virtio_mmio.device=4K@0xc0001000:5:1")
	f.Add("virtio_mmio.device=0x")
	f.Fuzz(func(t *testing.T, line string) {
		b := newBoard(t)
		b.registersMMIO(0xfeb00e00, 1, 1)
		c := lineOf(line)
		readDeviceWords(c.text, c.n)
		bounded(t)
	})
}
