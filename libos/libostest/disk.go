package libostest

import (
	"fmt"
	"io"
	"io/fs"
	"sync"

	"cairn/libos"
)

// A Disk is a libos.Block in memory. Make one with NewDisk.
type Disk struct {
	readOnly bool

	mu     sync.RWMutex
	bytes  []byte
	synced []byte // what a loss of power leaves
	closed bool
}

var _ libos.Block = (*Disk)(nil)

// NewDisk returns a disk that holds a copy of content.
func NewDisk(content []byte, readOnly bool) *Disk {
	return &Disk{bytes: append([]byte(nil), content...), synced: append([]byte(nil), content...), readOnly: readOnly}
}

// ReadAt reads from any offset.
func (d *Disk) ReadAt(p []byte, off int64) (int, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	switch {
	case d.closed:
		return 0, fs.ErrClosed
	case off < 0:
		return 0, fmt.Errorf("read at %d: %w", off, fs.ErrInvalid)
	case len(p) == 0:
		return 0, nil
	case off >= int64(len(d.bytes)):
		return 0, io.EOF
	}
	n := copy(p, d.bytes[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes to any offset.
func (d *Disk) WriteAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	size := int64(len(d.bytes))
	switch {
	case d.closed:
		return 0, fs.ErrClosed
	case d.readOnly:
		return 0, fs.ErrPermission
	case off < 0 || off > size || int64(len(p)) > size-off:
		return 0, fmt.Errorf("write %d bytes at %d of %d: %w", len(p), off, size, fs.ErrInvalid)
	}
	return copy(d.bytes[off:], p), nil
}

// Sync makes what was written outlive a loss of power.
func (d *Disk) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return fs.ErrClosed
	}
	copy(d.synced, d.bytes)
	return nil
}

// Synced returns what a loss of power now would leave at least: what was there at the last Sync.
func (d *Disk) Synced() []byte {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return append([]byte(nil), d.synced...)
}

// Size returns how many bytes the disk has.
func (d *Disk) Size() int64 { return int64(len(d.bytes)) }

// BlockSize is 512.
func (d *Disk) BlockSize() int { return 512 }

// ReadOnly reports whether WriteAt is refused.
func (d *Disk) ReadOnly() bool { return d.readOnly }

// Close ends the use of the disk; Synced still works.
func (d *Disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}
