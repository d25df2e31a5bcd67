package kernel

import (
	"math/rand/v2"
	"testing"
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

// total is the number of bytes in m.
func total(m *frameMap) (sum uintptr) {
	for _, r := range m.ranges[:m.n] {
		sum += r.end - r.start
	}
	return sum
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
	if m.n != maxRanges || total(&m) != maxRanges*8*pageSize {
		t.Errorf("after a refusal: %d ranges, %d bytes", m.n, total(&m))
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
	if total(&m) > pageSize {
		t.Errorf("%d bytes are left of nothing", total(&m))
	}
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
