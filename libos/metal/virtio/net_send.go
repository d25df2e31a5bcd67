package virtio

import (
	"encoding/binary"
	"fmt"

	"cairn/libos"
)

// A sender is the queue in which a card takes frames. Each is copied into one piece of
// a ring of bytes, with its header, and described by the next descriptor. The card
// may finish frames in any order; room becomes free in the order of sending.
type sender struct {
	queue *queue
	mem   []byte
	phys  uint64

	frames      []sending // by descriptor
	first, next uint32    // numbers of the oldest frame that has not gone, and of the next
	tail, head  uint64    // the bytes from tail to head, modulo len(mem), are taken
}

// A sending is a frame that the card has, or one that has gone while an older one has not.
type sending struct {
	end  uint64 // where in the ring of bytes it ends
	gone bool
}

func (s *sender) open(d Device, m Memory, plan *netPlan) error {
	q, err := newQueue(d, m, queueOut, maxQueue, plan.features)
	if err != nil {
		return err
	}
	mem, phys, err := m.Alloc(plan.space)
	if err != nil {
		return fmt.Errorf("%s: %d bytes for sending: %w", d.Name(), plan.space, err)
	}
	*s = sender{queue: q, mem: mem, phys: phys, frames: make([]sending, q.size)}
	return nil
}

// Send copies a frame for the card to send. While the card's memory is full it waits.
func (n *Net) Send(h libos.FrameHeader, parts ...[]byte) error {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if err := n.sendable(h, size); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.usable(); err != nil {
		return err
	}
	if n.down.Load() {
		return fmt.Errorf("send on %s: %w", n.dev.Name(), errDown)
	}
	at, err := n.room(n.plan.header + size)
	if err != nil {
		return err
	}
	n.out.copy(at, n.plan.header, h, parts)
	n.out.commit(at, n.plan.header+size)
	return nil
}

// sendable returns an error for a frame that the card would not send.
func (n *Net) sendable(h libos.FrameHeader, size int) error {
	limit := n.plan.frame
	if h.Segment != libos.SegmentNone {
		limit = libos.MaxFrame
	}
	switch {
	case size > limit:
		return fmt.Errorf("send on %s: a frame of %d bytes is larger than %d", n.dev.Name(), size, limit)
	case h != libos.FrameHeader{} && !n.plan.offload, !n.plan.cuts(h.Segment, true):
		return fmt.Errorf("send on %s: it does not finish such frames: %+v", n.dev.Name(), h)
	case h.Flags&libos.NeedsChecksum != 0 && int(h.SumStart)+int(h.SumOffset)+2 > size:
		return fmt.Errorf("send on %s: the checksum lies outside of a frame of %d bytes", n.dev.Name(), size)
	}
	return nil
}

// room finds size bytes in one piece and a descriptor, and returns where the bytes begin. It
// waits for the card to send where there are none; only then there are interrupts.
func (n *Net) room(size int) (int, error) {
	s := &n.out
	size = roundUp(size)
	for {
		if err := s.reap(); err != nil {
			return 0, n.fail(err)
		}
		if at, ok := s.find(size); ok {
			return at, nil
		}
		// A good part of what the card has is worth waking up for.
		if s.queue.arm((s.queue.out*3 + 3) / 4) {
			if err := n.wait(s.queue); err != nil {
				return 0, err
			}
		}
		s.queue.disarm()
	}
}

// reap frees what the card has sent.
func (s *sender) reap() error {
	for {
		id, _, ok, err := s.queue.take()
		if !ok {
			return err
		}
		s.frames[id].gone = true
		for s.first != s.next {
			f := &s.frames[s.first&uint32(s.queue.mask)]
			if !f.gone {
				break
			}
			s.tail = f.end
			s.first++
		}
	}
}

// find returns where size bytes in one piece begin. When nothing is taken it begins
// anew, with memory that the processor still has at hand.
func (s *sender) find(size int) (at int, ok bool) {
	if s.first == s.next {
		s.tail, s.head = 0, 0
	}
	if s.next-s.first == uint32(len(s.frames)) {
		return 0, false
	}
	all := uint64(len(s.mem))
	at = int(s.head % all)
	skip := 0
	if at+size > len(s.mem) {
		skip, at = len(s.mem)-at, 0
	}
	return at, s.head+uint64(skip+size)-s.tail <= all
}

// roundUp keeps frames from sharing lines of the processor's cache.
func roundUp(size int) int { return (size + 63) &^ 63 }

// copy puts a frame with its header at that place.
func (s *sender) copy(at, header int, h libos.FrameHeader, parts [][]byte) {
	b := s.mem[at:]
	b[0], b[1] = h.Flags, h.Segment
	binary.LittleEndian.PutUint16(b[2:], h.HeaderLen)
	binary.LittleEndian.PutUint16(b[4:], h.SegmentLen)
	binary.LittleEndian.PutUint16(b[6:], h.SumStart)
	binary.LittleEndian.PutUint16(b[8:], h.SumOffset)
	if header == netHeader {
		binary.LittleEndian.PutUint16(b[10:], 0)
	}
	b = b[header:]
	for _, p := range parts {
		b = b[copy(b, p):]
	}
}

// commit gives the card what lies at that place, and tells it so if it waits for that. To
// tell it later, of several at once, costs less and yet gains nothing: a website under
// load became slower by a third, since whoever receives them had to wait.
func (s *sender) commit(at, size int) {
	id := uint16(s.next) & s.queue.mask
	all := uint64(len(s.mem))
	if begin := int(s.head % all); begin != at {
		s.head += uint64(len(s.mem) - begin)
	}
	s.head += uint64(roundUp(size))
	s.frames[id] = sending{end: s.head}
	s.next++
	s.queue.desc[id] = descriptor{addr: s.phys + uint64(at), length: uint32(size)}
	s.queue.offer(id)
	s.queue.kick()
}
