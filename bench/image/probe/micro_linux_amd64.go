package main

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"time"

	"cairn/libos/metal/kernel"
)

// costs are timed in this order; each does its work n times.
var costs = []struct {
	name string
	n    int
	work func(n int) error
}{
	{"system call", 200_000, func(n int) error {
		for range n {
			syscall.RawSyscall(syscall.SYS_GETPID, 0, 0, 0)
		}
		return nil
	}},
	{"time.Now", 200_000, func(n int) error {
		for range n {
			runtime.KeepAlive(time.Now())
		}
		return nil
	}},
	{"page fault", 8192, faults},
	{"nil dereference, recovered", 2000, func(n int) error {
		for range n {
			dereference(nil)
		}
		return nil
	}},
	{"goroutine switch", 200_000, func(n int) error { pingPong(n/2, false); return nil }},
	{"thread switch", 4000, func(n int) error { pingPong(n/2, true); return nil }},
	{"sleep of 1 ms", 200, func(n int) error {
		for range n {
			time.Sleep(time.Millisecond)
		}
		return nil
	}},
	{"32 random bytes", 20_000, func(n int) error {
		b := make([]byte, 32)
		for range n {
			rand.Read(b)
		}
		return nil
	}},
	{"collection of a heap of 16 MiB", 5, collect},
	{"SHA-256 of 1 MiB", 16, func(n int) error {
		b := make([]byte, 1<<20)
		for range n {
			sha256.Sum256(b)
		}
		return nil
	}},
}

// micro prints what each costs.
func micro(w io.Writer) error {
	if kernel.Running() {
		fmt.Fprintf(w, "cost %q %.4g\n", "from the machine's first instruction to the runtime's", float64(kernel.ReadStatistics().Began)/1e9)
	}
	for _, c := range costs {
		runtime.GC()
		began := time.Now()
		if err := c.work(c.n); err != nil {
			return err
		}
		fmt.Fprintf(w, "cost %q %.4g\n", c.name, time.Since(began).Seconds()/float64(c.n))
	}
	return nil
}

// faults touches n pages for the first time.
func faults(n int) error {
	const page = 4096
	mem, err := syscall.Mmap(-1, 0, n*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return err
	}
	for i := 0; i < len(mem); i += page {
		mem[i] = 1
	}
	return syscall.Munmap(mem)
}

//go:noinline
func dereference(p *int) (n int) {
	defer func() { _ = recover() }()
	return *p
}

// pingPong passes a token there and back n times between two goroutines, each
// on a thread of its own or not.
func pingPong(n int, threads bool) {
	there, back := make(chan int), make(chan int)
	lock := func() {
		if threads {
			runtime.LockOSThread()
		}
	}
	go func() {
		lock()
		for x := range there {
			back <- x
		}
		close(back)
	}()
	done := make(chan int)
	go func() {
		lock()
		for i := range n {
			there <- i
			<-back
		}
		close(there)
		close(done)
	}()
	<-done
}

// collect collects n times a heap of small objects that all live.
func collect(n int) error {
	type node struct {
		next *node
		_    [7]uint64
	}
	var list *node
	for range 16 << 20 / 64 {
		list = &node{next: list}
	}
	for range n {
		runtime.GC()
	}
	runtime.KeepAlive(list)
	return nil
}
