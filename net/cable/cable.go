// Package cable is Ethernet in memory, for tests: a cable between two network
// cards, or a switch with several ports, that loses, delays, doubles and reorders
// frames as a seed says, and remembers what went over it.
//
//	a, b := cable.New(cable.Options{Seed: 7, Loss: 0.01, Delay: 10 * time.Millisecond})
//	libostest.KeepPcap(t, a) // leaves a capture behind when the test fails
//
// What befalls the nth frame that a port sends is decided by the seed, the
// port and n alone, so a failure comes back with its seed as far as the senders
// send the same frames in the same order.
//
// # Where frames wait and where they are lost
//
// A frame that is sent is on the wire until its time has come: Rate, Delay,
// Jitter. A wire that holds Queue bytes makes the sender wait, as a card with a full
// ring does, and drains by the clock, whatever the receiver does. At its
// port the frame waits for Receive; when Queue bytes wait there, newer ones are
// dropped. So two stations that both send and do not receive never wait for each other.
//
// # Caveats
//
// The clock is Go's: a delay below a millisecond may take a millisecond. A bubble
// of testing/synctest makes delays exact.
package cable

import (
	"net"
	"sync"
	"time"
)

// Options say how a cable or switch behaves. The zero value is a perfect one.
type Options struct {
	Seed uint64 // decides what befalls each frame

	// Probabilities between 0 and 1, for each frame.
	Loss      float64 // it never arrives
	Duplicate float64 // it arrives twice
	Reorder   float64 // it is held back for another Delay and Jitter, at least 1 ms, and may be overtaken

	Delay  time.Duration // what every frame takes, one way
	Jitter time.Duration // what it takes longer at most; frames keep their order

	Rate  int64 // bytes per second that a port can send; 0: no limit
	Queue int   // bytes that wait in one place; 0: 16 MiB
	MTU   int   // largest payload of a frame in bytes; 0: 1500

	// Offload tells for each port whether it takes and gives unfinished
	// frames; those for a port without it are cut and completed on the way.
	Offload []bool

	Record int // bytes of the newest frames that Pcap writes; 0: 4 MiB
}

// A Switch connects its ports. It learns which address is behind which port
// and sends a frame to all others when it does not know.
type Switch struct {
	opts  Options
	ports []*Port
	log   record

	mu      sync.Mutex
	learned map[[6]byte]*Port
}

// maxLearned bounds a switch's table of addresses; a full one starts afresh.
const maxLearned = 4096

// New returns the two ends of a cable.
func New(o Options) (a, b *Port) {
	s := NewSwitch(2, o)
	return s.ports[0], s.ports[1]
}

// NewSwitch returns a switch with n ports.
func NewSwitch(n int, o Options) *Switch {
	if o.Queue == 0 {
		o.Queue = 16 << 20
	}
	if o.MTU == 0 {
		o.MTU = 1500
	}
	if o.Record == 0 {
		o.Record = 4 << 20
	}
	s := &Switch{opts: o, learned: map[[6]byte]*Port{}}
	s.log.limit = o.Record
	for i := range n {
		s.ports = append(s.ports, newPort(s, i))
	}
	return s
}

// Port returns the ith port, from 0.
func (s *Switch) Port(i int) *Port { return s.ports[i] }

// forward hands a frame that came in at from to the ports it is for.
func (s *Switch) forward(from *Port, f frame) {
	if to := s.route(from, f); to != nil {
		if to != from {
			to.arrive(f)
		}
		return
	}
	for _, p := range s.ports {
		if p != from {
			p.arrive(f)
		}
	}
}

// route learns where a frame's sender is and returns the port behind which its
// receiver is, or nil when it is for all or not known. A cable sees no addresses.
func (s *Switch) route(from *Port, f frame) *Port {
	if len(s.ports) == 2 {
		return s.ports[1-from.index]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if src := [6]byte(f.data[6:12]); !group(src) {
		if len(s.learned) >= maxLearned {
			clear(s.learned)
		}
		s.learned[src] = from
	}
	if dst := [6]byte(f.data[:6]); !group(dst) {
		return s.learned[dst]
	}
	return nil
}

// group reports whether an address is for many: broadcast or multicast.
func group(mac [6]byte) bool { return mac[0]&1 != 0 }

// address returns the address of the ith port, of the locally administered kind.
func address(i int) net.HardwareAddr {
	return net.HardwareAddr{0x02, 0xca, 0x12, 0, byte(i >> 8), byte(i)}
}
