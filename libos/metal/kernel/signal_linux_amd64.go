package kernel

import "unsafe"

// Signals, as far as the runtime uses them: a fault of a thread's own becomes
// SIGSEGV and the like, which its handler turns into a panic; SIGURG asks a
// thread to let go of its goroutine.

const (
	sigIll  = 4
	sigTrap = 5
	sigBus  = 7
	sigFPE  = 8
	sigKill = 9
	sigSegv = 11
	sigChld = 17
	sigCont = 18
	sigUrg  = 23
	sigWinc = 28

	signals = 64
)

// What handler says instead of an address.
const (
	handlerDefault = 0
	handlerIgnore  = 1
)

// action is struct sigaction of the system call.
type action struct {
	handler, flags, restorer, mask uint64
}

const (
	flagOnStack = 0x08000000
	flagNoDefer = 0x40000000
)

var actions [signals + 1]action

// sysSigaction is rt_sigaction.
func sysSigaction(sig, act, old uintptr) uintptr {
	if sig == 0 || sig > signals {
		return einval
	}
	if old != 0 {
		*(*action)(at(old)) = actions[sig]
	}
	if act != 0 {
		actions[sig] = *(*action)(at(act))
	}
	return 0
}

// sysSigmask is rt_sigprocmask.
func sysSigmask(t *thread, how, set, old uintptr) uintptr {
	const block, unblock, setMask = 0, 1, 2
	before := t.blocked
	if set != 0 {
		v := *p64(set)
		switch how {
		case block:
			t.blocked |= v
		case unblock:
			t.blocked &^= v
		case setMask:
			t.blocked = v
		default:
			return einval
		}
	}
	if old != 0 {
		*p64(old) = before
	}
	return 0
}

// sysSigaltstack sets and tells the stack that handlers run on: struct stack_t.
func sysSigaltstack(t *thread, set, old uintptr) uintptr {
	const disabled = 2
	if old != 0 {
		*(*altStack)(at(old)) = t.alternate()
	}
	if set != 0 {
		s := (*altStack)(at(set))
		t.altStack, t.altSize = uintptr(s.base), uintptr(s.size)
		if s.flags&disabled != 0 {
			t.altStack, t.altSize = 0, 0
		}
	}
	return 0
}

// altStack is struct stack_t.
type altStack struct {
	base  uint64
	flags uint64 // 32 bits and nothing
	size  uint64
}

func (t *thread) alternate() altStack {
	s := altStack{base: uint64(t.altStack), size: uint64(t.altSize)}
	if t.altSize == 0 {
		s.flags = 2
	}
	return s
}

// sysKill sends a signal to a thread of a program, of which there is one. That as a
// whole is meant by its first thread, which never ends.
func sysKill(program uintptr, id uint32, sig uintptr) uintptr {
	t := threadByID(id)
	if t == nil || program != programID {
		return esrch
	}
	if sig > signals {
		return einval
	}
	if sig == 0 {
		return 0
	}
	t.pending |= bit(uint32(sig))
	if t.state == waits && t.pending&^t.blocked != 0 {
		ready(t, eintr)
	}
	return 0
}

func bit(sig uint32) uint64 { return 1 << (sig - 1) }

// fault sends a signal for what the thread just did. If it cannot be told,
// because nobody listens or because it happened in the handler itself, then
// that is the end.
func fault(t *thread, sig, code uint32, address uintptr) {
	switch {
	case actions[sig].handler <= handlerIgnore:
		endBySignal(t, sig, "nobody handles it")
	case t.blocked&bit(sig) != 0:
		endBySignal(t, sig, "it came while one like it was being handled")
	}
	sendSignal(t, sig, code, uint64(address))
}

// deliver takes the first pending signal that is not blocked.
func deliver(t *thread) {
	const sentByThread = ^uint32(6 - 1) // SI_TKILL, -6
	for sig := uint32(1); sig <= signals; sig++ {
		if t.pending&^t.blocked&bit(sig) == 0 {
			continue
		}
		t.pending &^= bit(sig)
		switch {
		case actions[sig].handler == handlerIgnore:
		case actions[sig].handler != handlerDefault && sig != sigKill:
			sendSignal(t, sig, sentByThread, programID)
			return
		case sig != sigUrg && sig != sigChld && sig != sigCont && sig != sigWinc:
			endBySignal(t, sig, "nobody handles it")
		}
	}
}

// programID is what getpid returns.
const programID = 1

// statusSignal added to a signal's number is the status with which it ends the
// program, as a shell has it.
const statusSignal = 128

// endBySignal ends the machine because of a signal to t.
func endBySignal(t *thread, sig uint32, why string) {
	kputs("\ncairn: kernel: ended by signal ")
	kdec(uint64(sig))
	kputs(": ")
	kputs(why)
	kputs("\n")
	dead = uintptr(unsafe.Pointer(t))
	dumpState()
	powerOff(statusSignal + sig)
}
