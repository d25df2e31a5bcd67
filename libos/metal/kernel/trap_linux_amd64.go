package kernel

// What made a thread enter the kernel: a system call, an exception of its own
// making, or an interrupt.

// vectorSize is the length of an entry of the table in trap_linux_amd64.s.
const vectorSize = 7

// vectorSyscall is the vector of a frame that SYSCALL made.
const vectorSyscall = 256

// Exceptions that somebody can do something about, and those that end all.
const (
	exceptionDivide     = 0
	exceptionNMI        = 2
	exceptionBreakpoint = 3
	exceptionOpcode     = 6
	exceptionDouble     = 8
	exceptionStack      = 12
	exceptionProtection = 13
	exceptionPage       = 14
	exceptionX87        = 16
	exceptionAlignment  = 17
	exceptionMachine    = 18
	exceptionSIMD       = 19
)

// trap serves the current thread and chooses which one goes on.
//
//lint:ignore U1000 trap_linux_amd64.s calls it.
func trap() {
	t := threadAt(current)
	if t.vector == vectorSyscall {
		syscall(t)
	} else {
		t.vector = vectorOf(t.vector)
		if t.vector >= exceptions {
			interrupt(t.vector)
		} else {
			exception(t)
		}
	}
	schedule()
}

// vectorOf turns the return address that a call in the table left into the vector's number.
func vectorOf(address uint64) uint64 {
	return (address-uint64(addressOfVectors()))/vectorSize - 1
}

func interrupt(vector uint64) {
	statistics.Interrupts++
	switch vector {
	case vectorTimer:
		armed = 0
		clockTick()
		reschedule = true
		eoi()
	case vectorSpurious:
	default:
		yield = true // whoever waits for the device is in a hurry
		deviceInterrupt(vector)
	}
}

// exception turns what a thread did into the signal that Linux sends for it,
// unless it is a page that can be brought in.
func exception(t *thread) {
	const kernelSent = 0x80
	rip := uintptr(t.rip)
	switch t.vector {
	case exceptionPage:
		pageFault(t, uintptr(readCR2()))
	case exceptionDivide:
		fault(t, sigFPE, 1, rip)
	case exceptionX87, exceptionSIMD:
		fault(t, sigFPE, 3, rip)
	case exceptionBreakpoint:
		fault(t, sigTrap, kernelSent, 0)
	case exceptionOpcode:
		fault(t, sigIll, 2, rip)
	case exceptionProtection:
		fault(t, sigSegv, kernelSent, 0)
	case exceptionStack:
		fault(t, sigBus, kernelSent, 0)
	case exceptionAlignment:
		fault(t, sigBus, 1, 0)
	default:
		die("unexpected exception", &t.frame)
	}
}

// pageFault brings the page at a in, or says which mistake it is. That memory
// ran out is told, the first time, as SIGBUS, so that the runtime shows whose
// stacks took it.
func pageFault(t *thread, a uintptr) {
	const segvMapping, segvAccess, busAddress, present = 1, 2, 2, 1
	switch {
	case demand(a, t.code):
	case exhausted:
		fault(t, sigBus, busAddress, a)
	case t.code&present != 0:
		fault(t, sigSegv, segvAccess, a)
	default:
		fault(t, sigSegv, segvMapping, a)
	}
}

// trapInKernel serves the one trap that kernel code may cause: it touched a
// page of a thread, on the thread's behalf, that was not there yet.
//
//lint:ignore U1000 trap_linux_amd64.s calls it.
func trapInKernel(f *frame) {
	f.vector = vectorOf(f.vector)
	a := uintptr(readCR2())
	if f.vector == exceptionPage && demand(a, f.code) {
		return
	}
	if s := overflowed(a); f.vector == exceptionPage && s != "" {
		die(s, f)
	}
	die("fault inside the kernel", f)
}

// trapLast ends the machine. It runs on a stack of its own and needs no other.
//
//lint:ignore U1000 trap_linux_amd64.s calls it.
func trapLast(f *frame) {
	f.vector = vectorOf(f.vector)
	switch f.vector {
	case exceptionNMI:
		die("non-maskable interrupt", f)
	case exceptionDouble:
		if s := overflowed(uintptr(readCR2())); s != "" {
			die(s, f)
		}
		die("double fault", f)
	case exceptionMachine:
		die("machine check: the hardware is broken", f)
	}
	die("fault while a fault inside the kernel was served", f)
}
