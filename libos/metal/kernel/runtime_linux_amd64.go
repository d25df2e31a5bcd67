package kernel

// All that the kernel takes for granted about Go's compiler, linker and runtime,
// beside Linux' documented interface of system calls. What can change without a
// compile or link error is checked: here when the machine boots, or by the test
// that is named.
//
// The compiler
//   - keeps g in R14 and compares SP with g.stackguard0 at 16(R14), or with
//     stackguard1 at 24(R14): the kernel's g is all zeros (TestRegisters).
//   - takes X15 for zero, always, and FPU control words as they were, but no other
//     FPU register to survive a SYSCALL (case registers of TestBoot).
//   - reads g from -8(FS) where assembly calls Go, and after Go called assembly
//     (checkRuntime).
//   - keeps frame pointers in RBP: dumps follow them, and stop if they lead nowhere
//     (TestBoot wants names of callers).
//
// The linker
//   - lays a program that is not PIE at imageBase, ELF header and program headers
//     first (checkRuntime), and runs it where the header's e_entry says.
//   - sorts variables without pointers that start as zeros by size (kernelEnd).
//   - writes a table of functions with a magic number (names_linux_amd64.go).
//
// The runtime
//   - finds argc, argv, environment and auxiliary vector where Linux puts them; of
//     the last it reads AT_PAGESZ, AT_RANDOM and AT_SYSINFO_EHDR.
//   - needs of runtime.memmove, memclrNoHeapPointers and memequal no g and no
//     initialization; a failed bounds check uses g.m, which is nil in the kernel, and so
//     faults: nothing else of the runtime is called from the kernel (TestCalls).
//   - starts threads by clone with CLONE_VM and CLONE_SETTLS and waits by FUTEX_WAIT
//     and FUTEX_WAKE, with absolute time nowhere.
//   - asks a thread to let go of a goroutine by tgkill with SIGURG.
//   - handles signals on an alternate stack with the frame of sigframe_linux_amd64.go,
//     changes RIP, RSP and registers in it, and leaves by rt_sigreturn. A fault of SIGSEGV below
//     4096 is a nil pointer (TestBoot).
//   - polls with one epoll descriptor, edge-triggered, and wakes itself with an eventfd
//     (case poll of TestBoot).
//   - makes no system call but those in syscall_linux_amd64.go: another is reported on
//     the console (TestBoot wants none).

// checkRuntime ends the machine if one of the above that can be seen early does not hold.
func checkRuntime() {
	if *p64(addressOfTLS() + tlsOffset - 8) != uint64(addressOfG()) {
		kdie("this version of Go does not keep g at -8(FS): the kernel has to be adapted")
	}
	const magic, executable = 0x464c457f, 2
	if *p32(imageBase) != magic || *p16(imageBase + 16) != executable {
		kdie("the program does not begin with its ELF header at 0x400000: the kernel has to be adapted")
	}
	if e := entryPoint(); e < imageBase || e >= imageEnd {
		kdie("the program's entry point is not in it")
	}
}

// entryPoint is what the file's header, which is mapped with it, says.
func entryPoint() uintptr { return uintptr(*p64(imageBase + 24)) }
