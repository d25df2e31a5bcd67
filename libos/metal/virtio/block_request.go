package virtio

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// A request is three descriptors and the memory they name: a header, a piece of data,
// and the status that the disk puts at its end (virtio 1.2, 5.2.6).
type request struct {
	head   uint16 // of the descriptors head, head+1, head+2
	header []byte
	status []byte
	data   []byte
	at     uint64 // physical address of header, which data follows

	done chan struct{} // holds one when the disk is done
}

// Kinds of requests, and what becomes of them.
const (
	typeIn    = 0
	typeOut   = 1
	typeFlush = 4
	typeGetID = 8

	statusOK          = 0
	statusError       = 1
	statusUnsupported = 2
	statusNone        = 0xff // not the disk's

	idSize   = 20
	statusAt = 16 // offset of the status from the header
)

// divide cuts memory into requests.
func (b *Block) divide(m Memory) error {
	stride := b.plan.piece + requestMemory
	n := max(1, min(b.plan.requests, b.queue.size/3))
	mem, phys, err := m.Alloc(n * stride)
	if err != nil {
		return fmt.Errorf("%s: %d requests of %d bytes: %w", b.dev.Name(), n, b.plan.piece, err)
	}
	b.free = make(chan *request, n)
	for i := range n {
		part := mem[i*stride : (i+1)*stride]
		r := &request{
			head: uint16(3 * i), at: phys + uint64(i*stride),
			header: part[:16], status: part[statusAt : statusAt+1], data: part[requestMemory:],
			done: make(chan struct{}, 1),
		}
		b.slots = append(b.slots, r)
		b.free <- r
	}
	return nil
}

// acquire waits for a request that nobody uses.
func (b *Block) acquire() (*request, error) {
	select {
	case r := <-b.free:
		return r, nil
	case <-b.gone:
		return nil, b.err()
	}
}

// release gives it back. One that the disk may still have is kept from
// others by b.gone.
func (b *Block) release(r *request) { b.free <- r }

// do has the disk do something and waits for it.
func (b *Block) do(r *request, kind uint32, at int64, n int) error {
	if err := b.submit(r, kind, at, n); err != nil {
		return err
	}
	return b.finish(r)
}

// submit has the disk do something with n bytes of r's data at that offset of the disk.
func (b *Block) submit(r *request, kind uint32, at int64, n int) error {
	binary.LittleEndian.PutUint32(r.header, kind)
	binary.LittleEndian.PutUint32(r.header[4:], 0)
	binary.LittleEndian.PutUint64(r.header[8:], uint64(at/sector))
	r.status[0] = statusNone
	var write uint16
	if kind == typeIn || kind == typeGetID {
		write = descWrite
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.err(); err != nil {
		return err
	}
	desc := b.queue.desc[r.head : r.head+3]
	desc[0] = descriptor{addr: r.at, length: 16, flags: descNext, next: r.head + 1}
	desc[1] = descriptor{addr: r.at + requestMemory, length: uint32(n), flags: descNext | write, next: r.head + 2}
	desc[2] = descriptor{addr: r.at + statusAt, length: 1, flags: descWrite}
	if n == 0 {
		desc[0].next = r.head + 2
	}
	b.queue.offer(r.head)
	b.queue.kick()
	return nil
}

// finish waits until the disk is done.
func (b *Block) finish(r *request) error {
	select {
	case <-r.done:
	case <-b.gone:
		return b.err()
	}
	switch status := r.status[0]; {
	case status == statusError:
		return fmt.Errorf("%s: %w", b.dev.Name(), errIO)
	case status == statusUnsupported:
		return fmt.Errorf("%s: %w", b.dev.Name(), errUnsupported)
	case status != statusOK:
		return b.fail(b.queue.misbehaves("it ended a request with status %d", status))
	}
	return nil
}

// serve waits for the disk's interrupts, until it is closed.
func (b *Block) serve() {
	defer close(b.gone)
	for b.collect() == nil {
		if b.arm() && b.wait(b.queue) != nil {
			return
		}
		if _, err := b.changed(); err != nil {
			return
		}
	}
}

func (b *Block) arm() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queue.arm(1)
}

// collect tells those who wait for what the disk has done. How much a disk says that
// it wrote is not looked at: some say how much they read.
func (b *Block) collect() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue.disarm()
	for {
		head, _, ok, err := b.queue.take()
		if err != nil {
			return b.fail(err)
		}
		if !ok {
			return b.err()
		}
		b.slots[head/3].done <- struct{}{}
	}
}

// identify asks for the disk's name.
func (b *Block) identify() error {
	r, err := b.acquire()
	if err != nil {
		return err
	}
	defer b.release(r)
	clear(r.data[:idSize])
	switch err := b.do(r, typeGetID, 0, idSize); {
	case b.err() != nil:
		return b.err()
	case err != nil:
		return nil // not all disks have one
	}
	b.id, _, _ = strings.Cut(string(r.data[:idSize]), "\x00")
	return nil
}
