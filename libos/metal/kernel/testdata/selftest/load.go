package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"cairn/libos/metal/kernel"
)

func channels() {
	ch, done := make(chan int), make(chan int)
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() { ch <- i })
	}
	go func() {
		sum := 0
		for v := range ch {
			sum += v
		}
		done <- sum
	}()
	wg.Wait()
	close(ch)
	must(<-done == 999*1000/2)
}

// preemption: goroutines that never give way, and a collection meanwhile.
func preemption() {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for !stop.Load() {
			}
		})
	}
	runtime.Gosched()
	runtime.GC()
	time.Sleep(time.Millisecond)
	stop.Store(true)
	wg.Wait()
}

// sleeps: nobody wakes early, whoever else sleeps. (That nobody wakes late is not to be
// had, nor an order: the machine may stand still meanwhile.)
func sleeps() {
	var wg sync.WaitGroup
	for _, n := range []int{5, 1, 4, 2, 3, 0} {
		wg.Go(func() {
			d := time.Duration(n) * 20 * time.Millisecond
			start := time.Now()
			time.Sleep(d)
			must(time.Since(start) >= d)
		})
	}
	wg.Wait()
}

// lockedThreads: goroutines with a thread each, more than the runtime starts by itself.
func lockedThreads() {
	var wg sync.WaitGroup
	ch := make([]chan int, 51)
	for i := range ch {
		ch[i] = make(chan int)
	}
	for i := range 50 {
		wg.Go(func() {
			runtime.LockOSThread() // ends with the goroutine
			ch[i+1] <- <-ch[i] + 1
		})
	}
	ch[0] <- 0
	must(<-ch[50] == 50)
	wg.Wait()
}

func deadlines() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	must(errors.Is(ctx.Err(), context.DeadlineExceeded))
}

type node struct {
	left, right *node
	fill        [64]byte
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

// collector makes garbage of all sizes while something is kept.
func collector() {
	keep := tree(12)
	var sink []byte
	for total := 0; total < 200<<20; {
		n := 1<<10 + total%(1<<20)
		b := make([]byte, n)
		b[0], b[n-1] = 1, 2
		sink = b
		total += n
		if total%7 == 0 {
			must(tree(8).count() == 1<<9-1)
		}
	}
	runtime.KeepAlive(sink)
	must(keep.count() == 1<<13-1)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	must(m.NumGC > 2)
}

// floatRegisters computes with scalars, and with the vector registers that
// hashing and memory moves use, in goroutines that preempt each other, and
// compares with the same done alone.
func floatRegisters() {
	alone, hash := float(0, nil), vectors(0, nil)
	var stop atomic.Bool
	var running, wg sync.WaitGroup
	running.Add(1)
	go func() { // makes signals: each collection stops all goroutines
		defer running.Done()
		for !stop.Load() {
			runtime.GC()
			time.Sleep(100 * time.Microsecond)
		}
	}()
	for i := range 4 {
		wg.Go(func() { must(float(i, &stop) == alone) })
		wg.Go(func() { must(vectors(i, &stop) == hash) })
	}
	wg.Wait()
	stop.Store(true)
	running.Wait()
}

func float(int, *atomic.Bool) float64 {
	x, y, z := 1.0, 2.0, 3.0
	for i := range 500_000 {
		x = x*1.0000001 + y*0.0000003
		y = y*0.9999999 + 0.5/z
		z = math.Sqrt(z*z + 1/(x+float64(i)))
	}
	return x + y + z
}

func vectors(int, *atomic.Bool) [32]byte {
	a := bytes.Repeat([]byte("vector registers"), 1024)
	b := make([]byte, len(a))
	h := sha256.New()
	for range 20 {
		copy(b, a)
		h.Write(b)
		must(bytes.Equal(a, b))
		must(bytes.IndexByte(b, 'X') < 0)
		clear(b)
	}
	return [32]byte(h.Sum(nil))
}

// allRegisters: all vector registers keep what is in them while other threads run,
// and X15, which compiled code takes for zero, is zero after a system call.
func allRegisters() {
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !done.Load() {
			must(fillVectors(1_000_000))
			runtime.Gosched()
		}
	})
	for range 100 {
		nap := syscall.Timespec{Nsec: 100_000}
		syscall.Nanosleep(&nap, nil)
		must(afterCall() == 0)
	}
	done.Store(true)
	wg.Wait()
}

func fillVectors(rounds int) (kept bool)
func afterCall() (x15 uint64)

// files: there are none.
func files() {
	_, err := os.ReadFile("/etc/passwd")
	must(errors.Is(err, fs.ErrNotExist))
	_, err = os.Stat("/")
	must(errors.Is(err, fs.ErrNotExist))
	n, err := os.Stdin.Read(make([]byte, 1))
	must(n == 0 && err != nil)
}

func clocks() {
	must(time.Now().Year() >= 2020)
	last := time.Now()
	for range 10000 {
		now := time.Now()
		must(now.Sub(last) >= 0)
		last = now
	}
}

func random() {
	var a, b [32]byte
	rand.Read(a[:])
	rand.Read(b[:])
	must(a != b && a != [32]byte{})
}

// calls: those of this program are counted, by name.
func calls() {
	before := kernel.Calls()
	syscall.Getpid()
	after := kernel.Calls()
	must(after["getpid"] == before["getpid"]+1 && after["futex"] > 0 && after["execve"] == 0)
}

// poll waits for a descriptor in the runtime's poller, as drivers do.
func poll() {
	fd, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK, 0)
	must(errno == 0)
	f := os.NewFile(fd, "counter")
	must(f.SetReadDeadline(time.Now().Add(10*time.Millisecond)) == nil)
	b := make([]byte, 8)
	_, err := f.Read(b)
	must(errors.Is(err, os.ErrDeadlineExceeded))
	must(f.SetReadDeadline(time.Time{}) == nil)
	got := make(chan byte)
	for i := range 100 {
		go func() {
			_, err := f.Read(b)
			must(err == nil)
			got <- b[0]
		}()
		runtime.Gosched()
		if i%3 == 0 {
			time.Sleep(time.Millisecond)
		}
		_, err = f.Write([]byte{3, 0, 0, 0, 0, 0, 0, 0})
		must(err == nil)
		must(<-got == 3)
	}
	must(f.Close() == nil)
}
