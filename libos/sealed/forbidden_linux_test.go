//go:build amd64

package sealed_test

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"cairn/libos/sealed"
)

func init() {
	roles["forbidden"] = func(args []string) error { return attempt(args[0], false) }
	roles["forbidden on a thread"] = func(args []string) error { return attempt(args[0], true) }
	roles["unsealed"] = func(args []string) error { return try(args[0]) }
}

// forbidden are system calls that none of what a test attaches has a use for. Each is
// one that works, or is at least looked at, in a process of root's.
var forbidden = []struct {
	name string
	call func() syscall.Errno
}{
	{"open", raw(unix.SYS_OPEN, path("/etc/passwd"), unix.O_RDONLY)},
	{"openat", raw(unix.SYS_OPENAT, at, path("/etc/passwd"), unix.O_RDONLY)},
	{"openat2", raw(unix.SYS_OPENAT2, at, path("/etc/passwd"), 0, 0)},
	{"creat", raw(unix.SYS_CREAT, path("/dev/null"), 0o600)},
	{"stat", raw(unix.SYS_NEWFSTATAT, at, path("/etc/passwd"), 0, 0)},
	{"unlink", raw(unix.SYS_UNLINK, path("/etc/nobody-has-this"))},
	{"rename", raw(unix.SYS_RENAME, path("/etc/nobody-has-this"), path("/etc/nor-this"))},
	{"chmod", raw(unix.SYS_CHMOD, path("/etc/nobody-has-this"), 0o600)},
	{"ioctl", raw(unix.SYS_IOCTL, 1, unix.TIOCGWINSZ, 0)},
	{"dup", raw(unix.SYS_DUP, 1)},
	{"fcntl", raw(unix.SYS_FCNTL, 1, unix.F_DUPFD, 0)},
	{"read of another descriptor", raw(unix.SYS_READ, 0, 0, 0)},
	{"write to another descriptor", raw(unix.SYS_WRITE, 0, 0, 0)},
	{"close of another descriptor", raw(unix.SYS_CLOSE, 1)},
	{"socket", raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0)},
	{"socketpair", raw(unix.SYS_SOCKETPAIR, unix.AF_UNIX, unix.SOCK_STREAM, 0, 0)},
	{"connect", raw(unix.SYS_CONNECT, 1, 0, 0)},
	{"bind", raw(unix.SYS_BIND, 1, 0, 0)},
	{"accept4", raw(unix.SYS_ACCEPT4, 1, 0, 0, 0)},
	{"sendmsg", raw(unix.SYS_SENDMSG, 1, 0, 0)},
	{"sendto that connects", raw(unix.SYS_SENDTO, 1, 0, 0, unix.MSG_FASTOPEN, 0, 0)},
	{"recvfrom with a flag", raw(unix.SYS_RECVFROM, 1, 0, 0, unix.MSG_ERRQUEUE, 0, 0)},
	{"setsockopt of a filter", raw(unix.SYS_SETSOCKOPT, 1, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, 0, 0)},
	{"setsockopt of a protocol on top", raw(unix.SYS_SETSOCKOPT, 1, unix.IPPROTO_TCP, unix.TCP_ULP, 0, 0)},
	{"recvmsg", raw(unix.SYS_RECVMSG, 1, 0, 0)},
	{"pipe2", raw(unix.SYS_PIPE2, 0, 0)},
	{"execve", raw(unix.SYS_EXECVE, path("/bin/true"), 0, 0)},
	{"execveat", raw(unix.SYS_EXECVEAT, at, path("/bin/true"), 0, 0, 0)},
	{"fork", raw(unix.SYS_FORK)},
	{"vfork", raw(unix.SYS_VFORK)},
	{"clone of a process", raw(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0)},
	{"clone of a process in namespaces", raw(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD), 0)},
	{"clone3", raw(unix.SYS_CLONE3, 0, 0)},
	{"mmap of memory to execute", raw(unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, none, 0)},
	{"mmap of memory to write and execute", raw(unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, none, 0)},
	{"mmap of a file", raw(unix.SYS_MMAP, 0, 4096, unix.PROT_READ, unix.MAP_PRIVATE, 1, 0)},
	{"mprotect to execute", raw(unix.SYS_MPROTECT, 0x10000, 4096, unix.PROT_READ|unix.PROT_EXEC)},
	{"pkey_mprotect to execute", raw(unix.SYS_PKEY_MPROTECT, 0x10000, 4096, unix.PROT_READ|unix.PROT_EXEC, none)},
	{"mremap", raw(unix.SYS_MREMAP, 0, 4096, 8192, 0)},
	{"remap_file_pages", raw(unix.SYS_REMAP_FILE_PAGES, 0, 4096, 0, 0, 0)},
	{"personality", raw(unix.SYS_PERSONALITY, 0x0400000)}, // what may be read may be executed
	{"arch_prctl", raw(unix.SYS_ARCH_PRCTL, 0x1003, 0)},
	{"ptrace", raw(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 1)},
	{"process_vm_readv", raw(unix.SYS_PROCESS_VM_READV, 1, 0, 0, 0, 0, 0)},
	{"process_vm_writev", raw(unix.SYS_PROCESS_VM_WRITEV, 1, 0, 0, 0, 0, 0)},
	{"kill of another process", raw(unix.SYS_KILL, 1<<30, uintptr(unix.SIGTERM))},
	{"kill of all", raw(unix.SYS_KILL, 1<<30, 0)},
	{"tkill", raw(unix.SYS_TKILL, 1<<30, 0)},
	{"tgkill of another process", raw(unix.SYS_TGKILL, 1<<30, 1<<30, uintptr(unix.SIGURG))},
	{"pidfd_open", raw(unix.SYS_PIDFD_OPEN, 1, 0)},
	{"memfd_create", raw(unix.SYS_MEMFD_CREATE, path("x"), 0)},
	{"io_uring_setup", raw(unix.SYS_IO_URING_SETUP, 1, 0)},
	{"io_uring_enter", raw(unix.SYS_IO_URING_ENTER, 1, 0, 0, 0, 0, 0)},
	{"bpf", raw(unix.SYS_BPF, 0, 0, 0)},
	{"perf_event_open", raw(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0, 0, 0)},
	{"userfaultfd", raw(unix.SYS_USERFAULTFD, 0)},
	{"add_key", raw(unix.SYS_ADD_KEY, 0, 0, 0, 0, 0)},
	{"keyctl", raw(unix.SYS_KEYCTL, 0, 0, 0, 0, 0)},
	{"unshare", raw(unix.SYS_UNSHARE, unix.CLONE_NEWUSER)},
	{"setns", raw(unix.SYS_SETNS, 1, 0)},
	{"mount", raw(unix.SYS_MOUNT, 0, 0, 0, 0, 0)},
	{"chroot", raw(unix.SYS_CHROOT, path("/"))},
	{"setuid", raw(unix.SYS_SETUID, 0)},
	{"setresuid", raw(unix.SYS_SETRESUID, 0, 0, 0)},
	{"setgid", raw(unix.SYS_SETGID, 0)},
	{"setgroups", raw(unix.SYS_SETGROUPS, 0, 0)},
	{"capset", raw(unix.SYS_CAPSET, 0, 0)},
	{"prctl to be looked into", raw(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1)},
	{"seccomp", raw(unix.SYS_SECCOMP, 0, 0, 0)},
	{"landlock_restrict_self", raw(unix.SYS_LANDLOCK_RESTRICT_SELF, 1, 0)},
	{"init_module", raw(unix.SYS_INIT_MODULE, 0, 0, 0)},
	{"kexec_load", raw(unix.SYS_KEXEC_LOAD, 0, 0, 0, 0)},
	{"reboot", raw(unix.SYS_REBOOT, 0, 0, 0)},
	{"settimeofday", raw(unix.SYS_SETTIMEOFDAY, 0, 0)},
	{"prlimit64", raw(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_NOFILE, 0, 0)},
	{"setitimer", raw(unix.SYS_SETITIMER, 0, 0, 0)},
	{"timer_create", raw(unix.SYS_TIMER_CREATE, 0, 0, 0)},
	{"modify_ldt", raw(unix.SYS_MODIFY_LDT, 0, 0, 0)},
	{"futex of priorities", raw(unix.SYS_FUTEX, 0, 128|6, 0, 0, 0, 0)},
	{"epoll of another descriptor", raw(unix.SYS_EPOLL_PWAIT, 1, 0, 0, 0, 0, 0)},
	{"madvise that poisons", raw(unix.SYS_MADVISE, 0x10000, 4096, 100)},
	{"clock_gettime of the processor's", raw(unix.SYS_CLOCK_GETTIME, unix.CLOCK_PROCESS_CPUTIME_ID, 0)},
	{"a call of the x32 ABI", raw(0x40000000 | unix.SYS_GETPID)},
	{"a call that does not exist", raw(1 << 20)},
}

