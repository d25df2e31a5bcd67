//go:build amd64 && !cgo

package sealed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dropPrivileges becomes a user without any, on all threads: no capabilities, and none
// to get back. Of those only that for ports below 1024 stays, where the process has it
// and needs it.
func dropPrivileges(a Attached) error {
	user, err := whom(a)
	if err != nil {
		return err
	}
	if a.Folder != "" {
		if err := makeFolder(a.Folder, user); err != nil {
			return err
		}
	}
	keep, err := capabilities(a)
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if err := becomeUser(user); err != nil {
			return fmt.Errorf("become user %d: %w", user, err)
		}
	}
	if err := setCapabilities(keep); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbid other processes to look into this one: %w", err)
	}
	return usable(a.Folder, user)
}

// whom returns the user to become, or to stay.
func whom(a Attached) (int, error) {
	now := os.Getuid()
	if now != os.Geteuid() {
		return 0, fmt.Errorf("this is user %d with the rights of %d; start it as one user", now, os.Geteuid())
	}
	switch {
	case now != 0 && a.User != 0 && int(a.User) != now:
		return 0, fmt.Errorf("only root can become user %d", a.User)
	case now != 0:
		return now, nil
	case a.User != 0:
		return int(a.User), nil
	}
	if st, err := os.Stat(a.Folder); a.Folder != "" && err == nil {
		if owner := st.Sys().(*syscall.Stat_t).Uid; owner != 0 {
			return int(owner), nil
		}
	}
	return Nobody, nil
}

// makeFolder makes the folder, if it is not there, and gives it to the user.
func makeFolder(name string, user int) error {
	err := os.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil && user != os.Getuid() {
		err = os.Lchown(name, user, user)
	}
	return err
}

// usable makes sure that the folder is one that this user can work in.
func usable(folder string, user int) error {
	if folder == "" {
		return nil
	}
	if err := unix.Access(folder, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("user %d cannot use the folder %s (%w): give it to them (chown -R %d %s), or name its owner (--seal-user)", user, folder, err, user, folder)
	}
	return nil
}

// capabilities returns those to keep, as a set of bits, and takes the others from
// what the process could ever get.
func capabilities(a Attached) (keep uint64, err error) {
	var have [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&header, &have[0]); err != nil {
		return 0, fmt.Errorf("ask for capabilities: %w", err)
	}
	permitted := uint64(have[1].Permitted)<<32 | uint64(have[0].Permitted)
	if a.Host != nil && lowPort(a.Host.Listen) {
		keep = permitted & (1 << unix.CAP_NET_BIND_SERVICE)
	}
	if have[0].Effective&(1<<unix.CAP_SETPCAP) == 0 {
		return keep, nil // no_new_privs has to do
	}
	for c := range uintptr(64) {
		if keep&(1<<c) != 0 {
			continue
		}
		if errno := prctlAll(unix.PR_CAPBSET_DROP, c); errno == unix.EINVAL {
			break // the kernel knows no more
		} else if errno != 0 {
			return 0, fmt.Errorf("drop capability %d: %w", c, errno)
		}
	}
	return keep, nil
}

// lowPort reports whether a port below 1024 is among patterns, one that the kernel
// would ask a privilege for.
func lowPort(patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		n, known := portOf(p)
		return known && n > 0 && n < 1024
	})
}

// becomeUser leaves all groups but one of the user's number. Capabilities that are
// permitted stay so.
func becomeUser(user int) error {
	if errno := prctlAll(unix.PR_SET_KEEPCAPS, 1); errno != 0 {
		return errno
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setresgid(user, user, user); err != nil {
		return err
	}
	if err := syscall.Setresuid(user, user, user); err != nil {
		return err
	}
	if errno := prctlAll(unix.PR_SET_KEEPCAPS, 0); errno != 0 {
		return errno
	}
	return nil
}

// setCapabilities leaves the threads with those and no other.
func setCapabilities(keep uint64) error {
	if errno := prctlAll(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL); errno != 0 {
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	low, high := uint32(keep), uint32(keep>>32)
	set := [2]unix.CapUserData{{Effective: low, Permitted: low}, {Effective: high, Permitted: high}}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&set[0])), 0)
	if errno != 0 {
		return fmt.Errorf("drop capabilities: %w", errno)
	}
	return nil
}

// prctlAll makes a call of prctl(2) on all threads.
func prctlAll(op, arg uintptr) syscall.Errno {
	_, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, op, arg, 0, 0, 0, 0)
	return errno
}
