package kernel

// Status with which the machine ends when the kernel itself cannot go on, the
// same as that of a Go program that panics.
const statusFatal = 2

// Whatever fails on the way to the end fails a second time: it is then left out.
var (
	failures    int
	softOffDone bool
)

const maxFailures = 3

// kdie ends the machine with a message, what is known of its state, and status 2.
// It may be called anywhere in the kernel.
func kdie(msg string) {
	failures++
	if failures > maxFailures {
		reset()
	}
	kputs("\ncairn: kernel: ")
	kputs(msg)
	kputs("\n")
	if failures == 1 {
		dumpState()
	}
	powerOff(statusFatal)
}

const (
	debugExit    = 0xf4 // QEMU's isa-debug-exit: a write of v ends QEMU with status v<<1|1
	i8042Command = 0x64
	i8042Reset   = 0xfe // pulses the processor's reset line; Firecracker ends on it
)

// powerOff ends the machine: the last line on the console says the status. Then
// QEMU's debug device carries it, where there is one; or ACPI turns the machine off; or
// it is reset.
func powerOff(status uint32) {
	kputs("cairn: exit status ")
	kdec(uint64(status))
	kputs("\n")
	consoleFlush()
	outl(debugExit, status)
	if !softOffDone {
		softOffDone = true
		acpiOff()
	}
	reset()
}

// reset makes the machine begin anew, by the keyboard controller or, last, by a fault that
// nobody can serve: Firecracker, and QEMU with -no-reboot, end then.
func reset() {
	outb(i8042Command, i8042Reset)
	lidt(tableAt(0, 1))
	*p8(guard(0)) = 0
	halt()
}
