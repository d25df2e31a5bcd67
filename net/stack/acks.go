package stack

import (
	"hash/maphash"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// Netstack acknowledges each segment at once, also one that the program is about to
// answer: two frames then go out where the answer alone says it all. So a lone
// acknowledgement of little waits here for a moment. Whatever else its connection
// sends meanwhile takes its place, a second acknowledgement too, so that no more than
// every other one waits (RFC 5681 §4.2, which allows half a second).

const (
	ackDelay = 5 * time.Millisecond
	ackLarge = 1024 // bytes: what acknowledges more does not wait, so that bulk never does
	ackFlows = 1024 // connections that can be remembered; others only wait less
)

// acks are the acknowledgements that wait.
type acks struct {
	send func(*stack.PacketBuffer) error

	mu    sync.Mutex
	seed  maphash.Seed
	flows [ackFlows]flow
	armed bool // a flush is to come
}

// A flow is one direction of a connection.
type flow struct {
	id      uint64              // a hash of addresses and ports, which nobody else knows the seed of
	acked   uint32              // what was acknowledged last
	waiting *stack.PacketBuffer // nil: nothing waits
}

type flowKey struct {
	local, remote         tcpip.Address
	localPort, remotePort uint16
}

// pass takes note of a packet that is to be sent and reports whether to send it now.
func (a *acks) pass(pkt *stack.PacketBuffer) bool {
	tcp := header.TCP(pkt.TransportHeader().Slice())
	if pkt.TransportProtocolNumber != header.TCPProtocolNumber || len(tcp) < header.TCPMinimumSize {
		return true
	}
	id := maphash.Comparable(a.seed, flowKey{pkt.EgressRoute.LocalAddress, pkt.EgressRoute.RemoteAddress, tcp.SourcePort(), tcp.DestinationPort()})
	a.mu.Lock()
	defer a.mu.Unlock()
	f := &a.flows[id%ackFlows]
	if f.id != id {
		f.release(a.send)
		*f = flow{id: id, acked: tcp.AckNumber()}
		return true
	}
	if f.waiting == nil && lone(pkt, tcp) && tcp.AckNumber()-f.acked-1 < ackLarge {
		f.waiting = pkt.IncRef()
		if !a.armed {
			a.armed = true
			time.AfterFunc(ackDelay, a.flush)
		}
		return false
	}
	f.acked = tcp.AckNumber()
	f.drop()
	return true
}

// lone reports whether a segment says nothing but what has arrived in order.
func lone(pkt *stack.PacketBuffer, tcp header.TCP) bool {
	return tcp.Flags() == header.TCPFlagAck && pkt.Data().Size() == 0 && len(tcp.ParsedOptions().SACKBlocks) == 0
}

// flush sends all that waits.
func (a *acks) flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.armed = false
	for i := range a.flows {
		a.flows[i].release(a.send)
	}
}

// release sends what waits. That it could not be sent is as if it was lost on the way.
func (f *flow) release(send func(*stack.PacketBuffer) error) {
	if f.waiting != nil {
		f.acked = header.TCP(f.waiting.TransportHeader().Slice()).AckNumber()
		_ = send(f.waiting)
		f.drop()
	}
}

func (f *flow) drop() {
	if f.waiting != nil {
		f.waiting.DecRef()
		f.waiting = nil
	}
}
