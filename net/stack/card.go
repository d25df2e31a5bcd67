package stack

import (
	"errors"
	"hash/maphash"
	"net"
	"sync"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"cairn/libos"
)

// A card is a libos.Link as netstack sees it.
type card struct {
	link    libos.Link
	mac     tcpip.LinkAddress
	offload bool
	whole   bool // fragments are passed over
	only4   bool // packets of IPv6 are passed over

	// divert sees every IPv4 packet of UDP to the DHCP client's port, and keeps it
	// for itself when it returns true.
	divert func(payload []byte) bool
	failed func(error) // is told why the link cannot be used any more

	mu       sync.RWMutex
	up       stack.NetworkDispatcher
	mtu      uint32
	receiver sync.WaitGroup

	parts sync.Pool // of *[][]byte
	acks  acks
}

var (
	_ stack.LinkEndpoint = (*card)(nil)
	_ stack.GSOEndpoint  = (*card)(nil)
)

func newCard(l libos.Link) *card {
	c := &card{
		link:    l,
		mac:     tcpip.LinkAddress(l.MAC()),
		mtu:     uint32(l.MTU()),
		offload: l.Offload(),
	}
	c.parts.New = func() any { return new([][]byte) }
	c.acks.seed, c.acks.send = maphash.MakeSeed(), c.send
	return c
}

// Attach starts receiving. netstack calls it with nil when it is being closed; receiving
// ends when the link is closed.
func (c *card) Attach(up stack.NetworkDispatcher) {
	c.mu.Lock()
	defer c.mu.Unlock()
	started := c.up != nil
	c.up = up
	if up != nil && !started {
		c.receiver.Go(c.receive)
	}
}

func (c *card) IsAttached() bool { return c.dispatcher() != nil }

func (c *card) dispatcher() stack.NetworkDispatcher {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.up
}

// Wait waits until receiving has ended.
func (c *card) Wait() { c.receiver.Wait() }

// receive hands frames up until the link is closed or fails.
func (c *card) receive() {
	var in inbox
	for {
		n, h, err := c.link.Receive(in.space())
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				c.failed(err)
			}
			return
		}
		if up := c.dispatcher(); up != nil && c.accepts(in.space()[:n], h) {
			deliver(up, in.take(n))
		}
	}
}

// accepts reports whether a frame is for netstack, whole, and to be believed.
func (c *card) accepts(frame []byte, h libos.FrameHeader) bool {
	return len(frame) >= header.EthernetMinimumSize && c.wanted(frame) && !(c.whole && fragment(frame)) && !c.diverted(frame) && (!c.offload || trusted(h) || intact(frame)) && believable(frame)
}

// deliver hands up a frame.
func deliver(up stack.NetworkDispatcher, frame buffer.Buffer) {
	pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: frame})
	defer pkt.DecRef()
	eth, _ := pkt.LinkHeader().Consume(header.EthernetMinimumSize)
	up.DeliverNetworkPacket(header.Ethernet(eth).Type(), pkt)
}

// wanted reports whether a frame is for this card, or for many.
func (c *card) wanted(frame []byte) bool {
	if c.only4 && header.Ethernet(frame).Type() == header.IPv6ProtocolNumber {
		return false
	}
	return frame[0]&1 != 0 || string(frame[:header.EthernetAddressSize]) == string(c.mac)
}

func (c *card) diverted(frame []byte) bool {
	if c.divert == nil {
		return false
	}
	payload, ok := forDHCP(frame)
	return ok && c.divert(payload)
}

// WritePackets sends. It returns how many frames the link took.
func (c *card) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	for i, pkt := range list.AsSlice() {
		if !c.acks.pass(pkt) {
			continue
		}
		err := c.send(pkt)
		switch {
		case err == nil:
		case errors.Is(err, net.ErrClosed):
			return i, &tcpip.ErrClosedForSend{}
		default:
			return i, &tcpip.ErrNoBufferSpace{}
		}
	}
	return list.Len(), nil
}

// send gives a frame to the link.
func (c *card) send(pkt *stack.PacketBuffer) error {
	parts := c.parts.Get().(*[][]byte)
	*parts = appendParts((*parts)[:0], pkt)
	err := c.link.Send(unfinished(pkt), *parts...)
	clear(*parts)
	c.parts.Put(parts)
	return err
}

// appendParts appends the pieces that a packet lies in.
func appendParts(parts [][]byte, pkt *stack.PacketBuffer) [][]byte {
	views, offset := pkt.AsViewList()
	for v := views.Front(); v != nil; v = v.Next() {
		b := v.AsSlice()
		if offset >= len(b) {
			offset -= len(b)
			continue
		}
		parts = append(parts, b[offset:])
		offset = 0
	}
	return parts
}

// AddHeader puts the Ethernet header before a packet.
func (c *card) AddHeader(pkt *stack.PacketBuffer) {
	header.Ethernet(pkt.LinkHeader().Push(header.EthernetMinimumSize)).Encode(&header.EthernetFields{
		SrcAddr: pkt.EgressRoute.LocalLinkAddress,
		DstAddr: pkt.EgressRoute.RemoteLinkAddress,
		Type:    pkt.NetworkProtocolNumber,
	})
}

func (c *card) ParseHeader(pkt *stack.PacketBuffer) bool {
	_, ok := pkt.LinkHeader().Consume(header.EthernetMinimumSize)
	return ok
}

func (c *card) MTU() uint32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.mtu
}

func (c *card) SetMTU(mtu uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mtu = mtu
}

// Capabilities says that checksums of what comes in have been seen to: by the link or by
// deliver. Those of what goes out are left to the link in TCP segments that
// netstack hands down as such, and only in those, so there is no
// CapabilityTXChecksumOffload.
func (c *card) Capabilities() stack.LinkEndpointCapabilities {
	caps := stack.CapabilityResolutionRequired
	if c.offload {
		caps |= stack.CapabilityRXChecksumOffload
	}
	return caps
}

func (c *card) MaxHeaderLength() uint16                 { return header.EthernetMinimumSize }
func (c *card) LinkAddress() tcpip.LinkAddress          { return c.mac }
func (c *card) SetLinkAddress(tcpip.LinkAddress)        {}
func (c *card) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareEther }
func (c *card) SetOnCloseAction(func())                 {}

// Close does nothing: who opened the link closes it, through Stack.Close.
func (c *card) Close() {}
