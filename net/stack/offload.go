package stack

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"cairn/libos"
)

// GSOMaxSize is the size of the largest IP packet that netstack hands down.
func (c *card) GSOMaxSize() uint32 { return maxPacket }

// maxPacket leaves the length field of IPv4 one to spare.
const maxPacket = 65534

// SupportedGSO says who cuts large segments: the link, or else netstack as late as
// it can.
func (c *card) SupportedGSO() stack.SupportedGSO {
	if c.offload {
		return stack.HostGSOSupported
	}
	return stack.GVisorGSOSupported
}

// unfinished says what the link is to do about a packet.
func unfinished(pkt *stack.PacketBuffer) (h libos.FrameHeader) {
	gso := &pkt.GSOOptions
	if !gso.NeedsCsum {
		return h
	}
	h.Flags = libos.NeedsChecksum
	h.SumStart = header.EthernetMinimumSize + gso.L3HdrLen
	h.SumOffset = gso.CsumOffset
	if pkt.Data().Size() <= int(gso.MSS) {
		return h
	}
	h.HeaderLen = uint16(pkt.HeaderSize())
	h.SegmentLen = gso.MSS
	switch gso.Type {
	case stack.GSOTCPv4:
		h.Segment = libos.SegmentTCP4
	case stack.GSOTCPv6:
		h.Segment = libos.SegmentTCP6
	}
	return h
}

// trusted reports whether a frame's checksum is seen to: it never was on a wire, or the
// card has verified it.
func trusted(h libos.FrameHeader) bool {
	return h.Flags&(libos.NeedsChecksum|libos.DataValid) != 0
}

// intact verifies the checksums of an IPv4 header and of a TCP segment or UDP
// datagram. What it cannot verify, such as a fragment, passes.
func intact(frame []byte) bool {
	packet := frame[header.EthernetMinimumSize:]
	switch header.Ethernet(frame).Type() {
	case header.IPv4ProtocolNumber:
		ip := header.IPv4(packet)
		if !ip.IsValid(len(packet)) {
			return true // netstack drops it
		}
		if !ip.IsChecksumValid() {
			return false
		}
		if ip.More() || ip.FragmentOffset() != 0 {
			return true
		}
		return intactTransport(ip.Protocol(), ip.Payload(), ip.SourceAddress(), ip.DestinationAddress())
	case header.IPv6ProtocolNumber:
		ip := header.IPv6(packet)
		if !ip.IsValid(len(packet)) {
			return true
		}
		return intactTransport(ip.NextHeader(), ip.Payload(), ip.SourceAddress(), ip.DestinationAddress())
	}
	return true
}

func intactTransport(protocol uint8, b []byte, from, to tcpip.Address) bool {
	number := tcpip.TransportProtocolNumber(protocol)
	switch {
	case number == header.TCPProtocolNumber:
	case number == header.UDPProtocolNumber && len(b) >= header.UDPMinimumSize:
		if header.UDP(b).Checksum() == 0 {
			return true // not given; IPv6 refuses it further up
		}
	default:
		return true
	}
	return checksum.Checksum(b, header.PseudoHeaderChecksum(number, from, to, uint16(len(b)))) == 0xffff
}
