package mailbox

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// ReadFile reads a file of the branch that is no mail, such as sieve/active.sieve; absent is fs.ErrNotExist.
func (e *Edit) ReadFile(path string) ([]byte, error) { return e.tx.ReadFile(path) }

// PutFile writes a file of the branch that is no mail.
func (e *Edit) PutFile(path string, data []byte) error {
	if err := e.foreign(path); err != nil {
		return err
	}
	return e.tx.Put(path, data)
}

// RemoveFile removes a file of the branch that is no mail; absent is fs.ErrNotExist.
func (e *Edit) RemoveFile(path string) error {
	if err := e.foreign(path); err != nil {
		return err
	}
	return e.tx.Remove(path)
}

// foreign prepares for a change of what is no mail.
func (e *Edit) foreign(path string) error {
	first, _, _ := strings.Cut(path, "/")
	if slices.Contains([]string{boxesDir, rootFile, subsFile}, first) {
		return fmt.Errorf("file %q is mail: %w", path, fs.ErrInvalid)
	}
	return e.begin()
}
