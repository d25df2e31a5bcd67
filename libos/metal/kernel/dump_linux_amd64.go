package kernel

import "unsafe"

// The last words: registers, the stack and the threads, on the console. Lines of
// source code are not to be had here: `go tool addr2line` knows them, in the same
// build with symbols.

// dead is the frame to show, 0 if the kernel found out by itself on behalf of a
// thread: then it is the thread's, with which its page begins.
var dead uintptr

// die ends the machine because of what happened at f.
func die(msg string, f *frame) {
	if dead == 0 {
		dead = uintptr(unsafe.Pointer(f))
	}
	kdie(msg)
}

// dumpState shows all that is known.
func dumpState() {
	if dead == 0 {
		dead = current
	}
	if dead != 0 {
		dumpFrame((*frame)(at(dead)))
		dumpStack((*frame)(at(dead)))
	}
	for i := 0; i < threadCount; i++ {
		dumpThread(threadAt(threads[i]))
	}
}

func dumpFrame(f *frame) {
	if f.vector < exceptions {
		kputs("exception ")
		kdec(f.vector)
		kputs(" (")
		kputs(exceptionName(f.vector))
		kputs(") code ")
		khex(f.code)
		if f.vector == exceptionPage {
			kputs(" address ")
			khex(readCR2())
		}
		kputs("\n")
	}
	dump("rip", f.rip)
	dump("rsp", f.rsp)
	dump("rflags", f.rflags)
	dump("cs", f.cs)
	kputs("\n")
	dump("rax", f.rax)
	dump("rbx", f.rbx)
	dump("rcx", f.rcx)
	dump("rdx", f.rdx)
	kputs("\n")
	dump("rsi", f.rsi)
	dump("rdi", f.rdi)
	dump("rbp", f.rbp)
	dump("r8", f.r8)
	kputs("\n")
	dump("r9", f.r9)
	dump("r10", f.r10)
	dump("r11", f.r11)
	dump("r12", f.r12)
	kputs("\n")
	dump("r13", f.r13)
	dump("r14", f.r14)
	dump("r15", f.r15)
	kputs("\n")
}

func dump(name string, v uint64) {
	kputs(" ")
	kputs(name)
	kputs("=")
	khex(v)
}

func exceptionName(v uint64) string {
	switch v {
	case exceptionDivide:
		return "divide error"
	case exceptionNMI:
		return "NMI"
	case exceptionBreakpoint:
		return "breakpoint"
	case exceptionOpcode:
		return "invalid opcode"
	case exceptionDouble:
		return "double fault"
	case exceptionStack:
		return "stack fault"
	case exceptionProtection:
		return "general protection"
	case exceptionPage:
		return "page fault"
	case exceptionX87:
		return "x87 error"
	case exceptionAlignment:
		return "alignment check"
	case exceptionMachine:
		return "machine check"
	case exceptionSIMD:
		return "SIMD error"
	}
	return "other"
}

// stackDepth is how many return addresses dumpStack shows at most.
const stackDepth = 24

// dumpStack follows the frame pointers that Go code keeps: each points at its
// caller's, and above it lies the return address. It stops at the first that
// does not lie higher than the one before, or in no mapped page.
func dumpStack(f *frame) {
	kputs("stack:\n")
	dumpCall(uintptr(f.rip))
	bp := uintptr(f.rbp)
	for range stackDepth {
		if bp&7 != 0 || !readable(bp) || !readable(bp+8) || !inText(uintptr(*p64(bp + 8))) {
			return
		}
		dumpCall(uintptr(*p64(bp + 8)))
		next := uintptr(*p64(bp))
		if next <= bp {
			return
		}
		bp = next
	}
}

func dumpCall(a uintptr) {
	kputs(" ")
	khex(uint64(a))
	kputs(" ")
	printName(a)
	kputs("\n")
}

// readable tells whether the word at a can be read.
func readable(a uintptr) bool {
	table := uintptr(readCR3())
	for shift := uint(39); ; shift -= 9 {
		const present, large = 1, 0x80
		e := *p64(direct + table&^(pageSize-1) + (a>>shift&511)*8)
		if e&present == 0 {
			return false
		}
		if shift == 12 || shift < 39 && e&large != 0 {
			return true
		}
		table = uintptr(e & 0x000ffffffffff000)
	}
}

func dumpThread(t *thread) {
	if t.state == free {
		return
	}
	kputs("thread ")
	kdec(uint64(t.id))
	switch t.state {
	case running:
		kputs(" runs")
	case runnable:
		kputs(" can run")
	case waits:
		switch t.why {
		case waitsFutex:
			kputs(" waits for a futex")
		case waitsSleep:
			kputs(" sleeps")
		case waitsEvents:
			kputs(" waits for events")
		}
	}
	dump("rip", t.rip)
	dump("rsp", t.rsp)
	kputs("\n")
}
