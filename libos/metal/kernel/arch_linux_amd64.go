package kernel

import "unsafe"

// The processor: instructions that Go has no words for (their bodies are in
// arch_linux_amd64.s), and memory as numbers.
//
// An address is a uintptr everywhere in the kernel, so that storing one takes
// no write barrier and the collector, whose world this is not, follows none.

// direct is where all physical memory, RAM and devices, is mapped: physical
// address p is at direct+p.
const direct = 0xffff800000000000

const pageSize = 4096

func outb(port uint16, v uint8)
func outw(port uint16, v uint16)
func outl(port uint16, v uint32)
func inb(port uint16) uint8
func inw(port uint16) uint16
func inl(port uint16) uint32

func rdmsr(reg uint32) uint64
func wrmsr(reg uint32, v uint64)
func rdtsc() uint64
func cpuid(leaf, sub uint32) (a, b, c, d uint32)

// rdrand returns a random number from the processor; ok is false when it has
// none to give. It may only be called if CPUID says that RDRAND exists.
func rdrand() (v uint64, ok bool)

func readCR2() uint64
func readCR3() uint64
func writeCR3(v uint64)
func readCR4() uint64
func writeCR4(v uint64)

// invlpg forgets the translation of the page at va.
func invlpg(va uintptr)

// xsetbv says which registers XSAVE saves.
func xsetbv(mask uint64)

func lgdt(p uintptr)
func lidt(p uintptr)
func ltr(selector uint16)

// pause is what a loop that waits for a device does.
func pause()

// halt stops the processor for good.
func halt()

// metalCall makes one of our own system calls, numbered from 0x6d00 on.
// It is for ordinary code, on goroutines, and only while Running.
func metalCall(number, a1, a2, a3, a4 uintptr) uintptr

// at is the memory at an address; p8, p16, p32 and p64 give it a type.
func at(a uintptr) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), a) }

func p8(a uintptr) *uint8   { return (*uint8)(at(a)) }
func p16(a uintptr) *uint16 { return (*uint16)(at(a)) }
func p32(a uintptr) *uint32 { return (*uint32)(at(a)) }
func p64(a uintptr) *uint64 { return (*uint64)(at(a)) }

// zero clears n bytes at a.
func zero(a, n uintptr) { clear((*[maxBytes]byte)(at(a))[:n]) }

// copymem copies n bytes; the two areas may overlap.
func copymem(dst, src, n uintptr) {
	copy((*[maxBytes]byte)(at(dst))[:n], (*[maxBytes]byte)(at(src))[:n])
}

const maxBytes = 1 << 46
