package main

import (
	"bytes"
	"fmt"
	"syscall"
	"time"
	"unsafe"

	"cairn/libos/metal/kernel"
)

const (
	page   = 4096
	direct = 0xffff800000000000
)

func readCR3() uintptr
func writeProtected() bool
func textAddress() uintptr

// call makes a system call and must get that error, 0 for none.
func call(want syscall.Errno, number, a1, a2, a3, a4 uintptr) uintptr {
	r, _, errno := syscall.RawSyscall6(number, a1, a2, a3, a4, ^uintptr(0), 0)
	if errno != want {
		panic(fmt.Sprintf("system call %d (%#x, %#x, %#x, %#x): %v, want %v", number, a1, a2, a3, a4, errno, want))
	}
	return r
}

const anonymous, fixed = syscall.MAP_ANON | syscall.MAP_PRIVATE, syscall.MAP_FIXED

func mmap(addr, pages, prot, flags uintptr) uintptr {
	return call(0, syscall.SYS_MMAP, addr, pages*page, prot, anonymous|flags)
}

func munmap(addr, pages uintptr) { call(0, syscall.SYS_MUNMAP, addr, pages*page, 0, 0) }

func mprotect(addr, pages, prot uintptr) { call(0, syscall.SYS_MPROTECT, addr, pages*page, prot, 0) }

func memory(a, pages uintptr) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(nil), a)), pages*page)
}

func word(a uintptr) *uint64 { return (*uint64)(unsafe.Add(unsafe.Pointer(nil), a)) }

const none, read, write, exec = 0, syscall.PROT_READ, syscall.PROT_WRITE, syscall.PROT_EXEC

// mappings: what mmap, munmap, mprotect and madvise do, and what they refuse.
func mappings() {
	a := mmap(0, 64, read|write, 0)
	b := memory(a, 64)
	must(bytes.Count(b, []byte{0}) == len(b))
	for i := range b {
		b[i] = byte(i/page + 1)
	}

	mprotect(a+8*page, 8, none) // in the middle: three areas
	expect("invalid memory address", func() { sinkInt = int(b[9*page]) })
	mprotect(a+8*page, 8, read)
	must(b[9*page] == 10) // what was there is there
	expect("invalid memory address", func() { b[9*page] = 1 })
	mprotect(a+8*page, 8, read|write) // one area again
	b[9*page] = 77

	call(0, syscall.SYS_MADVISE, a+16*page, 4*page, syscall.MADV_DONTNEED, 0)
	must(b[15*page] == 16 && b[16*page] == 0 && b[19*page] == 0 && b[20*page] == 21)
	must(mmap(a+24*page, 2, read|write, fixed) == a+24*page)
	must(b[23*page] == 24 && b[24*page] == 0 && b[25*page] == 0 && b[26*page] == 27)

	munmap(a+32*page, 16)
	expect("invalid memory address", func() { sinkInt = int(b[33*page]) })
	must(b[31*page] == 32 && b[48*page] == 49)
	call(syscall.ENOMEM, syscall.SYS_MPROTECT, a, 64*page, read, 0) // there is a hole
	must(mmap(a+32*page, 16, read|write, 0) == a+32*page)           // a hint that can be honoured
	must(mmap(a, 16, read|write, 0) != a)                           // one that cannot
	must(b[33*page] == 0)

	call(syscall.EACCES, syscall.SYS_MMAP, 0, page, read|exec, anonymous)
	call(syscall.EACCES, syscall.SYS_MPROTECT, a, page, read|write|exec, 0)
	call(syscall.EINVAL, syscall.SYS_MMAP, 0, 0, read, anonymous)
	call(syscall.EINVAL, syscall.SYS_MMAP, 0, page, read, anonymous|fixed)
	call(syscall.EINVAL, syscall.SYS_MMAP, textAddress()&^(page-1), page, read|write, anonymous|fixed)
	call(syscall.EINVAL, syscall.SYS_MPROTECT, textAddress()&^(page-1), page, read|write, 0)
	call(syscall.EINVAL, syscall.SYS_MUNMAP, textAddress()&^(page-1), page, 0, 0)
	call(syscall.EINVAL, syscall.SYS_MMAP, direct, page, read|write, anonymous|fixed)
	call(syscall.EINVAL, syscall.SYS_MUNMAP, a+1, page, 0, 0)
	call(syscall.EINVAL, syscall.SYS_MUNMAP, a, ^uintptr(0)-a, 0, 0)
	call(syscall.ENOMEM, syscall.SYS_MMAP, 0, 1<<62, read, anonymous)
	call(syscall.EINVAL, syscall.SYS_MADVISE, a, page, 12345, 0)
	munmap(a, 64)
}

