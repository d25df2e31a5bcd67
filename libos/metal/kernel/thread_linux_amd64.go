package kernel

import "unsafe"

// frame is what a thread, or interrupted kernel code, had in its registers.
// trap_linux_amd64.s knows the order.
type frame struct {
	r15, r14, r13, r12, r11, r10, r9, r8 uint64
	rdi, rsi, rbp, rbx, rdx, rcx, rax    uint64

	vector uint64 // exception or interrupt; vectorSyscall
	code   uint64 // error code of the exception
	rip    uint64
	cs     uint64
	rflags uint64
	rsp    uint64
	ss     uint64
}

// thread is one page: this struct, and from threadFP on the FPU's registers.
type thread struct {
	frame
	fs     uint64 // base of thread-local storage
	g      uint64 // what is there in the slot of g, which the kernel's own displaces
	fpLive uint64 // 1 if the FPU's registers are saved and to be restored; after a system call they are dead

	id    uint32
	state threadState
	wake  int64 // when to give up waiting, as nanotime; 0 = never

	why   waiting
	futex uintptr // the word that it waits on

	events uintptr // where epoll_wait puts events, how many fit, and from which descriptor
	max    uintptr
	epoll  int32

	altStack uintptr
	altSize  uintptr
	blocked  uint64 // signals, signal n is bit n-1
	pending  uint64
}

type threadState uint32

const (
	free threadState = iota
	runnable
	running
	waits
)

type waiting uint32

const (
	waitsFutex waiting = iota + 1
	waitsSleep
	waitsEvents
)

// threadFP is the offset of the FPU's registers; also in trap_linux_amd64.s.
const threadFP = 0x400

var _ [threadFP - unsafe.Sizeof(thread{})]byte // they do not overlap

// maxThreads bounds what the runtime may start. With one processor it needs
// about six, and one for each goroutine that locks its thread.
const maxThreads = 512

// Addresses of the pages of threads; a page is never given back, but used again.
var (
	threads     [maxThreads]uintptr
	threadCount int
	idleThread  uintptr
)

// current is the thread that runs, or in whose name the kernel does.
var current uintptr

func threadAt(a uintptr) *thread { return (*thread)(at(a)) }

// threadNew makes a thread that does not run yet.
// It returns 0 when there are too many, or no memory.
func threadNew() uintptr {
	for i := 0; i < threadCount; i++ {
		if t := threadAt(threads[i]); t.state == free {
			id := t.id
			zero(threads[i], pageSize)
			t.id = id
			return threads[i]
		}
	}
	a := frameAlloc()
	if threadCount == maxThreads || a == 0 {
		return 0
	}
	threads[threadCount] = direct + a
	threadCount++
	threadAt(direct + a).id = uint32(threadCount)
	return direct + a
}

// threadByID returns nil if there is no such thread.
func threadByID(id uint32) *thread {
	if id == 0 || int(id) > threadCount {
		return nil
	}
	if t := threadAt(threads[id-1]); t.state != free {
		return t
	}
	return nil
}

// begin lets a new thread start at rip.
func (t *thread) begin(rip, rsp uintptr) {
	t.rip, t.rsp = uint64(rip), uint64(rsp)
	t.cs, t.ss, t.rflags = threadCode, flatData, flagsThread
	t.state = runnable
}

// flagsThread: interrupts on, and the bit that is always 1.
const flagsThread = 0x202

const (
	cloneVM     = 0x100
	cloneSetTLS = 0x80000
)

// sysClone starts a thread in the same address space: the only kind there is.
func sysClone(c *thread, flags, stack, tls uintptr) uintptr {
	if flags&cloneVM == 0 {
		return enosys // a process
	}
	a := threadNew()
	if a == 0 {
		return eagain
	}
	t := threadAt(a)
	t.frame = c.frame
	t.begin(uintptr(c.rip), stack)
	t.rax = 0
	t.fs, t.g = c.fs, c.g
	if flags&cloneSetTLS != 0 {
		t.fs, t.g = uint64(tls), *p64(tls - 8)
	}
	t.blocked = c.blocked
	reschedule = true
	return uintptr(t.id)
}

// sysSetTLS is arch_prctl(ARCH_SET_FS): the slot of g moves.
func sysSetTLS(c *thread, op, base uintptr) uintptr {
	const archSetFS = 0x1002
	if op != archSetFS {
		return einval
	}
	c.fs, c.g = uint64(base), *p64(base - 8)
	setFS(c.fs)
	return 0
}

// setFS makes base the thread-local storage. The kernel's g must be there
// first: code that calls assembly, as here, takes g from it when it returns.
func setFS(base uint64) {
	*p64(uintptr(base) - 8) = uint64(addressOfG())
	wrmsr(0xc0000100, base)
}

func sysExitThread(c *thread) {
	c.state = free
	reschedule = true
}
