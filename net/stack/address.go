package stack

import (
	"net"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// zone is that of the link's link-local addresses: the card's number, in text.
const zone = "1"

func toAddress(a netip.Addr) tcpip.Address {
	if a = a.Unmap(); a.Is4() {
		return tcpip.AddrFrom4(a.As4())
	}
	return tcpip.AddrFrom16(a.As16())
}

func fromAddress(a tcpip.Address) netip.Addr {
	addr, _ := netip.AddrFromSlice(a.AsSlice())
	return addr.Unmap()
}

func toPrefix(p netip.Prefix) tcpip.AddressWithPrefix {
	return tcpip.AddressWithPrefix{Address: toAddress(p.Addr()), PrefixLen: p.Bits()}
}

// toFull converts the address of a peer. A link-local one is on the card, whatever its zone.
func toFull(a netip.AddrPort) tcpip.FullAddress {
	full := tcpip.FullAddress{Addr: toAddress(a.Addr()), Port: a.Port()}
	if needsCard(a.Addr()) {
		full.NIC = cardID
	}
	return full
}

func needsCard(a netip.Addr) bool {
	return a.Is6() && (a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast())
}

func protocolOf(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Unmap().Is4() {
		return header.IPv4ProtocolNumber
	}
	return header.IPv6ProtocolNumber
}

// fromFull returns an address in package net's form. An address that is not set is
// the family's unspecified one.
func fromFull(full tcpip.FullAddress, family tcpip.NetworkProtocolNumber) netip.AddrPort {
	a := fromAddress(full.Addr)
	switch {
	case !a.IsValid() && family == header.IPv4ProtocolNumber:
		a = netip.IPv4Unspecified()
	case !a.IsValid():
		a = netip.IPv6Unspecified()
	case needsCard(a):
		a = a.WithZone(zone)
	}
	return netip.AddrPortFrom(a, full.Port)
}

func tcpAddr(a netip.AddrPort) *net.TCPAddr { return net.TCPAddrFromAddrPort(a) }
func udpAddr(a netip.AddrPort) *net.UDPAddr { return net.UDPAddrFromAddrPort(a) }
