package libos

import "net"

// A Link is a network card that carries Ethernet frames. Receive is called from
// one goroutine, Send from several.
type Link interface {
	// MAC is the card's address.
	MAC() net.HardwareAddr
	// MTU is the largest payload of a frame on the wire, in bytes, without the
	// Ethernet header.
	MTU() int
	// Offload reports whether the card cuts large TCP segments and completes
	// checksums: Send then takes frames up to MaxFrame whose header says what
	// is left to do, and Receive gives such frames. Without it headers are zero and
	// frames fit the MTU.
	Offload() bool
	// Receive waits for a frame and puts it into buf, which holds MaxFrame bytes.
	// After Close it returns net.ErrClosed.
	Receive(buf []byte) (n int, h FrameHeader, err error)
	// Send puts one frame, given in parts, on the wire. It does not keep them. A
	// card whose queue is full waits; one that is closed returns net.ErrClosed.
	Send(h FrameHeader, parts ...[]byte) error
	// Close ends a Receive and every Send.
	Close() error
}

// MaxFrame is the largest frame in bytes, its Ethernet header included.
const MaxFrame = 1 << 16

// A FrameHeader says what is unfinished about a frame. It has the meaning and
// the values of virtio's virtio_net_hdr (virtio 1.2, 5.1.6).
type FrameHeader struct {
	Flags      uint8  // NeedsChecksum, DataValid
	Segment    uint8  // SegmentNone, SegmentTCP4, SegmentTCP6, maybe SegmentECN
	HeaderLen  uint16 // bytes of Ethernet, IP and TCP header
	SegmentLen uint16 // bytes of TCP payload of each segment
	SumStart   uint16 // where the checksummed bytes begin
	SumOffset  uint16 // where, from there, the checksum goes
}

// Values of FrameHeader.
const (
	NeedsChecksum = 1 // Flags: the checksum holds only the pseudo-header's sum
	DataValid     = 2 // Flags: the checksum has been verified

	SegmentNone = 0
	SegmentTCP4 = 1
	SegmentTCP6 = 4
	SegmentECN  = 0x80
)
