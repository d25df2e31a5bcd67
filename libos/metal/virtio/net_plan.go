package virtio

import (
	"errors"
	"fmt"

	"cairn/libos"
)

// Features of a network card (virtio 1.2, 5.1.3).
const (
	netChecksum      = 1 << 0 // it completes checksums of what is sent
	netGuestChecksum = 1 << 1 // it may hand over frames with incomplete checksums
	netMTU           = 1 << 3 // its configuration has an MTU
	netMAC           = 1 << 5 // … and an address
	netGuestSegment4 = 1 << 7 // it may hand over several segments of TCP as one
	netGuestSegment6 = 1 << 8
	netGuestECN      = 1 << 9
	netHostSegment4  = 1 << 11 // it cuts
	netHostSegment6  = 1 << 12
	netHostECN       = 1 << 13
	netMergeable     = 1 << 15 // a frame may come in several buffers
	netStatus        = 1 << 16 // it says whether the cable is in

	netAlways   = EventIndex | Version1 | AnyLayout | netMAC | netMTU | netStatus | netMergeable
	netCuts     = netChecksum | netHostSegment4 | netHostSegment6
	netSegments = netGuestSegment4 | netGuestSegment6
)

// Sizes in bytes.
const (
	netHeader       = 12 // before each frame
	netLegacyHeader = 10 // the same, without the number of buffers

	frameOverhead = 18 // Ethernet's header, and a tag of a VLAN
	largestMTU    = libos.MaxFrame - frameOverhead

	// A card may hand over frames of 65589 bytes (virtio 1.2, 5.1.6.3), where a buffer holds
	// a whole frame.
	largeBuffer = (netHeader + 65589 + 63) / 64 * 64
	pageBuffer  = 4096

	// What a card needs at least to work well.
	fewestBuffers = 4
	fewestLarge   = 3
	sendSpace     = libos.MaxFrame + 4096
)

// A netPlan is what is agreed on with a card, and how its memory is divided.
type netPlan struct {
	features uint64
	offload  bool
	header   int // bytes before each frame
	frame    int // the largest frame that need not be cut

	buffers, bufferSize int // for what comes in
	space               int // bytes for what goes out
}

// planNet chooses among what a card offers.
func planNet(offers uint64, legacy bool, mtu, memory, queue int) (p netPlan, err error) {
	switch {
	case mtu < 68 || mtu > largestMTU:
		return p, fmt.Errorf("an MTU of %d is not possible", mtu)
	case legacy && offers&AnyLayout == 0:
		return p, errors.New("it wants headers in buffers of their own, as devices did before virtio 1.0: not supported")
	case !legacy && offers&Version1 == 0:
		return p, errors.New("it offers neither virtio 1.0 nor what was before it")
	}
	p.features = offers & netAlways
	p.frame = mtu + frameOverhead
	p.header = netHeader
	if legacy && p.features&netMergeable == 0 {
		p.header = netLegacyHeader
	}
	p.sending(offers, memory/2)
	p.receiving(offers, memory/2, min(queue, maxQueue))
	if p.buffers < fewestBuffers || p.space < roundUp(p.header+p.frame) {
		return p, fmt.Errorf("%d bytes of memory in %d buffers are too little for frames of %d bytes", memory, p.buffers, p.frame)
	}
	return p, nil
}

// sending accepts that the card cuts, if a large segment has room.
func (p *netPlan) sending(offers uint64, memory int) {
	p.space = memory &^ 63
	p.offload = offers&netCuts == netCuts && memory >= sendSpace
	if p.offload {
		p.features |= netCuts | offers&netHostECN
	}
}

// receiving accepts large segments if several have room, and divides the memory into
// buffers: frames that may lie in several get pages, or more where the queue is short.
func (p *netPlan) receiving(offers uint64, memory, queue int) {
	if p.offload && offers&netGuestChecksum != 0 {
		p.features |= netGuestChecksum
		if offers&netSegments != 0 && memory >= fewestLarge*largeBuffer {
			p.features |= offers & (netSegments | netGuestECN)
		}
	}
	switch {
	case p.features&netSegments == 0:
		p.bufferSize = roundUp(p.header + p.frame)
	case p.features&netMergeable == 0:
		p.bufferSize = largeBuffer
	default:
		p.bufferSize = min(max(pageBuffer, memory/max(queue, 1)&^63), largeBuffer)
	}
	p.buffers = min(queue, memory/p.bufferSize)
}

// cuts reports whether the card was agreed to cut, or to hand over, segments of
// that kind; host: to cut.
func (p *netPlan) cuts(kind uint8, host bool) bool {
	four, six, ecn := uint64(netGuestSegment4), uint64(netGuestSegment6), uint64(netGuestECN)
	if host {
		four, six, ecn = netHostSegment4, netHostSegment6, netHostECN
	}
	if kind&libos.SegmentECN != 0 && p.features&ecn == 0 {
		return false
	}
	switch kind &^ libos.SegmentECN {
	case libos.SegmentNone:
		return true
	case libos.SegmentTCP4:
		return p.features&four != 0
	case libos.SegmentTCP6:
		return p.features&six != 0
	}
	return false
}
