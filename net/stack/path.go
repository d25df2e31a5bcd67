package stack

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// A router's word that a path carries less than this is not heard: netstack would believe
// it down to single bytes, from anybody who can name a connection's ports.
const (
	leastPath4 = 552                   // bytes, as in Linux (net.ipv4.route.min_pmtu)
	leastPath6 = header.IPv6MinimumMTU // RFC 8201 §4
)

// believable reports whether a frame does not have the path to somebody shrunk to nothing.
func believable(frame []byte) bool {
	packet := frame[header.EthernetMinimumSize:]
	switch header.Ethernet(frame).Type() {
	case header.IPv4ProtocolNumber:
		ip := header.IPv4(packet)
		if !ip.IsValid(len(packet)) || ip.TransportProtocol() != header.ICMPv4ProtocolNumber || ip.FragmentOffset() != 0 {
			return true
		}
		icmp := header.ICMPv4(ip.Payload())
		return len(icmp) < header.ICMPv4MinimumSize || icmp.Type() != header.ICMPv4DstUnreachable ||
			icmp.Code() != header.ICMPv4FragmentationNeeded || icmp.MTU() >= leastPath4
	case header.IPv6ProtocolNumber:
		ip := header.IPv6(packet)
		return !ip.IsValid(len(packet)) || believable6(tcpip.TransportProtocolNumber(ip.NextHeader()), ip.Payload())
	}
	return true
}

// believable6 reports that of a header of IPv6 and what follows it.
func believable6(next tcpip.TransportProtocolNumber, b []byte) bool {
	for {
		switch header.IPv6ExtensionHeaderIdentifier(next) {
		case header.IPv6HopByHopOptionsExtHdrIdentifier, header.IPv6RoutingExtHdrIdentifier, header.IPv6DestinationOptionsExtHdrIdentifier:
			if len(b) < 8 || len(b) < 8*(int(b[1])+1) {
				return true // netstack drops it
			}
			next, b = tcpip.TransportProtocolNumber(b[0]), b[8*(int(b[1])+1):]
			continue
		case header.IPv6FragmentExtHdrIdentifier:
			return len(b) < 8 || believableFragment(b)
		}
		icmp := header.ICMPv6(b)
		return next != header.ICMPv6ProtocolNumber || len(icmp) < header.ICMPv6MinimumSize ||
			icmp.Type() != header.ICMPv6PacketTooBig || icmp.MTU() >= leastPath6
	}
}

// believableFragment reports that of a fragment's header and what follows it. One with
// more headers in it, which might hide in the next fragment what they lead to, is not (RFC 7112 §5).
func believableFragment(b []byte) bool {
	next := tcpip.TransportProtocolNumber(b[0])
	switch next {
	case header.TCPProtocolNumber, header.UDPProtocolNumber:
		return true
	case header.ICMPv6ProtocolNumber:
		first := binary.BigEndian.Uint16(b[2:])>>3 == 0
		return !first || believable6(next, b[8:])
	}
	return false
}
