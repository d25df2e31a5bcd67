package kernel

// The FPU's registers. A thread that was interrupted, or faulted, finds them as
// they were. Across a system call nobody relies on them (runtime_linux_amd64.go), so
// kernel code may use them, as the compiler does, and nothing is saved.

// fpArea is how many bytes of a thread's page hold its FPU registers.
const fpArea = pageSize - threadFP

// xsaveMask is what XSAVE saves; 0 means that there is only FXSAVE.
//
//lint:ignore U1000 trap_linux_amd64.s reads it.
var xsaveMask uint64

// fpSize is how many bytes that takes.
var fpSize uintptr = 512

// fpInit turns on all vector registers whose state fits into a thread's page:
// AVX-512 where there is one, else AVX.
func fpInit() {
	const xsave, osxsave = 1 << 26, 1 << 18
	if _, _, c, _ := cpuid(1, 0); c&xsave == 0 {
		return
	}
	writeCR4(readCR4() | osxsave)
	const x87, avx, avx512 = 3, 4, 0xe0
	a, _, _, _ := cpuid(13, 0)
	for _, mask := range [...]uint64{x87 | avx | avx512, x87 | avx, x87} {
		if uint64(a)&mask != mask {
			continue
		}
		xsetbv(mask)
		if _, size, _, _ := cpuid(13, 0); size <= fpArea {
			xsaveMask, fpSize = mask, uintptr(size)
			return
		}
	}
	kdie("the registers of this processor do not fit into a thread's page")
}

// saveFP stores the registers at p, a multiple of 64, in the form that a thread's page has.
func saveFP(p uintptr)
