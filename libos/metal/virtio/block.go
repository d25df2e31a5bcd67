package virtio

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"

	"cairn/libos"
)

// A Block is a disk (virtio 1.2, 5.2). It is a libos.Block. Bytes are copied once between
// the program's memory and the disk's, which is divided into pieces; so many
// requests are under way at most, of one caller or of several.
//
// A disk that misbehaves is stopped, and from then on every call returns an error
// that says what it did.
type Block struct {
	life
	plan   blockPlan
	id     string
	closed error // what calls return after Close

	free  chan *request // those that nobody uses
	slots []*request    // by descriptor / 3

	mu    sync.Mutex // guards queue
	queue *queue

	// A write of part of a block reads the block first: nobody else may write then.
	part sync.RWMutex

	lost atomic.Pointer[error] // why a Sync failed

	gone chan struct{} // closed when the disk's interrupts are not waited for any more
}

var _ libos.Block = (*Block)(nil)

// OpenBlock starts a disk with about that many bytes of memory for requests; 0:
// DefaultBlockMemory.
func OpenBlock(d Device, m Memory, memory int) (*Block, error) {
	if memory == 0 {
		memory = DefaultBlockMemory
	}
	if d.ID() != Disk {
		return nil, fmt.Errorf("%s is of kind %d, not a disk", d.Name(), d.ID())
	}
	b := &Block{life: life{dev: d}, closed: fmt.Errorf("%s: %w", d.Name(), fs.ErrClosed), gone: make(chan struct{})}
	if err := b.open(m, memory); err != nil {
		d.Close()
		return nil, err
	}
	go b.serve()
	if err := b.identify(); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Block) open(m Memory, memory int) error {
	if err := b.dev.Reset(); err != nil {
		return err
	}
	b.seen.Store(b.dev.Changes())
	var err error
	if b.plan, err = planBlock(b.dev, memory); err != nil {
		return fmt.Errorf("%s: %w", b.dev.Name(), err)
	}
	if err := b.dev.Accept(b.plan.features); err != nil {
		return err
	}
	if b.queue, err = newQueue(b.dev, m, 0, maxQueue, b.plan.features); err != nil {
		return err
	}
	if err := b.divide(m); err != nil {
		return err
	}
	return b.dev.Start()
}

// Size returns how many bytes the disk had when it was opened.
func (b *Block) Size() int64 { return b.plan.size }

// BlockSize returns the size of the disk's blocks, at least 512.
func (b *Block) BlockSize() int { return b.plan.block }

// ReadOnly reports whether the disk says that it cannot be written.
func (b *Block) ReadOnly() bool { return b.plan.features&blockReadOnly != 0 }

// ID is the disk's name, up to 20 bytes: serial=… under QEMU, drive_id under
// Firecracker. It may be anything, or empty.
func (b *Block) ID() string { return b.id }

// Name says what and where the disk is.
func (b *Block) Name() string { return b.dev.Name() }

// Sync returns when what was written is there to stay. A disk that cannot be told to
// see to that has always done so already (virtio 1.2, 5.2.5.1). When it has failed
// once every Sync fails: what was lost then does not come back.
func (b *Block) Sync() error {
	if err := b.err(); err != nil || b.plan.features&blockFlush == 0 {
		return err
	}
	if lost := b.lost.Load(); lost != nil {
		return *lost
	}
	r, err := b.acquire()
	if err != nil {
		return err
	}
	defer b.release(r)
	if err := b.do(r, typeFlush, 0, 0); err != nil {
		b.lost.CompareAndSwap(nil, &err)
		return err
	}
	return nil
}

// Close stops the disk, and ends every call under way.
func (b *Block) Close() error {
	err := b.end(b.closed)
	<-b.gone
	return err
}

// ReadAt reads from any offset.
func (b *Block) ReadAt(p []byte, off int64) (int, error) {
	if err := b.err(); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, fmt.Errorf("read %s at %d: %w", b.dev.Name(), off, fs.ErrInvalid)
	}
	if off >= b.plan.size {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	rest := p[:min(int64(len(p)), b.plan.size-off)]
	n, err := b.read(rest, off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// WriteAt writes to any offset.
func (b *Block) WriteAt(p []byte, off int64) (int, error) {
	switch err := b.err(); {
	case err != nil:
		return 0, err
	case b.ReadOnly():
		return 0, fmt.Errorf("write %s: %w", b.dev.Name(), fs.ErrPermission)
	case off < 0 || off > b.plan.size || int64(len(p)) > b.plan.size-off:
		return 0, fmt.Errorf("write %s: %d bytes at %d are beyond its end: %w", b.dev.Name(), len(p), off, fs.ErrInvalid)
	}
	return b.write(p, off)
}

// Why a request failed.
var (
	errIO          = errors.New("the disk reports an error")
	errUnsupported = errors.New("the disk does not know such a request")
)
