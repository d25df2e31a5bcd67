package sealed

// runtimeCalls are those of the Go runtime, whatever is attached: threads, memory,
// time, signals, randomness, and the end. Which of them a toolchain makes is in its
// sources: runtime/sys_linux_amd64.s, runtime/os_linux.go and mem_linux.go.
func runtimeCalls(s self) []Rule {
	waker := Descriptor{"the runtime's event", s.waker}
	own := is(0, "tgid", value{"this process", s.pid})
	return []Rule{
		{"futex", []limit{is(1, "op", value{"FUTEX_WAIT_PRIVATE", 128}, value{"FUTEX_WAKE_PRIVATE", 129})}},
		{"epoll_pwait", []limit{s.polls()}},
		{"nanosleep", nil},
		on(waker, "read"),
		on(waker, "write"),
		{"sched_yield", nil},
		// vDSO code makes this call where the clock cannot be read without it.
		{"clock_gettime", []limit{is(0, "clockid", value{"CLOCK_REALTIME", 0}, value{"CLOCK_MONOTONIC", 1})}},
		{"getrandom", nil},

		{"madvise", []limit{is(2, "advice", value{"MADV_DONTNEED", 4}, value{"MADV_FREE", 8},
			value{"MADV_HUGEPAGE", 14}, value{"MADV_NOHUGEPAGE", 15}, value{"MADV_COLLAPSE", 25})}},
		{"mmap", []limit{
			{arg: 2, name: "prot", wide: true, may: []value{{"PROT_READ", 1}, {"PROT_WRITE", 2}}},
			{arg: 3, name: "flags", wide: true, with: []value{mapAnonymous},
				may: []value{mapPrivate, {"MAP_FIXED", 0x10}, {"MAP_DROPPABLE", 0x08}}},
		}},
		{"munmap", nil},
		{"prctl", []limit{is(0, "op", value{"PR_SET_VMA", 0x53564d41}), is(1, "attr", value{"PR_SET_VMA_ANON_NAME", 0})}},

		// Signals go to the process itself: to have a goroutine give way, and for a death by one.
		{"getpid", nil},
		{"tgkill", []limit{own, is(2, "sig", value{"SIGURG", 23}, value{"SIGABRT", 6}, value{"SIGHUP", 1},
			value{"SIGINT", 2}, value{"SIGQUIT", 3}, value{"SIGTERM", 15}, value{"SIGPIPE", 13})}},
		{"rt_sigreturn", nil},
		{"rt_sigprocmask", nil},
		{"rt_sigaction", nil},
		{"sigaltstack", nil},
		// The kernel makes this call when a process that waited is stopped and goes on.
		{"restart_syscall", nil},

		{"clone", []limit{{name: "flags", wide: true, with: threadFlags, may: []value{{"CLONE_SETTLS", 0x80000}}}}},
		{"gettid", nil},
		{"exit", nil},
		{"exit_group", nil},
	}
}

var (
	mapPrivate   = value{"MAP_PRIVATE", 0x02}
	mapAnonymous = value{"MAP_ANONYMOUS", 0x20}

	// threadFlags make a thread of the process, and nothing else.
	threadFlags = []value{{"CLONE_VM", 0x100}, {"CLONE_FS", 0x200}, {"CLONE_FILES", 0x400},
		{"CLONE_SIGHAND", 0x800}, {"CLONE_THREAD", 0x10000}, {"CLONE_SYSVSEM", 0x40000}}
)

// polls limits the first argument to the runtime's epoll.
func (s self) polls() limit { return is(0, "epfd", value{"the runtime's", uint32(s.poller)}) }
