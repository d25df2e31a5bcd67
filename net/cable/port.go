package cable

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"cairn/libos"
)

// ethernet is the length of an Ethernet header, vlan that of a tag, in bytes.
const (
	ethernet = 14
	vlan     = 4
)

// A frame is on its way. Its bytes are shared between those who hold it and
// never change.
type frame struct {
	head libos.FrameHeader
	data []byte
}

// cost is what a frame counts for in a queue, in bytes.
func (f frame) cost() int { return len(f.data) + 64 }

// A Port is a network card whose wire leads into a switch, or one end of a
// cable. It is a libos.Link.
type Port struct {
	sw      *Switch
	index   int
	offload bool
	cut     atomic.Bool
	wire    *wire

	mu      sync.Mutex
	arrived sync.Cond // signalled when queue or closed changes
	queue   []frame
	bytes   int // cost of queue
	closed  bool
}

var _ libos.Link = (*Port)(nil)

func newPort(s *Switch, i int) *Port {
	p := &Port{sw: s, index: i, offload: i < len(s.opts.Offload) && s.opts.Offload[i]}
	p.arrived.L = &p.mu
	p.wire = newWire(p)
	return p
}

// MAC returns an address of the port's own.
func (p *Port) MAC() net.HardwareAddr { return address(p.index) }

// MTU returns Options.MTU.
func (p *Port) MTU() int { return p.sw.opts.MTU }

// Offload returns what Options.Offload says of this port.
func (p *Port) Offload() bool { return p.offload }

// Cut pulls the plug: what is sent, and what would arrive from now on, is lost.
func (p *Port) Cut() { p.cut.Store(true) }

// Restore puts the plug back.
func (p *Port) Restore() { p.cut.Store(false) }

// Seed returns Options.Seed.
func (p *Port) Seed() uint64 { return p.sw.opts.Seed }

// Pcap writes what all ports have sent; see Switch.Pcap.
func (p *Port) Pcap(w io.Writer) error { return p.sw.Pcap(w) }

// Send puts a frame on the wire.
func (p *Port) Send(h libos.FrameHeader, parts ...[]byte) error {
	size := 0
	for _, b := range parts {
		size += len(b)
	}
	if err := p.check(h, size); err != nil {
		return fmt.Errorf("send on port %d: %w", p.index, err)
	}
	f := frame{h, make([]byte, 0, size)}
	for _, b := range parts {
		f.data = append(f.data, b...)
	}
	return p.wire.send(f)
}

// check says what is wrong with a frame of so many bytes.
func (p *Port) check(h libos.FrameHeader, size int) error {
	limit := ethernet + vlan + p.MTU()
	if h.Segment != libos.SegmentNone {
		limit = libos.MaxFrame
	}
	switch {
	case !p.offload && h != (libos.FrameHeader{}):
		return fmt.Errorf("an unfinished frame (%+v), and the port has no offload", h)
	case size < ethernet:
		return fmt.Errorf("a frame of %d bytes is shorter than its header", size)
	case size > limit:
		return fmt.Errorf("a frame of %d bytes is larger than %d", size, limit)
	}
	return nil
}

// Receive waits for a frame.
func (p *Port) Receive(buf []byte) (int, libos.FrameHeader, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) == 0 && !p.closed {
		p.arrived.Wait()
	}
	if p.closed {
		return 0, libos.FrameHeader{}, net.ErrClosed
	}
	f := p.queue[0]
	p.queue[0] = frame{}
	p.queue = p.queue[1:]
	p.bytes -= f.cost()
	return copy(buf, f.data), f.head, nil
}

// Close ends a Receive and every Send. What is on the wire still arrives at others.
func (p *Port) Close() error {
	p.wire.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.queue, p.bytes = nil, 0
	p.arrived.Broadcast()
	return nil
}

// arrive takes a frame off a wire. A port without offload gets it finished.
func (p *Port) arrive(f frame) {
	if p.cut.Load() {
		return
	}
	if p.offload || f.head == (libos.FrameHeader{}) {
		p.enqueue(f)
		return
	}
	for _, data := range finish(f) {
		if len(data) > ethernet+vlan+p.MTU() {
			p.sw.log.add(p.index, f, "dropped: it was to be cut into larger frames than the MTU allows")
			return
		}
		p.enqueue(frame{data: data})
	}
}

func (p *Port) enqueue(f frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	if p.bytes+f.cost() > p.sw.opts.Queue {
		p.sw.log.add(p.index, f, "dropped: too much waits at this port")
		return
	}
	p.queue = append(p.queue, f)
	p.bytes += f.cost()
	p.arrived.Signal()
}
