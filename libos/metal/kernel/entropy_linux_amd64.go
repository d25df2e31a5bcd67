package kernel

import "unsafe"

// Random numbers come from the processor (RDRAND), from the VMM (virtio-rng), or
// from both, through a generator that is reseeded from them. With neither the
// machine does not start. A clone of a running machine (a snapshot that is resumed
// twice) shares the generator's state until the next reseeding: do not resume one twice.

const reseedAfter = 300 * nsPerSecond

var (
	random   generator
	seededAt int64
	hardware rdrandSource
)

// entropyInit seeds the generator or ends the machine.
func entropyInit() {
	_, _, c, _ := cpuid(1, 0)
	hardware.trusted = c>>30&1 != 0
	if !reseed() {
		kdie("there is no source of randomness: give the machine one\n" +
			"(QEMU: -device virtio-rng-device or virtio-rng-pci, or -cpu max; Firecracker: an entropy device; cloud-hypervisor: --rng)")
	}
}

// reseed mixes fresh bytes of all sources into the generator; false says that no source gave any.
func reseed() bool {
	var fromMonitor, fromProcessor [8]uint32
	monitor := earlyRandom(uintptr(unsafe.Pointer(&fromMonitor)), unsafe.Sizeof(fromMonitor))
	processor := hardware.fill(&fromProcessor)
	if monitor {
		random.seed(&fromMonitor)
	}
	if processor {
		random.seed(&fromProcessor)
	}
	// The time is no secret, but keeps apart machines that were given the same secrets.
	t, w := rdtsc(), uint64(wallNow())
	random.seed(&[8]uint32{uint32(t), uint32(t >> 32), uint32(w), uint32(w >> 32)})
	clear(fromMonitor[:])
	clear(fromProcessor[:])
	seededAt = nanotime()
	return monitor || processor
}

// sysGetrandom is getrandom(2): n random bytes at p. It never blocks and never gives fewer.
func sysGetrandom(p, n uintptr) uintptr {
	if nanotime()-seededAt > reseedAfter {
		reseed() // if no source answers now, the key is as secret as it was
	}
	random.fill(p, n)
	return n
}

// fill reads a seed from the processor's generator; false says that there is none that can be trusted.
func (r *rdrandSource) fill(seed *[8]uint32) bool {
	for i := 0; i < len(seed) && r.trusted; i += 2 {
		v, ok := rdrand()
		if r.accept(v, ok) {
			seed[i], seed[i+1] = uint32(v), uint32(v>>32)
		}
	}
	return r.trusted
}

// A rdrandSource judges the processor's generator. Some processors' fail and say
// that they do not: they give all ones, or one number again and again. A single
// such number (a good generator gives one in 2^63) ends the trust for good.
type rdrandSource struct {
	trusted bool
	last    uint64
}

// accept takes note of a number from the generator and says whether it can be used.
func (r *rdrandSource) accept(v uint64, ok bool) bool {
	if !ok || v == 0 || v == ^uint64(0) || v == r.last {
		r.trusted = false
	}
	r.last = v
	return r.trusted
}
