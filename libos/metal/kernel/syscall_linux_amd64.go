package kernel

// The system calls that are served: those of the Go runtime, those of package
// os on the way to finding out that there are no files, and our own.

// syscall serves one. What it returns goes into AX, unless the thread has to
// wait (then ready sets it) or goes on somewhere else.
func syscall(t *thread) {
	n := t.rax
	a1, a2, a3, a4, a5 := uintptr(t.rdi), uintptr(t.rsi), uintptr(t.rdx), uintptr(t.r10), uintptr(t.r8)
	count(n)
	var ret uintptr
	switch n {
	// Descriptors.
	case 0: // read
		ret = sysRead(int32(a1), a2, a3)
	case 1: // write
		ret = sysWrite(int32(a1), a2, a3)
	case 3: // close
		ret = sysClose(int32(a1))
	case 72: // fcntl
		ret = sysFcntl(int32(a1), a2)
	case 233: // epoll_ctl
		ret = sysEpollCtl(int32(a1), a2, int32(a3), a4)
	case 232, 281: // epoll_wait, epoll_pwait
		ret = sysEpollWait(t, int32(a1), a2, a3, int32(a4))
	case 290: // eventfd2
		ret = fdNew(counter, uint64(a1))
	case 291: // epoll_create1
		ret = fdNew(poller, 0)

	// Memory.
	case 9: // mmap
		ret = sysMmap(a1, a2, uint32(a3), uint32(a4))
	case 10: // mprotect
		ret = sysMprotect(a1, a2, uint32(a3))
	case 11: // munmap
		ret = sysMunmap(a1, a2)
	case 28: // madvise
		ret = sysMadvise(a1, a2, uint32(a3))

	// Threads.
	case 56: // clone
		ret = sysClone(t, a1, a2, a5)
	case 60: // exit
		sysExitThread(t)
	case 158: // arch_prctl
		ret = sysSetTLS(t, a1, a2)
	case 39: // getpid
		ret = programID
	case 186: // gettid
		ret = uintptr(t.id)
	case 202: // futex
		ret = sysFutex(t, a1, uint32(a2), uint32(a3), a4)
	case 24: // sched_yield
		ret = sysYield()
	case 204: // sched_getaffinity
		ret = sysAffinity(a2, a3)

	// Time.
	case 35: // nanosleep
		ret = sysSleep(t, a1)
	case 228: // clock_gettime
		ret = sysClock(a1, a2)

	// Signals.
	case 13: // rt_sigaction
		ret = sysSigaction(a1, a2, a3)
	case 14: // rt_sigprocmask
		ret = sysSigmask(t, a1, a2, a3)
	case 15: // rt_sigreturn
		sysSigreturn(t)
		return
	case 131: // sigaltstack
		ret = sysSigaltstack(t, a1, a2)
	case 62: // kill
		ret = sysKill(a1, 1, a2)
	case 234: // tgkill
		ret = sysKill(a1, uint32(a2), a3)

	// The whole program.
	case 231: // exit_group
		powerOff(uint32(a1) & 0xff)
	case 318: // getrandom
		ret = sysGetrandom(a1, a2)
	case 63: // uname
		ret = sysUname(a1)
	case 302: // prlimit64
		ret = sysLimit(a4)
	case 102, 104, 107, 108: // getuid, getgid, geteuid, getegid
		ret = 0

	// There are no files.
	case 2, 4, 6, 21, 79, 80, 89, 257, 262, 267, 269, 332, 439:
		// open, stat, lstat, access, getcwd, chdir, readlink, openat, newfstatat,
		// readlinkat, faccessat, statx, faccessat2
		ret = enoent
	case 16: // ioctl: is it a terminal?
		ret = enotty
	case 157: // prctl: names of memory areas
		ret = einval

	// Our own.
	case callInterrupt:
		ret = sysInterrupt(a1)
	case callMessage:
		ret = sysMessage()
	case callDMA:
		ret = sysDMA(a1)

	default:
		report(n)
		ret = enosys
	}
	if t.state == running {
		t.rax = uint64(ret)
	}
}

// sysAffinity is sched_getaffinity: one processor.
func sysAffinity(size, mask uintptr) uintptr {
	if size < 8 {
		return einval
	}
	*p64(mask) = 1
	return 8
}

// sysClock is clock_gettime.
func sysClock(clock, result uintptr) uintptr {
	const realtime, realtimeCoarse = 0, 5
	now := nanotime()
	if clock == realtime || clock == realtimeCoarse {
		now = wallNow()
	}
	*p64(result) = uint64(now / 1_000_000_000)
	*p64(result + 8) = uint64(now % 1_000_000_000)
	return 0
}

// sysLimit is prlimit64: of anything, as many as there can be descriptors.
func sysLimit(old uintptr) uintptr {
	if old != 0 {
		*p64(old), *p64(old + 8) = maxDescriptors, maxDescriptors
	}
	return 0
}

// sysUname fills struct utsname: six strings of 65 bytes.
func sysUname(p uintptr) uintptr {
	zero(p, 6*65)
	putString(p, "Linux")
	putString(p+1*65, "cairn")
	putString(p+2*65, "6.1.0") // the version whose calls these are
	putString(p+3*65, "metal")
	putString(p+4*65, "x86_64")
	return 0
}
