package stack

import (
	"context"
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"cairn/net/dhcp"
)

// DHCP has to work before there is an address. So what it broadcasts is made here and put
// on the link as it is, and what comes for its port is taken off the link before netstack
// sees it.

const (
	clientPort = 68
	serverPort = 67

	waitingMessages = 8 // of DHCP; more are dropped
)

var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// newClient returns a DHCP client on the card, nil if there is to be none.
func (s *Stack) newClient(o Options) *dhcp.Client {
	if !o.DHCP {
		return nil
	}
	messages := make(chan []byte, waitingMessages)
	s.card.divert = func(payload []byte) bool {
		select {
		case messages <- append([]byte(nil), payload...):
		default:
		}
		return true
	}
	client := &dhcp.Client{
		MAC:      s.card.link.MAC(),
		Hostname: o.Hostname,
		Send:     s.sendDHCP,
		Messages: messages,
		Apply:    s.config.apply,
		Random:   o.Random,
		Log:      o.Log,
	}
	if !o.NoProbes {
		client.Taken = s.taken
	}
	return client
}

// sendDHCP sends to everybody by hand, and to one server as any datagram.
func (s *Stack) sendDHCP(from, to netip.Addr, message []byte) error {
	if to == everybody {
		view := buffer.NewViewWithData(datagram(from, to, message))
		err := s.net.WritePacketToRemote(cardID, header.EthernetBroadcastAddress, header.IPv4ProtocolNumber, buffer.MakeWithView(view))
		if err != nil {
			return callError("send", err)
		}
		return nil
	}
	c, err := s.packetConn(netip.AddrPortFrom(from, clientPort), netip.AddrPortFrom(to, serverPort), false)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write(message)
	return err
}

// datagram returns an IPv4 packet from port 68 to port 67.
func datagram(from, to netip.Addr, payload []byte) []byte {
	b := make([]byte, header.IPv4MinimumSize+header.UDPMinimumSize+len(payload))
	ip := header.IPv4(b)
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b)),
		TTL:         64,
		Protocol:    uint8(header.UDPProtocolNumber),
		SrcAddr:     toAddress(from),
		DstAddr:     toAddress(to),
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	udp := header.UDP(b[header.IPv4MinimumSize:])
	udp.Encode(&header.UDPFields{SrcPort: clientPort, DstPort: serverPort, Length: uint16(len(udp))})
	copy(udp.Payload(), payload)
	sum := header.PseudoHeaderChecksum(header.UDPProtocolNumber, toAddress(from), toAddress(to), uint16(len(udp)))
	udp.SetChecksum(^checksum.Checksum(udp, sum))
	return b
}

// forDHCP returns what a frame carries to the DHCP client's port. Checksums are the
// client's own: a transaction number and an address that have to match.
func forDHCP(frame []byte) ([]byte, bool) {
	if header.Ethernet(frame).Type() != header.IPv4ProtocolNumber {
		return nil, false
	}
	ip := header.IPv4(frame[header.EthernetMinimumSize:])
	if !ip.IsValid(len(ip)) || ip.Protocol() != uint8(header.UDPProtocolNumber) || ip.More() || ip.FragmentOffset() != 0 {
		return nil, false
	}
	udp := ip.Payload()
	if len(udp) < header.UDPMinimumSize || binary.BigEndian.Uint16(udp) != serverPort || binary.BigEndian.Uint16(udp[2:]) != clientPort {
		return nil, false
	}
	size := int(binary.BigEndian.Uint16(udp[4:]))
	if size < header.UDPMinimumSize || size > len(udp) {
		return nil, false
	}
	return udp[header.UDPMinimumSize:size], true
}

// taken asks the link whether somebody has an address (RFC 5227).
func (s *Stack) taken(ctx context.Context, a netip.Addr) bool {
	result := make(chan bool, 1)
	how, err := s.net.CheckDuplicateAddress(cardID, header.IPv4ProtocolNumber, toAddress(a), func(r stack.DADResult) {
		_, duplicate := r.(*stack.DADDupAddrDetected)
		result <- duplicate
	})
	if err != nil || how == stack.DADDisabled { // then nobody will call back
		return false
	}
	select {
	case is := <-result:
		return is
	case <-ctx.Done():
		return false
	}
}

// apply takes a lease into use in place of the one before.
func (c *config) apply(l dhcp.Lease) {
	c.mu.Lock()
	before := c.lease
	c.lease = l
	c.mu.Unlock()
	c.reroute() // before somebody waits for the address, and dials
	if before.Addr != l.Addr {
		if before.Addr.IsValid() {
			c.net.RemoveAddress(cardID, toAddress(before.Addr.Addr()))
		}
		if l.Addr.IsValid() {
			if err := c.add(l.Addr, leased); err != nil {
				c.log.Error("the leased address cannot be used", "error", err)
			}
		}
	}
	if now := c.net.NICInfo()[cardID].MTU; now != c.mtu(l) {
		c.net.SetNICMTU(cardID, c.mtu(l))
	}
}

// mtu is that of the card under a lease: no larger than the link's. What IPv6 cannot live
// with (RFC 8200 §5) is not taken from a server of IPv4.
func (c *config) mtu(l dhcp.Lease) uint32 {
	if l.MTU < header.IPv6MinimumMTU {
		return c.linkMTU
	}
	return min(uint32(l.MTU), c.linkMTU)
}