const (
	at   = ^uintptr(99) // AT_FDCWD, -100
	none = ^uintptr(0)
)

// raw makes a call without the runtime between.
func raw(number uintptr, args ...uintptr) func() syscall.Errno {
	var a [6]uintptr
	copy(a[:], args)
	return func() syscall.Errno {
		_, _, errno := syscall.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], a[5])
		return errno
	}
}

// names keeps strings that the kernel reads.
var names [][]byte

func path(s string) uintptr {
	b := append([]byte(s), 0)
	names = append(names, b)
	return uintptr(unsafe.Pointer(&b[0]))
}

// attempt seals the process, and makes a call that kills it.
func attempt(name string, earlier bool) error {
	if !earlier {
		if err := sealed.Seal(sealed.Attached{Consoles: outputs}); err != nil {
			return err
		}
		return try(name)
	}
	isSealed, done := make(chan struct{}), make(chan error)
	ready := make(chan struct{})
	go func() {
		runtime.LockOSThread() // one that is there before
		close(ready)
		<-isSealed
		done <- try(name)
	}()
	<-ready
	if err := sealed.Seal(sealed.Attached{Consoles: outputs}); err != nil {
		return err
	}
	close(isSealed)
	return <-done
}

func try(name string) error {
	os.Stdout.WriteString("now\n")
	for _, f := range forbidden {
		if f.name == name {
			return fmt.Errorf("alive after %s: %v", name, f.call())
		}
	}
	return fmt.Errorf("there is no call %q", name)
}

