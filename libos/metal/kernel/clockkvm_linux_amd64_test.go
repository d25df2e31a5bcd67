package kernel

import (
	"math"
	"testing"
	"unsafe"
)

func TestPVClock(t *testing.T) {
	if size := unsafe.Sizeof(pvclock{}); size != 32 {
		t.Fatalf("the structure has %d bytes, want 32", size)
	}
	for _, c := range []struct {
		mul   uint32
		shift int8
		hz    float64
	}{
		{1 << 31, 1, 1e9},             // 1 ns a tick
		{0xd5555555, -1, 2.4e9},       // 1/2.4 ns
		{0x80000000, -1, 4e9},         // 1/4 ns
		{0x9c400000, 2, 1e9 / 2.4414}, // slower than 1 GHz
	} {
		p := pvclock{tsc: 1000, ns: 5e9, mul: c.mul, shift: c.shift}
		if got := float64(p.hz()); math.Abs(got/c.hz-1) > 1e-4 {
			t.Errorf("mul %#x shift %d: %.0f Hz, want %.0f", c.mul, c.shift, got, c.hz)
		}
		if got, want := p.at(1000+uint64(c.hz)), uint64(6e9); math.Abs(float64(got)-float64(want)) > 1e5 {
			t.Errorf("mul %#x shift %d: a second later it is %d, want %d", c.mul, c.shift, got, want)
		}
	}
	if got := (&pvclock{}).hz(); got != 0 {
		t.Errorf("a structure that says nothing: %d Hz", got)
	}
}

func TestKVMStructuresDoNotCrossPages(t *testing.T) {
	if p := uintptr(unsafe.Pointer(kvmTime())); p%32 != 0 || p < uintptr(unsafe.Pointer(&kvm.time)) {
		t.Errorf("time at %#x", p)
	}
	if p := kvmWall(); p%16 != 0 || p+16 > uintptr(unsafe.Pointer(&kvm.wall))+unsafe.Sizeof(kvm.wall) {
		t.Errorf("wall at %#x", p)
	}
}

func TestKVMNow(t *testing.T) {
	start := rdtsc()
	*kvmTime() = pvclock{version: 2, tsc: start, ns: 5e9, mul: 1 << 31, shift: 1} // 1 ns a tick
	defer func() { kvm.time = [8]uint64{} }()
	ns, tsc := kvmNow()
	if tsc < start || tsc > rdtsc() || ns != 5e9+tsc-start {
		t.Errorf("%d ns at %d, want %d", ns, tsc, 5e9+tsc-start)
	}
}
