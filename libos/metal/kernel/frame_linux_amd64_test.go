package kernel

import (
	"math/bits"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// frameMemory lies still: addresses of what is on a stack do not.
var frameMemory [1000]uint64

// newFrames is a table for n frames, none of them free.
func newFrames(t *testing.T, n uintptr) *frameTable {
	if size := frameTableSize(n * pageSize); size > unsafe.Sizeof(frameMemory) {
		t.Fatalf("the table of %d frames has %d bytes", n, size)
	}
	clear(frameMemory[:])
	var f frameTable
	f.init(uintptr(unsafe.Pointer(&frameMemory)), n*pageSize)
	return &f
}

func TestFramesAgainstModel(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		n := uintptr(1 + r.IntN(3_000))
		f := newFrames(t, n)
		free := map[uintptr]bool{}
		for range 3 {
			a := uintptr(r.IntN(int(n)))
			b := a + uintptr(r.IntN(int(n-a)))
			for p := a; p < b; p++ { // the stretches that are not free yet
				first := p
				for ; p < b && !free[p]; p++ {
					free[p] = true
				}
				f.addRange(first*pageSize, p*pageSize)
			}
		}
		var taken []uintptr
		for range 1000 {
			switch r.IntN(5) {
			case 0, 1:
				got, ok := f.lowestFree()
				if want, some := lowest(free, n); ok != some || ok && got != want {
					t.Fatalf("seed %d: lowest free frame %d, %v, want %d, %v", seed, got, ok, want, some)
				}
				if ok {
					f.take(got)
					delete(free, got)
					taken = append(taken, got)
				}
			case 2, 3:
				if len(taken) > 0 {
					i := r.IntN(len(taken))
					f.put(taken[i])
					free[taken[i]] = true
					taken[i] = taken[len(taken)-1]
					taken = taken[:len(taken)-1]
				}
			case 4:
				size := uintptr(1 + r.IntN(200))
				got, ok := f.highestRun(size)
				if want, some := highest(free, n, size); ok != some || ok && got != want {
					t.Fatalf("seed %d: highest run of %d: %d, %v, want %d, %v", seed, size, got, ok, want, some)
				}
				if ok {
					for p := got; p < got+size; p++ {
						f.take(p)
						delete(free, p)
					}
				}
			}
			if f.free != uintptr(len(free)) {
				t.Fatalf("seed %d: %d free, want %d", seed, f.free, len(free))
			}
		}
	}
}

func lowest(free map[uintptr]bool, n uintptr) (uintptr, bool) {
	for p := range n {
		if free[p] {
			return p, true
		}
	}
	return 0, false
}

func highest(free map[uintptr]bool, n, size uintptr) (uintptr, bool) {
	for start := int(n) - int(size); start >= 0; start-- {
		all := true
		for p := start; p < start+int(size) && all; p++ {
			all = free[uintptr(p)]
		}
		if all {
			return uintptr(start), true
		}
	}
	return 0, false
}

func TestTrailingZeros(t *testing.T) {
	for i := range 64 {
		for _, v := range []uint64{1 << i, ^uint64(0) << i, 1<<63 | 1<<i} {
			if got, want := trailingZeros(v), uintptr(bits.TrailingZeros64(v)); got != want {
				t.Errorf("trailingZeros(%#x) = %d, want %d", v, got, want)
			}
		}
	}
}
