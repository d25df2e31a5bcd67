package kernel

import "unsafe"

// KVM tells a guest the time by a structure in memory (pvclock, in the Linux
// kernel's Documentation/virt/kvm/x86/msr.rst), which it keeps up to date.

const (
	msrKVMWall = 0x4b564d00
	msrKVMTime = 0x4b564d01
	kvmClock   = 1 << 3 // feature: the two registers above
)

// A pvclock says what time it was, in nanoseconds since the machine began, when the
// TSC was at tsc, and how fast the TSC counts: shift left (right, if negative),
// then times mul/1<<32, is nanoseconds. While KVM changes it, version is odd.
type pvclock struct {
	version, _  uint32
	tsc, ns     uint64
	mul         uint32
	shift       int8
	flags, _, _ uint8
}

// at is the time when the TSC is at tsc.
func (p *pvclock) at(tsc uint64) uint64 {
	delta := tsc - p.tsc
	if p.shift < 0 {
		delta >>= uint(-p.shift)
	} else {
		delta <<= uint(p.shift)
	}
	hi, lo := mul64(delta, uint64(p.mul))
	return p.ns + hi<<32 + lo>>32
}

// hz is how often the TSC counts in a second; 0 if the structure says nothing.
func (p *pvclock) hz() uint64 {
	hz := mulDiv(nsPerSecond, 1<<32, uint64(p.mul))
	switch {
	case p.mul == 0:
		return 0
	case p.shift < 0:
		return hz << uint(-p.shift)
	}
	return hz >> uint(p.shift)
}

// kvm is what KVM writes to. The structures must not cross a page, so each takes the
// aligned part of a room of twice its size.
var kvm struct {
	time [8]uint64
	wall [4]uint64
}

func kvmTime() *pvclock {
	return (*pvclock)(at((uintptr(unsafe.Pointer(&kvm.time)) + 31) &^ 31))
}

func kvmWall() uintptr { return (uintptr(unsafe.Pointer(&kvm.wall)) + 15) &^ 15 }

// kvmInit looks for KVM, and asks it for the time if it is there. The image lies where it is
// linked, so addresses in it are physical ones.
func kvmInit() bool {
	base := hypervisorLeaf('K'|'V'<<8|'M'<<16|'K'<<24, 'V'|'M'<<8|'K'<<16|'V'<<24, 'M')
	if base == 0 {
		return false
	}
	if features, _, _, _ := cpuid(base+1, 0); features&kvmClock == 0 {
		return false
	}
	wrmsr(msrKVMTime, uint64(uintptr(unsafe.Pointer(kvmTime())))|1)
	return kvmTime().hz() != 0
}

// hypervisorLeaf is the CPUID leaf at which the hypervisor of that signature describes
// itself, 0 if it does not run this machine.
func hypervisorLeaf(b, c, d uint32) uint32 {
	const hypervisor = 1 << 31
	if _, _, features, _ := cpuid(1, 0); features&hypervisor == 0 {
		return 0
	}
	for leaf := uint32(0x40000000); leaf <= 0x40000f00; leaf += 0x100 {
		if _, lb, lc, ld := cpuid(leaf, 0); lb == b && lc == c && ld == d {
			return leaf
		}
	}
	return 0
}

// kvmNow reads the time and the TSC it belongs to.
func kvmNow() (ns, tsc uint64) {
	for {
		version := *p32(uintptr(unsafe.Pointer(kvmTime())))
		clock := *kvmTime()
		tsc = rdtsc()
		if version&1 == 0 && version == *p32(uintptr(unsafe.Pointer(kvmTime()))) {
			return clock.at(tsc), tsc
		}
	}
}

// kvmWallNow is the time of day in nanoseconds since 1970: KVM says when the machine began.
func kvmWallNow() int64 {
	w := kvmWall()
	wrmsr(msrKVMWall, uint64(w))
	began := int64(*p32(w + 4))*nsPerSecond + int64(*p32(w + 8))
	ns, _ := kvmNow()
	return began + int64(ns)
}