// TestForbidden makes each call in a process of its own, which dies of it.
func TestForbidden(t *testing.T) {
	for _, f := range forbidden {
		t.Run(f.name, func(t *testing.T) { killed(t, "forbidden", f.name) })
	}
}

// TestForbiddenOnThreads: so do calls of threads that were there before.
func TestForbiddenOnThreads(t *testing.T) {
	for _, name := range []string{"openat", "socket", "execve", "mmap of memory to execute"} {
		t.Run(name, func(t *testing.T) { killed(t, "forbidden on a thread", name) })
	}
}

// TestNotForbidden: nothing but the seal forbids them.
func TestNotForbidden(t *testing.T) {
	for _, name := range []string{"openat", "socket", "mmap of memory to execute", "memfd_create", "dup"} {
		_, errs, status := ended(t, process(t, "unsealed", name))
		if want := "alive after " + name + ": errno 0\n"; errs != want || status.ExitStatus() != 1 {
			t.Errorf("%s: %s, got %q, want %q", name, state(status), errs, want)
		}
	}
}

func killed(t *testing.T, role, name string) {
	t.Helper()
	out, errs, status := ended(t, process(t, role, name))
	if out != "now\n" {
		t.Fatalf("it did not come to try: %s\n%s%s", state(status), out, errs)
	}
	if !status.Signaled() || status.Signal() != syscall.SIGSYS {
		t.Errorf("got %s, want %s\n%s", state(status), syscall.SIGSYS, errs)
	}
}
