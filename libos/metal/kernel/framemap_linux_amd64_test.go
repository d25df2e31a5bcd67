package kernel

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// pages of a small memory; a frameMap is compared with an array of them.
const modelPages = 200

func TestFrameMapAgainstModel(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		var m frameMap
		var model [modelPages]bool
		for range r.IntN(120) {
			a := uintptr(r.IntN(modelPages * pageSize))
			b := min(a+uintptr(r.IntN(40*pageSize)), modelPages*pageSize)
			if r.IntN(2) == 0 {
				a, b = pageDown(a), pageDown(b)
			}
			if r.IntN(3) > 0 {
				m.add(a, b)
				for p := pageUp(a); p < pageDown(b); p += pageSize {
					model[p/pageSize] = true
				}
			} else {
				m.remove(a, b)
				for p := pageDown(a); a < b && p < pageUp(b); p += pageSize {
					model[p/pageSize] = false
				}
			}
			compareFrameMap(t, &m, &model)
		}
	}
}

func compareFrameMap(t *testing.T, m *frameMap, model *[modelPages]bool) {
	t.Helper()
	var got [modelPages]bool
	last := uintptr(0)
	for i := range m.n {
		r := m.ranges[i]
		if r.start%pageSize != 0 || r.end%pageSize != 0 || r.start >= r.end || i > 0 && r.start <= last {
			t.Fatalf("range %d of %+v is out of order, touches its neighbour or is empty", i, m.ranges[:m.n])
		}
		last = r.end
		for p := r.start; p < r.end; p += pageSize {
			got[p/pageSize] = true
		}
	}
	for p := uintptr(0); p+3 <= modelPages; p += 5 {
		want := model[p] && model[p+1] && model[p+2]
		if m.holds(p*pageSize, (p+3)*pageSize) != want {
			t.Fatalf("%v hold 3 pages from page %d: want %v", m.ranges[:m.n], p, want)
		}
	}
	if got != *model {
		t.Fatalf("got %v, want pages %v", m.ranges[:m.n], model)
	}
}

func TestFrameMapIsBounded(t *testing.T) {
	var m frameMap
	for i := range uintptr(maxRanges) {
		if !m.add(i*16*pageSize, (i*16+8)*pageSize) {
			t.Fatalf("range %d was refused", i)
		}
	}
	if m.add(9*pageSize, 10*pageSize) {
		t.Error("one range too many was taken")
	}
	if m.n != maxRanges || m.total() != maxRanges*8*pageSize {
		t.Errorf("after a refusal: %d ranges, %d bytes", m.n, m.total())
	}
	if m.remove(1*pageSize, 2*pageSize) {
		t.Error("a hole that makes one range too many went unnoticed")
	}
	if got, want := m.ranges[0], (frameRange{2 * pageSize, 8 * pageSize}); got != want {
		t.Errorf("after a hole that did not fit: %v, want the larger part %v", got, want)
	}
}

func TestFrameMapAtTheEdges(t *testing.T) {
	var m frameMap
	top := ^uintptr(0)
	m.add(0, top)
	if got, want := m.end(), pageDown(top); got != want {
		t.Errorf("RAM up to the last byte ends at %#x, want %#x", got, want)
	}
	m.remove(top-1, top)
	m.remove(0, 1)
	if m.n != 1 || m.ranges[0].start != pageSize {
		t.Errorf("got %#x", m.ranges[:m.n])
	}
	m.remove(0, top)
	if m.total() > pageSize {
		t.Errorf("%d bytes are left of nothing", m.total())
	}
}

// mapMemory lies still: addresses of what is on a stack do not.
var mapMemory [200][3]uint64

// readMap reads entries laid out as a VMM does it.
func readMap(m *frameMap, entries [][3]uint64) (all bool) {
	copy(mapMemory[:], entries)
	all = m.read(uintptr(unsafe.Pointer(&mapMemory)), uintptr(len(entries)))
	return m.trim() && all
}

