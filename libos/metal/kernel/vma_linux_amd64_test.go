package kernel

import (
	"math/rand/v2"
	"testing"
)

// An areaList is compared with an array that holds one byte for each page:
// 0 = vacant, else the protection and 1<<7.
const modelSpace = 300

type spaceModel [modelSpace]byte

func (m *spaceModel) fill(start, end int, v byte) {
	for p := start; p < end; p++ {
		m[p] = v
	}
}

func compareAreas(t *testing.T, l *areaList, m *spaceModel) {
	t.Helper()
	var got spaceModel
	for i := range l.n {
		a := &l.areas[i]
		if a.start() >= a.end || a.end%pageSize != 0 {
			t.Fatalf("area %d is empty or no multiple of pages: %#x", i, *a)
		}
		if i > 0 {
			b := &l.areas[i-1]
			if b.end > a.start() || b.end == a.start() && b.prot() == a.prot() {
				t.Fatalf("areas %d and %d overlap, or are one: %#x %#x", i-1, i, *b, *a)
			}
		}
		got.fill(int(a.start()/pageSize), int(a.end/pageSize), byte(a.prot())|1<<7)
	}
	if got != *m {
		t.Fatalf("got  %v\nwant %v", got, *m)
	}
}

// step does one operation on both, chosen by op, and asks both the same questions.
func step(t *testing.T, l *areaList, m *spaceModel, op, from, length byte, prot uint32) {
	start := int(from) % modelSpace
	end := min(start+1+int(length)%60, modelSpace)
	a, b := uintptr(start)*pageSize, uintptr(end)*pageSize
	if op%3 == 0 {
		if l.clear(a, b) {
			m.fill(start, end, 0)
		}
	} else if l.set(a, b, prot%4) {
		m.fill(start, end, byte(prot%4)|1<<7)
	}
	compareAreas(t, l, m)

	vacant, covered := true, true
	for p := start; p < end; p++ {
		vacant = vacant && m[p] == 0
		covered = covered && m[p] != 0
	}
	if got := l.vacant(a, b); got != vacant {
		t.Fatalf("vacant(%d, %d) = %v, want %v in %v", start, end, got, vacant, *m)
	}
	if got := l.covered(a, b); got != covered {
		t.Fatalf("covered(%d, %d) = %v, want %v in %v", start, end, got, covered, *m)
	}
	if x := l.at(a + 5); (x != nil) != (m[start] != 0) || x != nil && byte(x.prot())|1<<7 != m[start] {
		t.Fatalf("at(%d) = %v, want %v", start, x, m[start])
	}
	low := 1 + int(length)
	want := uintptr(0)
	for p, run := low, 0; p < modelSpace && want == 0; p++ {
		if run++; m[p] != 0 {
			run = 0
		}
		if run == end-start {
			want = uintptr(p+1-run) * pageSize
		}
	}
	if got := l.gap(b-a, uintptr(low)*pageSize, modelSpace*pageSize); got != want {
		t.Fatalf("gap(%d, from %d) = %#x, want %#x in %v", end-start, low, got, want, *m)
	}
}

func TestAreasAgainstModel(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		l, m := new(areaList), new(spaceModel)
		for range 200 {
			step(t, l, m, byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), r.Uint32())
		}
	}
}

func FuzzAreas(f *testing.F) {
	f.Add([]byte{1, 10, 20, 3, 0, 15, 2, 0, 1, 10, 20, 1})
	f.Fuzz(func(t *testing.T, ops []byte) {
		l, m := new(areaList), new(spaceModel)
		for ; len(ops) >= 4; ops = ops[4:] {
			step(t, l, m, ops[0], ops[1], ops[2], uint32(ops[3]))
		}
	})
}

func TestAreasAreBounded(t *testing.T) {
	l := new(areaList)
	for i := range uintptr(maxAreas) {
		if !l.set(i*2*pageSize, (i*2+1)*pageSize, protRead) {
			t.Fatalf("area %d was refused", i)
		}
	}
	before := *l
	if l.set(maxAreas*4*pageSize, (maxAreas*4+1)*pageSize, protRead) {
		t.Error("one area too many was taken")
	}
	if *l != before {
		t.Error("a refusal changed the list")
	}
	if !l.set(pageSize, 2*pageSize, protRead) || l.n != maxAreas-1 {
		t.Error("an area that joins two others was refused")
	}
	if !l.set(0, 3*pageSize, protRead|protWrite) {
		t.Error("an area in the place of another was refused")
	}
}
