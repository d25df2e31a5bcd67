package stack

import (
	"math"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// bounds are what strangers can have kept, and how much a connection may take: less where
// there is little memory.
type bounds struct {
	firstBuffer, mostBuffer int // of a connection, each way, in bytes

	backlog   int // connections that wait to be accepted, and as many half open
	accepted  int // connections that are open at once of those that were accepted
	timeWait  int // connections that are remembered
	orphans   int // connections that have been closed and have had something to send for long
	fragments bool
}

// plenty is what holds where memory is not short.
var plenty = bounds{
	firstBuffer: firstBuffer,
	mostBuffer:  mostBuffer,
	backlog:     backlog,
	accepted:    math.MaxInt,
	timeWait:    maxTimeWait,
	orphans:     maxOrphans,
	fragments:   true,
}

// leastForFragments is the memory with which packets are put together from fragments: netstack
// keeps 4 MiB of a family's. TCP, and DNS as it is asked here, need none.
const leastForFragments = 64 << 20

// boundsOf are the bounds of a program that may take so many bytes of memory; 0: plenty. Each connection
// has half a MiB, of which its buffers are at most a part that leaves room for what the program does there.
func boundsOf(memory int64) bounds {
	if memory == 0 {
		return plenty
	}
	most := int(min(max(memory/256, 32<<10), mostBuffer))
	return bounds{
		firstBuffer: min(firstBuffer, most),
		mostBuffer:  most,
		backlog:     int(min(max(memory/(256<<10), 16), backlog)),
		accepted:    int(max(memory/(512<<10), 16)),
		timeWait:    int(min(max(memory/(64<<10), 64), maxTimeWait)),
		orphans:     int(min(max(memory/(256<<10), 8), maxOrphans)),
		fragments:   memory >= leastForFragments,
	}
}

// full reports whether there are as many accepted connections as there may be.
func (s *Stack) full() bool { return s.accepted.Load() >= int64(s.bounds.accepted) }

// leave counts an accepted connection no longer. Listeners that wait for that look again.
func (s *Stack) leave() {
	if s.accepted.Add(-1) != int64(s.bounds.accepted)-1 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.owned {
		if l, ok := c.(*Listener); ok {
			l.poke()
		}
	}
}

// fragment reports whether a frame carries a fragment of an IP packet; of IPv6, one whose
// fragment header comes first, as those have that can be put together (RFC 8200 §4.5).
func fragment(frame []byte) bool {
	packet := frame[header.EthernetMinimumSize:]
	switch header.Ethernet(frame).Type() {
	case header.IPv4ProtocolNumber:
		ip := header.IPv4(packet)
		return len(packet) >= header.IPv4MinimumSize && (ip.More() || ip.FragmentOffset() != 0)
	case header.IPv6ProtocolNumber:
		return len(packet) >= header.IPv6MinimumSize && header.IPv6(packet).NextHeader() == header.IPv6FragmentHeader
	}
	return false
}
