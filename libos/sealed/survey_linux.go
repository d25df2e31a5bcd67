//go:build amd64 && !cgo

package sealed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// survey looks at what is open. What was inherited and is not attached is closed; what
// this process opened must be attached.
func survey(a Attached) (s self, err error) {
	if err := startPoller(); err != nil {
		return s, err
	}
	open, err := descriptors()
	if err != nil {
		return s, err
	}
	s.pid = uint32(os.Getpid())
	kept := attached(a)
	for fd, what := range open {
		switch {
		case what == "anon_inode:[eventpoll]":
			s.poller, err = one(s.poller, fd, what)
		case what == "anon_inode:[eventfd]":
			s.waker, err = one(s.waker, fd, what)
		case kept[fd]:
		case fd <= 2:
			err = silence(fd)
		default:
			err = closeInherited(fd, what)
		}
		if err != nil {
			return s, err
		}
		delete(kept, fd)
	}
	for fd := range kept {
		return s, fmt.Errorf("descriptor %d is attached and not open", fd)
	}
	if s.poller == 0 || s.waker == 0 {
		return s, errors.New("the runtime's descriptors are not to be found")
	}
	return s, nil
}

// startPoller has the runtime open its poller, if it has not yet.
func startPoller() error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start the runtime's poller: %w", err)
	}
	return errors.Join(r.Close(), w.Close())
}

// descriptors are those that are open, and what each is.
func descriptors() (map[int]string, error) {
	const dir = "/proc/self/fd"
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("see what is open: %w", err)
	}
	open := map[int]string{}
	for _, name := range names {
		fd, err := strconv.Atoi(name.Name())
		if err != nil {
			return nil, fmt.Errorf("see what is open: %s: %w", dir, err)
		}
		what, err := os.Readlink(dir + "/" + name.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue // that of the folder itself
		}
		if err != nil {
			return nil, fmt.Errorf("see what is open: %w", err)
		}
		open[fd] = what
	}
	return open, nil
}

// attached are the numbers of all descriptors.
func attached(a Attached) map[int]bool {
	all := map[int]bool{}
	for _, d := range append(append([]Descriptor(nil), a.Consoles...), a.Links...) {
		all[d.FD] = true
	}
	for _, b := range a.Blocks {
		all[b.FD] = true
	}
	return all
}

// one makes sure that there is one descriptor of a kind.
func one(have, fd int, what string) (int, error) {
	if have != 0 {
		return 0, fmt.Errorf("descriptors %d and %d are %s: one of them is not the runtime's", have, fd, what)
	}
	return fd, nil
}

// closeInherited closes what programs inherit, as this one did: Go opens nothing that is.
func closeInherited(fd int, what string) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil {
		return fmt.Errorf("look at descriptor %d (%s): %w", fd, what, err)
	}
	if flags&unix.FD_CLOEXEC != 0 && strings.HasPrefix(what, "/sys/fs/cgroup/") {
		return nil // the runtime's, as long as it follows limits
	}
	if flags&unix.FD_CLOEXEC != 0 {
		return fmt.Errorf("descriptor %d (%s) is open and not attached", fd, what)
	}
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("close descriptor %d (%s), which was inherited: %w", fd, what, err)
	}
	return nil
}

// silence puts /dev/null in the place of a standard descriptor.
func silence(fd int) error {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	defer unix.Close(null)
	if err := unix.Dup3(null, fd, 0); err != nil {
		return fmt.Errorf("put %s in the place of descriptor %d: %w", os.DevNull, fd, err)
	}
	return nil
}
