package kernel

import "unsafe"

// Random numbers come from the processor or from the VMM, or the machine does not start.

var haveRDRAND bool

func entropyInit() {
	_, _, c, _ := cpuid(1, 0)
	haveRDRAND = c>>30&1 != 0
	var probe uint64
	if !haveRDRAND && !earlyRandom(uintptr(unsafe.Pointer(&probe)), 8) {
		kdie("no source of randomness: give the machine a virtio-rng device (QEMU: -device virtio-rng-device) or a processor with RDRAND (QEMU: -cpu max)")
	}
}

// sysGetrandom fills n bytes at p.
func sysGetrandom(p, n uintptr) uintptr {
	for i := uintptr(0); i < n; i += 8 {
		var v uint64
		if haveRDRAND {
			v, _ = rdrand()
		} else {
			earlyRandom(uintptr(unsafe.Pointer(&v)), 8)
		}
		copymem(p+i, uintptr(unsafe.Pointer(&v)), min(8, n-i))
	}
	return n
}
