package stack

import (
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
	protocol "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// A kernel goes on sending what was written after a program has closed its
// connection, or has ended. drain does so for the connections of a stack that is being
// closed: for as long as lingering at most.
const (
	lingering  = 2 * time.Second
	drainCheck = 5 * time.Millisecond
)

// drain waits until connections that have been closed have sent all there was.
func (s *Stack) drain() {
	deadline := time.Now().Add(lingering)
	for s.sending() && time.Now().Before(deadline) {
		time.Sleep(drainCheck)
	}
}

// sending reports whether a closed connection has something to send still, or waits for
// that to be acknowledged.
func (s *Stack) sending() bool {
	for _, list := range [][]stack.TransportEndpoint{s.net.RegisteredEndpoints(), s.net.CleanupEndpoints()} {
		for _, e := range list {
			ep, ok := e.(*protocol.Endpoint)
			if !ok {
				continue
			}
			switch ep.EndpointState() {
			case protocol.StateFinWait1, protocol.StateClosing, protocol.StateLastAck:
				return true
			}
		}
	}
	return false
}
