//go:build unix

package unix

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"cairn/libos"
)

// A Block is a regular file or a block device of the host as a disk. It is a
// libos.Block.
type Block struct {
	name     string
	file     *os.File
	size     int64
	readOnly bool
	closed   atomic.Bool

	mu   sync.Mutex
	lost error // what a Sync said that failed
}

var _ libos.Block = (*Block)(nil)

// OpenBlock opens a file or a block device, which must be there. Its size is what it is now;
// it does not follow the file.
func OpenBlock(name string, readOnly bool) (*Block, error) {
	flag := os.O_RDWR
	if readOnly {
		flag = os.O_RDONLY
	}
	// Not waiting for somebody to write, where it is a pipe.
	f, err := os.OpenFile(name, flag|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open disk: %w", err)
	}
	b := &Block{name: name, file: f, readOnly: readOnly}
	if err := b.measure(); err != nil {
		f.Close()
		return nil, fmt.Errorf("open disk %s: %w", name, err)
	}
	return b, nil
}

// measure finds out how large the disk is.
func (b *Block) measure() error {
	info, err := b.file.Stat()
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		b.size = info.Size()
		return nil
	case mode&fs.ModeDevice != 0 && mode&fs.ModeCharDevice == 0:
		b.size, err = b.file.Seek(0, io.SeekEnd)
		return err
	}
	return errors.New("it is neither a regular file nor a block device")
}

// FD returns the file's descriptor, which stays the Block's.
func (b *Block) FD() int { return int(b.file.Fd()) }

// Size returns how large the file was when it was opened.
func (b *Block) Size() int64 { return b.size }

// BlockSize is 4096: what Linux reads and writes at once.
func (b *Block) BlockSize() int { return 4096 }

// ReadOnly reports whether the file was opened so.
func (b *Block) ReadOnly() bool { return b.readOnly }

// ReadAt reads from any offset.
func (b *Block) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case b.closed.Load():
		return 0, b.closedError("read")
	case off < 0:
		return 0, fmt.Errorf("read disk %s at %d: %w", b.name, off, fs.ErrInvalid)
	}
	rest := p[:max(0, min(int64(len(p)), b.size-off))]
	n, err := b.file.ReadAt(rest, off)
	switch {
	case err == io.EOF:
		return n, fmt.Errorf("read disk %s at %d: it has become shorter: %w", b.name, off, io.ErrUnexpectedEOF)
	case err != nil:
		return n, err
	case n < len(p):
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes to any offset.
func (b *Block) WriteAt(p []byte, off int64) (int, error) {
	switch {
	case b.closed.Load():
		return 0, b.closedError("write")
	case b.readOnly:
		return 0, fmt.Errorf("write disk %s: %w", b.name, fs.ErrPermission)
	case off < 0 || off > b.size || int64(len(p)) > b.size-off:
		return 0, fmt.Errorf("write disk %s: %d bytes at %d are beyond its end: %w", b.name, len(p), off, fs.ErrInvalid)
	}
	return b.file.WriteAt(p, off)
}

// Sync is fsync(2). When that has reported once that something was lost, the system may not
// say so again: then every Sync fails.
func (b *Block) Sync() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost != nil {
		return b.lost
	}
	err := b.file.Sync()
	if err != nil && !errors.Is(err, fs.ErrClosed) {
		b.lost = err
	}
	return err
}

// Close ends every call under way.
func (b *Block) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	return b.file.Close()
}

func (b *Block) closedError(op string) error {
	return fmt.Errorf("%s disk %s: %w", op, b.name, fs.ErrClosed)
}