// reserving takes address space, as the runtime does, and no memory.
func reserving() {
	const pages = 1 << 25 // 128 GiB
	a := mmap(0, pages, none, 0)
	b := mmap(0x123400000000, pages, none, 0)
	must(b == 0x123400000000)
	for i := uintptr(0); i < pages; i += pages / 16 {
		mprotect(b+i*page, 1, read|write)
		memory(b+i*page, 1)[0] = 1
	}
	munmap(b, pages)
	munmap(a, pages)
}

// returning maps and unmaps ten times the memory of the machine.
func returning() {
	const pages = 32 << 8
	for i := range 30 {
		a := mmap(0, pages, read|write, 0)
		b := memory(a, pages)
		for p := 0; p < len(b); p += page {
			must(b[p] == 0)
			b[p] = byte(i + 1)
		}
		if i%2 == 0 {
			munmap(a, pages)
		} else { // leaves the address space to the next
			call(0, syscall.SYS_MADVISE, a, pages*page, syscall.MADV_DONTNEED, 0)
			munmap(a, pages)
		}
	}
}

// areas takes one page after the other until the kernel has no more areas: it must
// say so, and go on to work.
func areas() {
	const pages = 8192
	a := mmap(0, pages, none, 0)
	refused := 0
	for i := uintptr(0); i < pages; i += 2 {
		_, _, errno := syscall.RawSyscall(syscall.SYS_MPROTECT, a+i*page, page, read|write)
		if errno != 0 {
			must(errno == syscall.ENOMEM)
			refused++
		}
	}
	must(refused > 0)
	munmap(a, pages)
}

// permissions walks the page tables: no page is both writable and executable, page 0 is absent, and
// text cannot be written by any name.
func permissions() {
	must(writeProtected())
	text := textAddress()
	found := map[string]int{}
	walk(readCR3()&^0xfff, 0, 39, func(va, size uintptr, e uint64) {
		const w, nx = 1 << 1, 1 << 63
		frame := uintptr(e & 0x000ffffffffff000)
		must(e&w == 0 || e&nx != 0)
		must(va >= direct || va >= 0x400000)
		must(va < direct || e&nx != 0)
		if frame <= text && text < frame+size {
			must(e&w == 0)
			found["text"]++
		}
		if va < direct && e&w != 0 {
			found["data"]++
		}
	})
	must(found["text"] == 2 && found["data"] > 0) // where it is linked, and in the direct map
}

// walk calls f for each page that the table at physical address table maps.
func walk(table, base uintptr, shift uint, f func(va, size uintptr, entry uint64)) {
	for i := range uintptr(512) {
		e := *word(direct + table + i*8)
		va := base | i<<shift
		if shift == 39 && i >= 256 {
			va |= 0xffff << 48
		}
		switch {
		case e&1 == 0:
		case shift == 12 || e&(1<<7) != 0:
			f(va, 1<<shift, e)
		default:
			walk(uintptr(e&0x000ffffffffff000), va, shift-9, f)
		}
	}
}

// agree reads the clocks by a system call and without, in turn: they are one.
func agree() {
	const realtime, monotonic = 0, 1
	base := time.Now()
	var last int64
	for range 20_000 {
		now := trapTime(realtime)
		must(now >= last)
		last = time.Now().UnixNano()
		must(last >= now)
	}
	before := trapTime(monotonic)
	since := time.Since(base)
	must(since > 0 && before > 0 && since < time.Duration(before))
}

func trapTime(clock uintptr) int64 {
	var ts [2]int64
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&ts)), 0)
	return ts[0]*1e9 + ts[1]
}

// cheap: time.Now does not enter the kernel. A system call that is not served would be
// reported, so clock_gettime is counted by what it costs: less than half.
func cheap() {
	best := [2]time.Duration{time.Hour, time.Hour}
	for range 20 {
		start := time.Now()
		for range 1000 {
			time.Now() // twice the clock: of the day, and the other
		}
		best[0] = min(best[0], time.Since(start))
		start = time.Now()
		for range 1000 {
			trapTime(0)
			trapTime(1)
		}
		best[1] = min(best[1], time.Since(start))
	}
	must(best[0] < best[1])
}

// idle sleeps: hardly anything may happen meanwhile.
func idle() {
	before := kernel.ReadStatistics()
	time.Sleep(2 * time.Second)
	after := kernel.ReadStatistics()
	if n := after.Interrupts - before.Interrupts; n > 500 {
		panic(fmt.Sprintf("%d interrupts in two idle seconds", n))
	}
}

// above makes sure that memory above 4 GiB can be used.
func above() {
	b, phys := kernel.DMA(3 * page)
	if phys < 4<<30 || len(b) != 3*page {
		panic(fmt.Sprintf("%d bytes at %#x", len(b), phys))
	}
	must(bytes.Count(b, []byte{0}) == len(b))
	for i := range b {
		b[i] = byte(i)
	}
	must(b[page+5] == 5)
}

func date() { fmt.Println("date", time.Now().UTC().Format(time.RFC3339Nano)) }
