package stack

import (
	"encoding/binary"
	"hash/maphash"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"cairn/libos"
)

// netstack acknowledges at once what it has received, and then sends the answer, which
// acknowledges it again. acks holds an acknowledgement without data back for a
// moment and drops it when something of its connection is sent that says the same: the delayed
// acknowledgement of RFC 1122 §4.2.3.2, one for two segments at least. Those that
// acknowledge nothing new or something out of order are never held: they ask for a segment
// again, or open a window.
type acks struct {
	link libos.Link
	seed maphash.Seed

	slots [ackSlots]ackSlot

	mu      sync.Mutex // after a slot's
	waiting []int      // slots in which something may be held
	armed   bool       // the timer is
	stopped bool
}

const (
	ackSlots = 1024 // connections remembered; one that meets another's slot takes it over
	ackDelay = 2 * time.Millisecond

	// ackAtOnce is how many bytes are acknowledged without delay: a segment of the usual
	// size, which others follow as a rule.
	ackAtOnce = 1400
)

// An ackSlot remembers one direction of a connection. A link's Send is called with mu
// held, so that what a connection sends keeps its order.
type ackSlot struct {
	mu   sync.Mutex
	flow uint64            // a hash of addresses and ports; 0: none
	last uint32            // what was acknowledged last
	held []byte            // a frame, empty when there is none
	head libos.FrameHeader // held's
}

func newAcks(l libos.Link) *acks { return &acks{link: l, seed: maphash.MakeSeed()} }

// An ackInfo is what matters of a TCP segment.
type ackInfo struct {
	flow uint64
	ack  uint32
	bare bool // an acknowledgement and nothing else
}

// segment reads a packet that netstack sends. ok: it is TCP and acknowledges
// something.
func (a *acks) segment(pkt *stack.PacketBuffer) (i ackInfo, ok bool) {
	ip := pkt.NetworkHeader().Slice()
	if pkt.TransportProtocolNumber != header.TCPProtocolNumber || len(ip) < header.IPv4MinimumSize {
		return i, false
	}
	tcp := header.TCP(pkt.TransportHeader().Slice())
	if len(tcp) < header.TCPMinimumSize || tcp.Flags()&header.TCPFlagAck == 0 {
		return i, false
	}
	addresses := ip[12:20]
	if len(ip) >= header.IPv6MinimumSize && ip[0]>>4 == 6 {
		addresses = ip[8:40]
	}
	var key [36]byte
	copy(key[copy(key[:], addresses):], tcp[:4])
	i.flow = maphash.Bytes(a.seed, key[:len(addresses)+4]) | 1
	i.ack = tcp.AckNumber()
	i.bare = tcp.Flags() == header.TCPFlagAck && pkt.Data().Size() == 0 && timestampsOnly(tcp)
	return i, true
}

// timestampsOnly reports whether there is no option but timestamps, as they are
// aligned by all stacks (RFC 7323, appendix A), in particular no SACK.
func timestampsOnly(tcp header.TCP) bool {
	options := tcp[header.TCPMinimumSize:]
	const aligned = 0x0101080a // NOP, NOP, timestamps of 10 bytes
	return len(options) == 0 || len(options) == 12 && binary.BigEndian.Uint32(options) == aligned
}

// send sends a packet, given in parts, or holds it back.
func (a *acks) send(i ackInfo, h libos.FrameHeader, parts [][]byte) error {
	n := int(i.flow >> 1 % ackSlots)
	s := &a.slots[n]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flow != i.flow {
		if err := a.release(s); err != nil {
			return err
		}
		s.flow, s.last = i.flow, i.ack-1 // unknown: as if something new is acknowledged
	}
	news := int32(i.ack - s.last)
	s.last = i.ack
	switch {
	case i.bare && news > 0 && news < ackAtOnce && len(s.held) == 0:
		for _, p := range parts {
			s.held = append(s.held, p...)
		}
		s.head = h
		a.await(n)
		return nil
	case news > 0 || !i.bare:
		s.held = s.held[:0] // this says it too
	default:
		if err := a.release(s); err != nil {
			return err
		}
	}
	return a.link.Send(h, parts...)
}

// release sends what a slot holds.
func (a *acks) release(s *ackSlot) error {
	if len(s.held) == 0 {
		return nil
	}
	err := a.link.Send(s.head, s.held)
	s.held = s.held[:0]
	return err
}

// await has a slot looked at when the delay is over.
func (a *acks) await(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stopped {
		return
	}
	a.waiting = append(a.waiting, n)
	if !a.armed {
		a.armed = true
		time.AfterFunc(ackDelay, a.expire)
	}
}

// expire sends what is held. A link that fails says so elsewhere.
func (a *acks) expire() {
	a.mu.Lock()
	waiting := a.waiting
	a.waiting, a.armed = nil, false
	a.mu.Unlock()
	for _, n := range waiting {
		s := &a.slots[n]
		s.mu.Lock()
		a.release(s)
		s.mu.Unlock()
	}
}

// stop makes sure that nothing is held any more; what is, is lost with the link.
func (a *acks) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stopped = true
}
