/*
Package kernel lets a Go program run on a machine without an operating system. It
stands below the runtime: a program that imports it, built as for Linux by the
unmodified toolchain and made bootable by package pvh, is still a program for Linux, and
it boots by itself where a virtual machine monitor (VMM) starts it. Then this package
serves the system calls that the runtime makes, turns faults into the signals that it
expects, and keeps memory, threads, clock, random numbers, console and interrupts.

The rest of the program need not know. What it can ask is little: whether it is
Running alone, which Devices there are and how to wait for their interrupts. Drivers
are ordinary code, on goroutines, in package virtio; package metal ties the two together.

# One world

There is one processor, one address space and one program; all code runs in ring 0.
SYSCALL and IRETQ work there as between rings, so that the runtime's own SYSCALL
instructions arrive here and nothing is patched, linked in or laid over.

	0x0000000000000000  page 0 and what follows it is never mapped: a nil pointer faults
	0x0000000000400000  the program, kernel included, with the permissions of its segments
	0x0000008000000000  memory that mmap places, the first thread's stack
	0x000000c000000000  Go's heap, or wherever else the runtime wants it
	0xffff800000000000  all physical memory, RAM and devices (direct), not executable

No page is writable and executable. A page of the program's memory comes into being,
zeroed, when it is first touched. There is no isolation between the program and the
kernel other than Go's: a program that forges pointers can do all that the kernel can. To the
machine around it, the VMM is the border.

# From power to main

	VMM        loads the segments, finds the note, enters 32-bit code      boot_linux_amd64.s
	probe      looks whether there is memory for the whole file            pvh/probe.go
	boot32     maps the first 4 GiB, turns on 64 bits
	boot64     stack, thread-local storage, g; calls
	start      console, tables, FPU, memory, devices, clock, random        start_linux_amd64.go
	resume     goes to thread 1, at the entry point of the program         trap_linux_amd64.s

What the program finds on its first stack is in arguments_linux_amd64.go: the words of the
VMM's command line are its arguments.

# Threads, traps and stacks

A thread of the runtime is one page: its registers in the order of type frame, the FPU's
registers, and for what it waits. A system call, exception or interrupt stores the
registers there, and then Go code runs on the kernel's stack until it is done; it does
not wait, and nothing interrupts it. Then schedule says which thread is next, and
resume loads that one's registers. A thread that has nothing to do is one like the others, but
the last to be chosen: HLT in a loop.

Go code wants a g, in R14 and at -8(FS). While the kernel runs both lead to a g that is all
zeros, in the thread-local storage of whichever thread came in; resume puts the
thread's own back. A stack limit of 0 is one that no check finds exceeded.

Kernel and threads have code segments with different numbers, 0x08 and 0x18, which is all
they differ in: by that a trap knows what it interrupted, and there is no moment
at which a flag would be wrong. A trap inside the kernel is a page that it touches for
a thread, which is brought in (trapInKernel), or the end.

Threads' stacks belong to the runtime, and may have no room: no trap pushes anything there.
The kernel has four stacks, each with an absent page below it:

	kernel     SYSCALL, exceptions and interrupts of threads, once registers are saved
	fault      IST 2: what an exception pushes; a demand fault inside the kernel
	last       IST 3: NMI, double fault, machine check, which all end the machine
	interrupt  IST 1: what an interrupt pushes

# What ends the machine

Exit, and with a message, registers, the stack with names of functions, and the list of threads (dumpState):
a fault inside the kernel, such as a system call with a bad pointer; a kernel stack that
overflows; NMI, double fault, machine check; a signal that nobody handles, or that comes
from its own handler; memory that is exhausted twice (the first time the runtime is told
by SIGBUS, and shows its goroutines); at the start, a machine that is too small, or has no
source of random numbers, or no clock. The last line on the console is always "cairn: exit
status N".

# Code in this package

Whatever runs on a trap is ordinary Go that follows strict rules, which TestCalls enforces in
the compiled program. It does not allocate, so it has no closures that escape, no maps, append, string
concatenation or conversion to interfaces, and none of its variables escapes. It stores
no Go pointers: addresses are uintptr, and thus take no write barrier. It makes no
indirect calls, and no calls out of the package. It does not recurse, and
TestStacks adds up what its calls take of the stack. It may index arrays: a failed check is a
fault inside the kernel. It imports only unsafe, so that
its sources can also be laid into a package of the standard library, to run the tests
of that in ring 0.

What it takes for granted about Go is listed in runtime_linux_amd64.go. To try another version:

	GOTOOLCHAIN=go1.27.4 go test ./libos/metal/kernel

# Traps for the unwary

  - The linker adds up what functions push and follows calls: a table of stubs that push
    must do so by bytes it does not understand.
  - Assembly that changes FS and was called from Go must leave the kernel's g in the new
    slot, for Go reads it back from there on return (setFS).
  - A slice that is granted anew on every trap starves the others: its end is a time.
  - On a processor with one thread of execution, whoever is woken by a device or a deadline
    must run at once; whoever is woken by a futex must not, or every hand-over costs two switches.
  - SYSRET goes to ring 3, always: the way back is IRETQ.
  - Low memory belongs to the firmware, which keeps what it told us there.
  - Coverage counters lie in memory that is not there yet when the kernel begins: no -cover.
  - A linker that is given -s drops symbols but keeps the note; strip and objcopy drop the note.

# Non-goals

Several processors; processes and users; files; running on bare hardware; PIE; signals
between programs.
*/
package kernel
