package main

import (
	"errors"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unsafe"
)

type pair struct {
	a, b int
	far  [64]byte
}

var (
	sinkInt  int // keeps what is read
	nothing  *pair
	zero     int
	constant = "constant"
	high     = uint64(1)<<63 | 1<<50 // no address at all
)

// expect runs f and makes sure that it panics with a runtime error that has want in its text.
func expect(want string, f func()) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		var err runtime.Error
		if e, ok := recover().(error); !ok || !errors.As(e, &err) || !strings.Contains(err.Error(), want) {
			panic("recovered something else than " + want)
		}
	}()
	f()
	panic("no fault")
}

func nilRead() {
	for range 1000 {
		expect("nil pointer", func() { sinkInt = nothing.b })
	}
}

func nilWrite() { expect("nil pointer", func() { nothing.far[7] = 1 }) }
func divide()   { expect("divide", func() { sinkInt = 1 / zero }) }
func index()    { expect("out of range", func() { s := []int{1}; sinkInt = s[zero+5] }) }

func nilMap() {
	expect("nil map", func() {
		var m map[string]int
		m["a"] = 1
	})
}

func nilCall() {
	expect("nil pointer", func() {
		var f func()
		f()
	})
	var code uintptr // a function at address 0
	entry := &code
	expect("nil pointer", func() { (*(*func())(unsafe.Pointer(&entry)))() })
}

// writeText writes to the code of this very function.
func writeText() {
	expect("invalid memory address", func() {
		f := writeText
		*(*byte)(**(**unsafe.Pointer)(unsafe.Pointer(&f))) = 0xcc
	})
}

func writeConstant() { expect("invalid memory address", func() { *unsafe.StringData(constant) = 'x' }) }

// executeData calls what lies in the heap: the bytes of a RET.
func executeData() {
	code := &[16]byte{0xc3}
	entry := &code
	expect("invalid memory address", func() { (*(*func())(unsafe.Pointer(&entry)))() })
}

func nonCanonical() {
	expect("invalid memory address", func() { *(*byte)(unsafe.Add(unsafe.Pointer(nil), high)) = 1 })
}

// nestedFault faults in a deferred function while a fault is on its way.
func nestedFault() {
	expect("divide", func() {
		defer func() {
			expect("nil pointer", func() { sinkInt = nothing.a })
		}()
		sinkInt = 1 / zero
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				expect("nil pointer", func() { nothing.a = 1 })
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
}

// badPointer hands the kernel an address where nothing is.
func badPointer() {
	syscall.RawSyscall(syscall.SYS_WRITE, 1, 0x10, 100)
}

// fatalFault reads where nothing is, without saying that this is to be a panic.
func fatalFault() { sinkInt = *(*int)(unsafe.Add(unsafe.Pointer(nil), 0x123456000)) }

// handlerFault faults while SIGSEGV is blocked, as in its own handler.
func handlerFault() {
	runtime.LockOSThread()
	all := ^uint64(0)
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, 2, uintptr(unsafe.Pointer(&all)), 0, 8, 0, 0)
	sinkInt = nothing.a
}

func overflow() {
	debug.SetMaxStack(1 << 20)
	recurse(1)
}

func recurse(n int) int { return recurse(n+1) + n }

func abort() { syscall.Kill(1, syscall.SIGABRT) }

func deadlock() { select {} }

func outOfMemory() {
	debug.SetMemoryLimit(1 << 40)
	var keep [][]byte
	for {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		keep = append(keep, b)
	}
}

// unserved makes a call that the kernel does not know, and one that no kernel does.
func unserved() {
	for range 2 {
		_, _, err := syscall.RawSyscall(syscall.SYS_PTRACE, 0, 0, 0)
		must(err == syscall.ENOSYS)
	}
	_, _, err := syscall.RawSyscall(0x123456, 0, 0, 0)
	must(err == syscall.ENOSYS)
}

// every makes every system call there is, but for those that would do what they are
// there for: change memory, threads and signals, wait, or end.
func every() {
	not := []uintptr{
		syscall.SYS_MMAP, syscall.SYS_MPROTECT, syscall.SYS_MUNMAP, syscall.SYS_RT_SIGRETURN, syscall.SYS_NANOSLEEP, syscall.SYS_CLONE,
		syscall.SYS_EXIT, syscall.SYS_KILL, syscall.SYS_RT_SIGPROCMASK, syscall.SYS_CLOCK_GETTIME, syscall.SYS_SIGALTSTACK, syscall.SYS_ARCH_PRCTL, syscall.SYS_EXIT_GROUP,
	}
	b := make([]byte, 1<<16)
	p := uintptr(unsafe.Pointer(&b[0]))
	for n := range uintptr(1000) {
		if !slices.Contains(not, n) {
			syscall.RawSyscall6(n, p, 64, p, p, p, p)
		}
	}
}

// In faults_amd64.s: what breaks the kernel itself.

func kernelStack()
func nmi()
func doubleFault()
func machineCheck()
func manyFaults()

func faultLoop() {
	manyFaults()
	badPointer()
}
