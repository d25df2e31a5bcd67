package kernel

import (
	"slices"
	"testing"
)

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
