package kernel

import "unsafe"

// The frame that a signal's handler finds on its stack, in Linux' layout
// (struct rt_sigframe): the runtime reads registers from it, changes them and
// returns through rt_sigreturn.

type signalFrame struct {
	restorer uint64 // where the handler returns to
	context  signalContext
	info     signalInfo
}

// signalContext is struct ucontext.
type signalContext struct {
	flags uint64 // here: fpLive of the thread
	link  uint64
	stack altStack
	registers
	blocked uint64
	_       [15]uint64 // the runtime believes in masks of 1024 bits
}

// registers is struct sigcontext.
type registers struct {
	r8, r9, r10, r11, r12, r13, r14, r15 uint64
	rdi, rsi, rbp, rbx, rdx, rax, rcx    uint64
	rsp, rip, rflags                     uint64
	segments                             uint64
	code, vector, oldMask, address       uint64
	fp                                   uint64 // address of the FPU's registers
	_                                    [8]uint64
}

// signalInfo is struct siginfo.
type signalInfo struct {
	number  uint32
	errno   uint32
	code    uint32
	_       uint32
	address uint64 // of a fault, or who sent the signal
	_       [13]uint64
}

// redZone is what code may keep below its stack pointer.
const redZone = 128

// sendSignal makes the thread go on in its handler. value is a fault's address,
// or the sender.
func sendSignal(t *thread, sig, code uint32, value uint64) {
	a := &actions[sig]
	sp := uintptr(t.rsp) - redZone
	if a.flags&flagOnStack != 0 && t.altSize != 0 && sp-t.altStack >= t.altSize {
		sp = t.altStack + t.altSize
	}
	fp := (sp - fpSize) &^ 63
	copymem(fp, t.savedFP(), fpSize)
	sp = (fp-unsafe.Sizeof(signalFrame{}))&^15 - 8 // as after a call

	s := (*signalFrame)(at(sp))
	zero(sp, unsafe.Sizeof(*s))
	s.restorer = a.restorer
	s.info.number, s.info.code, s.info.address = sig, code, value
	c := &s.context
	c.flags, c.stack, c.blocked = t.fpLive, t.alternate(), t.blocked
	c.save(&t.frame)
	c.fp, c.oldMask, c.address = uint64(fp), t.blocked, value

	t.blocked |= a.mask
	if a.flags&flagNoDefer == 0 {
		t.blocked |= bit(sig)
	}
	t.rip, t.rsp = a.handler, uint64(sp)
	t.rdi = uint64(sig)
	t.rsi = uint64(uintptr(unsafe.Pointer(&s.info)))
	t.rdx = uint64(uintptr(unsafe.Pointer(&s.context)))
	t.rax = 0
	t.rflags = flagsThread
	t.fpLive = 0
	statistics.Signals++
}

// savedFP is where the thread's FPU registers are. After a system call what is
// in them is of no use to anybody, but has to be well formed.
func (t *thread) savedFP() uintptr {
	p := uintptr(unsafe.Pointer(t)) + threadFP
	if t.fpLive == 0 {
		saveFP(p)
	}
	return p
}

// sysSigreturn is rt_sigreturn: the thread goes on where, and as, the frame says.
func sysSigreturn(t *thread) {
	c := (*signalContext)(at(uintptr(t.rsp)))
	c.restore(&t.frame)
	t.blocked = c.blocked
	t.fpLive = c.flags & 1
	if t.fpLive != 0 {
		copymem(uintptr(unsafe.Pointer(t))+threadFP, uintptr(c.fp), fpSize)
	}
}

func (c *registers) save(f *frame) {
	c.r8, c.r9, c.r10, c.r11, c.r12, c.r13, c.r14, c.r15 = f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15
	c.rdi, c.rsi, c.rbp, c.rbx, c.rdx, c.rax, c.rcx = f.rdi, f.rsi, f.rbp, f.rbx, f.rdx, f.rax, f.rcx
	c.rsp, c.rip, c.rflags = f.rsp, f.rip, f.rflags
	c.segments = 0x33 // CS as it is on Linux
	c.code, c.vector = f.code, f.vector
}

// restore takes all but the segments, and of the flags only those that code
// changes by itself.
func (c *registers) restore(f *frame) {
	const arithmetic = 0xcd5
	f.r8, f.r9, f.r10, f.r11, f.r12, f.r13, f.r14, f.r15 = c.r8, c.r9, c.r10, c.r11, c.r12, c.r13, c.r14, c.r15
	f.rdi, f.rsi, f.rbp, f.rbx, f.rdx, f.rax, f.rcx = c.rdi, c.rsi, c.rbp, c.rbx, c.rdx, c.rax, c.rcx
	f.rsp, f.rip = c.rsp, c.rip
	f.rflags = c.rflags&arithmetic | flagsThread
	f.cs, f.ss = threadCode, flatData
}
