package virtio

import "io"

// A Device is one virtio device behind its transport: memory-mapped registers
// (MMIO), a PCI function (PCI), or a simulated one in tests. Its driver calls
// Reset, Accept, SetQueue for each queue, Start, and from then on Notify and
// Wait. A Device knows nothing of what its queues carry.
type Device interface {
	// ID is the kind of device (virtio 1.2, 5): Network, Disk, Console, Entropy.
	ID() uint32
	// Name says what and where it is, for errors: "virtio network card at mmio
	// 0xfeb02e00".
	Name() string
	// Legacy reports whether the device is of before virtio 1.0: it has no
	// Version1 feature, and the header of its network frames is 10 bytes.
	Legacy() bool
	// Reset ends whatever the device is doing, and waits until it has.
	Reset() error
	// Features are those that the device offers.
	Features() uint64
	// Accept acknowledges the device and agrees on features, which are some of
	// those offered. Version1 need not be among them; a device that has it gets it.
	Accept(features uint64) error
	// QueueMax is the largest size of queue i, in descriptors; 0 where there
	// is none.
	QueueMax(i int) int
	// SetQueue tells the device where queue i lies and enables it.
	SetQueue(i int, r Ring) error
	// Start lets the device run.
	Start() error
	// Notify tells the device that there is something new in queue i.
	Notify(i int)
	// Wait waits until the device says that it has used something in queue i, or
	// has said so since the last Wait for it. It may return for nothing. After
	// Close it returns net.ErrClosed. One goroutine waits for each queue.
	Wait(i int) error
	// Config fills p from the device's configuration at off, all of it from the
	// same moment. What lies beyond the configuration reads as anything.
	Config(off int, p []byte)
	// Changes counts how often the device has said that its configuration changed,
	// as far as somebody who waited has seen it. It costs no access to the device.
	Changes() uint32
	// Broken reports whether the device asks to be reset because it went
	// wrong (virtio 1.2, 2.1.2).
	Broken() bool
	// Close stops the device and ends every Wait.
	io.Closer
}

// A Ring is where the three parts of a split virtqueue lie, as physical addresses.
// A legacy device computes the others from Desc: Avail follows the
// descriptors at once, and Used lies at the next multiple of 4096 (RingLayout).
type Ring struct {
	Size              int // descriptors, a power of two
	Desc, Avail, Used uint64
}

// RingLayout returns how far the parts of a queue of n descriptors lie from the
// start of its memory, which is a multiple of 4096, and how many bytes it
// takes (virtio 1.2, 2.7.2). Every transport takes this layout.
func RingLayout(n int) (avail, used, size int) {
	avail = 16 * n
	used = (avail + 6 + 2*n + ringAlign - 1) &^ (ringAlign - 1)
	return avail, used, used + 6 + 8*n
}

const ringAlign = 4096

// Memory hands out memory that devices reach.
type Memory interface {
	// Alloc returns n bytes, zeroed and contiguous, that start at a multiple of 4096,
	// and their physical address. They are never freed.
	Alloc(n int) (mem []byte, phys uint64, err error)
}

// Kinds of devices (virtio 1.2, 5).
const (
	Network = 1
	Disk    = 2
	Console = 3
	Entropy = 4
)

// Features of every device (virtio 1.2, 6).
const (
	AnyLayout    = 1 << 27 // legacy: buffers may be cut anywhere
	IndirectDesc = 1 << 28
	EventIndex   = 1 << 29
	Version1     = 1 << 32
)
