//go:build amd64 && !cgo

package sealed

import (
	"fmt"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// install puts all threads under the filter, those too that start later.
func install(filter []bpf.RawInstruction) error {
	// bpf.RawInstruction is struct sock_filter but for its size.
	code := make([]unix.SockFilter, len(filter))
	for i, f := range filter {
		code[i] = unix.SockFilter{Code: f.Op, Jt: f.Jt, Jf: f.Jf, K: f.K}
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if errno := prctlAll(unix.PR_SET_NO_NEW_PRIVS, 1); errno != 0 {
		return fmt.Errorf("set no_new_privs: %w", errno)
	}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("install the filter of system calls: %w", errno)
	}
	if thread != 0 {
		return fmt.Errorf("install the filter of system calls: thread %d has one of its own", thread)
	}
	return nil
}
