package stack

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	protocol "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// A connection outlives its Close: it sends what is left, and is remembered for a
// minute where it was closed first (TIME-WAIT, RFC 9293 §3.6.1). Nobody counts such
// connections but here.
const (
	// orphanTimeout is for how long a closed connection may get no further: a peer that
	// takes nothing would keep what is left in memory for ever.
	orphanTimeout = 2 * time.Minute

	maxTimeWait = 8192 // remembered connections, of 8 KB each
	checkEvery  = 1024 // how many are closed before those are counted again
)

// closing prepares an endpoint for being closed by its user.
func (s *Stack) closing(ep tcpip.Endpoint) {
	patience := tcpip.TCPUserTimeoutOption(orphanTimeout)
	ep.SetSockOpt(&patience)
	if s.closes.Add(1)%checkEvery == 0 {
		s.forget(maxTimeWait)
	}
}

// forget leaves at most so many connections in TIME-WAIT.
func (s *Stack) forget(most int) {
	for _, e := range s.net.RegisteredEndpoints() {
		ep, ok := e.(*protocol.Endpoint)
		if !ok || ep.EndpointState() != protocol.StateTimeWait {
			continue
		}
		if most--; most < 0 {
			ep.Abort()
		}
	}
}

// Sizes of the buffers of a connection, in bytes. They begin small, as most connections carry
// little and any may be left unread by a peer, and grow with what is carried.
const (
	leastBuffer = 4 << 10
	firstBuffer = 256 << 10
	mostBuffer  = 4 << 20
)

func (s *Stack) boundBuffers() {
	send := tcpip.TCPSendBufferSizeRangeOption{Min: leastBuffer, Default: firstBuffer, Max: mostBuffer}
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: leastBuffer, Default: firstBuffer, Max: mostBuffer}
	s.net.SetTransportProtocolOption(protocol.ProtocolNumber, &send)
	s.net.SetTransportProtocolOption(protocol.ProtocolNumber, &receive)
}
