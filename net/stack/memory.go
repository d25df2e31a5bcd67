package stack

import (
	"context"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	protocol "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// Sizes of the buffers of a connection, in bytes, where there is plenty. They begin small, as most connections carry
// little and any may be left unread by a peer, and grow with what is carried.
const (
	leastBuffer = 4 << 10
	firstBuffer = 256 << 10
	mostBuffer  = 4 << 20
)

func (s *Stack) boundBuffers() {
	first, most := s.bounds.firstBuffer, s.bounds.mostBuffer
	send := tcpip.TCPSendBufferSizeRangeOption{Min: leastBuffer, Default: first, Max: most}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: leastBuffer, Default: first, Max: most}
	s.net.SetTransportProtocolOption(protocol.ProtocolNumber, &send)
	s.net.SetTransportProtocolOption(protocol.ProtocolNumber, &receive)
}

// A connection outlives its Close: it sends what is left, and is remembered for a
// minute where it was closed first (TIME-WAIT, RFC 9293 §3.6.1). Nobody else counts such
// connections.
const (
	maxTimeWait = 8192            // remembered ones, of 8 KB each
	orphanTime  = 5 * time.Minute // for how long one may have something to send still
	maxOrphans  = 256             // of those that have been at it for sweepEvery
	sweepEvery  = 30 * time.Second
	sweepCloses = 1024 // how many are closed before a sweep does not wait for its time
)

// A sweeper drops connections that have been closed and cost too much.
type sweeper struct {
	stack   *Stack
	hurry   chan struct{}                    // holds a token when many have been closed
	sending map[*protocol.Endpoint]time.Time // and since when
}

func newSweeper(s *Stack) *sweeper { return &sweeper{stack: s, hurry: make(chan struct{}, 1)} }

// closed counts a connection.
func (w *sweeper) closed() {
	if w.stack.closes.Add(1)%uint64(min(sweepCloses, w.stack.bounds.timeWait)) != 0 {
		return
	}
	select {
	case w.hurry <- struct{}{}:
	default:
	}
}

// run sweeps until ctx ends.
func (w *sweeper) run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-w.hurry:
		}
		w.sweep(time.Now(), w.stack.bounds.timeWait, w.stack.bounds.orphans)
	}
}

// sweep leaves so many connections in TIME-WAIT and with something to send.
func (w *sweeper) sweep(now time.Time, waiting, orphans int) {
	sending := make(map[*protocol.Endpoint]time.Time)
	for _, e := range w.stack.net.RegisteredEndpoints() {
		ep, ok := e.(*protocol.Endpoint)
		if !ok {
			continue
		}
		switch ep.EndpointState() {
		case protocol.StateTimeWait:
			if waiting--; waiting < 0 {
				ep.Abort()
			}
		case protocol.StateFinWait1, protocol.StateClosing, protocol.StateLastAck:
			since, known := w.sending[ep]
			if !known {
				since = now
			}
			age := now.Sub(since)
			if age >= sweepEvery {
				orphans--
			}
			if age >= orphanTime || orphans < 0 {
				ep.Abort()
				continue
			}
			sending[ep] = since
		}
	}
	w.sending = sending
}
