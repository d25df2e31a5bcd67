package virtio

import (
	"encoding/binary"
	"fmt"

	"cairn/libos"
)

// A receiver is the queue in which a card hands over frames. Buffer i is
// described by descriptor i, always.
type receiver struct {
	queue *queue
	mem   []byte
	size  int // of a buffer
	plan  *netPlan
	batch int // buffers that are given back at once
}

func (r *receiver) open(d Device, m Memory, plan *netPlan) error {
	q, err := newQueue(d, m, queueIn, plan.buffers, plan.features)
	if err != nil {
		return err
	}
	n := min(q.size, plan.buffers)
	mem, phys, err := m.Alloc(n * plan.bufferSize)
	if err != nil {
		return fmt.Errorf("%s: %d buffers of %d bytes: %w", d.Name(), n, plan.bufferSize, err)
	}
	*r = receiver{queue: q, mem: mem, size: plan.bufferSize, plan: plan, batch: max(n/4, 1)}
	for i := range n {
		q.desc[i] = descriptor{addr: phys + uint64(i*r.size), length: uint32(r.size), flags: descWrite}
		q.offer(uint16(i))
	}
	return nil
}

// Receive waits for a frame and copies it into buf. A frame that is larger is
// dropped.
func (n *Net) Receive(buf []byte) (int, libos.FrameHeader, error) {
	if err := n.err(); err != nil {
		return 0, libos.FrameHeader{}, err
	}
	for {
		size, h, err := n.receive(buf)
		if err != nil || size <= len(buf) {
			return size, h, err
		}
	}
}

// receive copies as much of a frame as buf holds, and returns how large it is.
func (n *Net) receive(buf []byte) (size int, h libos.FrameHeader, err error) {
	head, b, err := n.used()
	if err != nil {
		return 0, h, err
	}
	count := 1
	if len(b) >= n.plan.header {
		h, count = n.plan.decode(b)
		b = b[n.plan.header:]
	} else {
		err = n.in.queue.misbehaves("it handed over a frame of %d bytes, of which %d are a header", len(b), n.plan.header)
	}
	if err == nil {
		err = n.acceptable(h, count)
	}
	if err != nil {
		return 0, libos.FrameHeader{}, n.fail(err)
	}
	size = copy(buf, b)
	for dropped := len(b) - size; ; {
		n.giveBack(head)
		if count--; count == 0 {
			return size + dropped, h, nil
		}
		if head, b, err = n.used(); err != nil {
			return 0, libos.FrameHeader{}, err
		}
		copied := copy(buf[size:], b)
		size += copied
		dropped += len(b) - copied
	}
}

// acceptable returns an error where a header says what cannot be.
func (n *Net) acceptable(h libos.FrameHeader, count int) error {
	if count < 1 || count > len(n.in.queue.given) {
		return n.in.queue.misbehaves("it says that a frame lies in %d buffers", count)
	}
	if !n.plan.cuts(h.Segment, false) {
		return n.in.queue.misbehaves("it handed over a segment of kind %#x, which was not agreed on", h.Segment)
	}
	return nil
}

// used waits for the next buffer that the card has used, and returns what is in it.
func (n *Net) used() (head uint16, b []byte, err error) {
	r := &n.in
	for {
		head, size, ok, err := r.queue.take()
		switch {
		case err != nil:
			return 0, nil, n.fail(err)
		case ok && size > uint32(r.size):
			return 0, nil, n.fail(r.queue.misbehaves("it wrote %d bytes into a buffer of %d", size, r.size))
		case ok:
			at := int(head) * r.size
			return head, r.mem[at : at+int(size)], nil
		}
		if err := n.idle(); err != nil {
			return 0, nil, err
		}
	}
}

// idle waits for an interrupt, unless there is something.
func (n *Net) idle() error {
	q := n.in.queue
	q.kick()
	if q.arm(1) {
		if err := n.wait(q); err != nil {
			return err
		}
		if err := n.usable(); err != nil {
			return err
		}
	}
	q.disarm()
	return nil
}

// giveBack offers a buffer again. The card is told of several at once.
func (n *Net) giveBack(head uint16) {
	q := n.in.queue
	q.offer(head)
	if q.waiting() >= n.in.batch {
		q.kick()
	}
}

// decode reads the header of a frame, and in how many buffers it lies.
func (p *netPlan) decode(b []byte) (h libos.FrameHeader, count int) {
	count = 1
	if p.features&netMergeable != 0 {
		count = int(binary.LittleEndian.Uint16(b[10:]))
	}
	if p.features&netGuestChecksum == 0 {
		return h, count // the rest means nothing
	}
	return libos.FrameHeader{
		Flags:      b[0],
		Segment:    b[1],
		HeaderLen:  binary.LittleEndian.Uint16(b[2:]),
		SegmentLen: binary.LittleEndian.Uint16(b[4:]),
		SumStart:   binary.LittleEndian.Uint16(b[6:]),
		SumOffset:  binary.LittleEndian.Uint16(b[8:]),
	}, count
}
