// Package virtio drives virtio devices (virtio 1.2, and 0.9.5 where it must): OpenNet a network
// card, which is a libos.Link, and OpenBlock a disk, which is a libos.Block.
//
//	d, err := virtio.NewMMIO("mmio 0xfeb02e00", registers, interrupt)
//	card, err := virtio.OpenNet(d, memory, 0)
//
// Below a driver is a Device: the transport (MMIO, PCI), or one that a test
// simulates. Between them lie split virtqueues in memory that both reach.
//
// # A device is not trusted
//
// It may write what it likes into the memory it shares, at any time. Whatever comes
// from there is read once and checked: indexes that jump, buffers it does not have or
// has used already, lengths beyond a buffer, frames shorter than their header or in
// impossible numbers of buffers, kinds of segments that were not agreed on. Then the
// device is stopped, and every call returns an error that names it and says what it
// did. Nothing it says makes the driver wait other than for an interrupt, or take
// more memory than it was given. What a frame or a block contains is not judged:
// a device can say anything there, as any wire and any disk can. Nor is a
// driver safe from a device that reaches for other memory than it was shown; that is for
// the machine to prevent.
//
// # Costs
//
// What costs is to leave the virtual machine: notifications and interrupts. The event index
// keeps both rare, where the device speaks it: none while the other side is at it
// anyway. A card is told of buffers it gets back several at a time, and is asked for an
// interrupt about what it has sent only while it is full. Bytes are copied once, since the
// memory of a Go program lies scattered over the machine's. Nothing is allocated
// while frames and blocks flow.
//
// # Non-goals
//
// Packed virtqueues, several queues of a kind (there is one processor), indirect
// descriptors (no chain here is longer than three, and there are enough of them), control
// queues (a card receives what its host lets through), discarding blocks, and devices that
// come and go.
package virtio
