package gitdir

import (
	"errors"
	"syscall"

	"cairn/store"
)

// A temporaryError is a store.ErrTemporary that says what a person can do.
type temporaryError struct {
	err  error // names the operation and the file
	hint string
}

func (e *temporaryError) Error() string   { return e.err.Error() + " (" + e.hint + ")" }
func (e *temporaryError) Unwrap() []error { return []error{e.err, store.ErrTemporary} }

// shortages are the errors that go away when somebody makes room.
var shortages = map[syscall.Errno]string{
	syscall.ENOSPC: "free some space on that disk and try again; nothing was changed",
	syscall.EDQUOT: "raise that user's disk quota or delete something, and try again; nothing was changed",
	syscall.EMFILE: "too many files are open in this process; raise its limit (ulimit -n) or try again later",
	syscall.ENFILE: "too many files are open on this machine; try again later",
	syscall.ENOMEM: "the machine is out of memory; try again later",
}

// temporary marks the errors that may go away by themselves.
func temporary(err error) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) || errors.Is(err, store.ErrTemporary) {
		return err
	}
	if hint, ok := shortages[errno]; ok {
		return &temporaryError{err, hint}
	}
	return err
}