func TestMemoryMapsOfMachines(t *testing.T) {
	const reserved, mib, gib = 2, 1 << 20, 1 << 30
	for _, c := range []struct {
		name    string
		entries [][3]uint64
		all     bool
		want    []frameRange
	}{
		{"none", nil, true, nil},
		{"QEMU's", [][3]uint64{{0, 0x9fc00, 1}, {0x9fc00, 0x400, reserved}, {0xf0000, 0x10000, reserved}, {mib, 127 * mib, 1}, {4 * gib, gib, 1}}, true,
			[]frameRange{{0, 0x9f000}, {mib, 128 * mib}, {4 * gib, 5 * gib}}},
		{"unsorted, in two halves", [][3]uint64{{64 * mib, 64 * mib, 1}, {mib, 63 * mib, 1}}, true, []frameRange{{mib, 128 * mib}}},
		{"overlaps itself", [][3]uint64{{mib, 100 * mib, 1}, {50 * mib, 100 * mib, 1}}, true, []frameRange{{mib, 150 * mib}}},
		{"somebody else's in the midst, said first", [][3]uint64{{10 * mib, 5000, reserved}, {mib, 127 * mib, 1}}, true,
			[]frameRange{{mib, 10 * mib}, {10*mib + 8192, 128 * mib}}},
		{"wraps", [][3]uint64{{mib, ^uint64(0), 1}}, true, []frameRange{{mib, maxMemory}}},
		{"begins in the last page of all", [][3]uint64{{mib, 127 * mib, 1}, {^uint64(0) - 100, 50, 1}, {^uint64(0) - 100, mib, 1}}, true, []frameRange{{mib, 128 * mib}}},
		{"somebody else's everything", [][3]uint64{{mib, 127 * mib, 1}, {0, ^uint64(0), reserved}}, true, nil},
		{"a crumb far away", [][3]uint64{{mib, 127 * mib, 1}, {1 << 45, mib, 1}}, false, []frameRange{{mib, 128 * mib}}},
		{"empty entries, of pages and of bytes", [][3]uint64{{mib, 0, 1}, {2*mib + 1, 4094, 1}, {3 * mib, 0, reserved}, {4 * mib, 4096, 1}}, true,
			[]frameRange{{4 * mib, 4*mib + 4096}}},
	} {
		var m frameMap
		all := readMap(&m, c.entries)
		if got := m.ranges[:m.n]; all != c.all || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %#x, want %v, %#x", c.name, all, got, c.all, c.want)
		}
	}
}

func FuzzMemoryMap(f *testing.F) {
	f.Add([]byte("any bytes at all make a memory map, but what is in it may not be sane"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var entries [][3]uint64
		for ; len(b) >= 17 && len(entries) < len(mapMemory); b = b[17:] {
			entries = append(entries, [3]uint64{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), uint64(b[16] & 3)})
		}
		var m frameMap
		readMap(&m, entries)
		last := uintptr(0)
		for i, r := range m.ranges[:m.n] {
			if r.start >= r.end || i > 0 && r.start <= last || r.end > maxMemory {
				t.Fatalf("range %d of %#x", i, m.ranges[:m.n])
			}
			last = r.end
			for _, e := range entries {
				end := e[0] + e[1]
				if end < e[0] {
					end = ^uint64(0)
				}
				if e[2] != ramType && e[1] != 0 && uintptr(e[0]) < r.end && r.start < uintptr(end) {
					t.Fatalf("range %#x has bytes of %#x, which is not RAM", r, e)
				}
			}
		}
	})
}

func FuzzFrameMap(f *testing.F) {
	f.Add([]byte{0, 10, 20, 1, 12, 2})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var m frameMap
		var model [modelPages]bool
		for ; len(ops) >= 3 && m.n < maxRanges-2; ops = ops[3:] {
			from := int(ops[1]) % modelPages
			to := min(from+int(ops[2]), modelPages)
			set := ops[0]&1 == 0
			if set {
				m.add(uintptr(from)*pageSize, uintptr(to)*pageSize)
			} else {
				m.remove(uintptr(from)*pageSize, uintptr(to)*pageSize)
			}
			for p := from; p < to; p++ {
				model[p] = set
			}
			compareFrameMap(t, &m, &model)
		}
	})
}

func TestMemoryLimit(t *testing.T) {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	for _, c := range []struct{ free, want uintptr }{
		{0, 0}, {1 * mib, 768 * kib}, {4 * mib, 3584 * kib}, {64 * mib, 60 * mib}, {16 * gib, 15 * gib},
	} {
		if got := memoryLimit(c.free); got != c.want {
			t.Errorf("of %d bytes %d are for Go, want %d", c.free, got, c.want)
		}
	}
}
