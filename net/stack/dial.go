package stack

import (
	"context"
	"net"
	"net/netip"
	"strconv"

	"gvisor.dev/gvisor/pkg/tcpip"
	protocol "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"cairn/net/dial"
)

// Dial connects: a *Conn or *PacketConn.
func (s *Stack) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return dial.Dialer{Resolver: s.resolver, Connect: s.connect}.Dial(ctx, network, address)
}

// connect connects to one address.
func (s *Stack) connect(ctx context.Context, network string, address netip.AddrPort) (net.Conn, error) {
	var c net.Conn
	var err error
	if network[:len(udp)] == udp {
		c, err = s.ownPacketConn(netip.AddrPort{}, address, false)
	} else {
		c, err = s.connectTCP(ctx, address)
	}
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: netAddr(network[:3], address), Err: err}
	}
	return c, nil
}

func (s *Stack) connectTCP(ctx context.Context, address netip.AddrPort) (*Conn, error) {
	c := connecting{new(side)}
	c.init()
	if !s.own(c) {
		return nil, net.ErrClosed
	}
	defer s.disown(c)
	queue := new(waiter.Queue)
	ep, err := s.net.NewEndpoint(protocol.ProtocolNumber, protocolOf(address.Addr()), queue)
	if err != nil {
		return nil, callError("socket", err)
	}
	var entry waiter.Entry
	entry.Init(c, waiter.WritableEvents|waiter.EventHUp|waiter.EventErr)
	queue.EventRegister(&entry)
	defer queue.EventUnregister(&entry)

	err = ep.Connect(toFull(address))
	if _, started := err.(*tcpip.ErrConnectStarted); started {
		if err := c.await(ctx); err != nil {
			ep.Close()
			return nil, err
		}
		err = ep.LastError()
	}
	if err != nil {
		ep.Close()
		return nil, callError("connect", err)
	}
	made, err := s.newConn(ep, queue)
	if err != nil {
		ep.Close()
		return nil, callError("connect", err)
	}
	return made, nil
}

// connecting is told when a connection is made or has failed, or the stack is closed.
type connecting struct{ *side }

func (c connecting) NotifyEvent(waiter.EventMask) { c.poke() }

// Close ends await.
func (c connecting) Close() error {
	c.close()
	return nil
}

// await waits until there is something to look at. It gives net.ErrClosed after Close.
func (c connecting) await(ctx context.Context) error {
	select {
	case <-c.wake:
		return c.err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Stack) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owned == nil
}

// localAddress reads what Listen was given. dual: it is of both families.
func (s *Stack) localAddress(ctx context.Context, transport, network, address string) (at netip.AddrPort, dual bool, err error) {
	if err := ctx.Err(); err != nil {
		return at, false, err
	}
	if s.closed() {
		return at, false, net.ErrClosed
	}
	family := network[min(len(transport), len(network)):]
	if network != transport+family || family != "" && family != "4" && family != "6" {
		return at, false, net.UnknownNetworkError(network)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return at, false, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return at, false, &net.AddrError{Err: "the port is not a number up to 65535", Addr: address}
	}
	a, err := s.localHost(ctx, family, host)
	return netip.AddrPortFrom(a, uint16(port)), host == "" && family == "" || a.Is6() && a.IsUnspecified() && family == "", err
}

// localHost resolves a host of which the family is "", "4" or "6".
func (s *Stack) localHost(ctx context.Context, family, host string) (netip.Addr, error) {
	if host == "" {
		if family == "4" {
			return netip.IPv4Unspecified(), nil
		}
		return netip.IPv6Unspecified(), nil
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		list, err := s.resolver.LookupNetIP(ctx, "ip"+family, host)
		if err != nil {
			return netip.Addr{}, err
		}
		a = list[0]
	}
	a = a.Unmap()
	if family != "" && a.Is4() != (family == "4") {
		return netip.Addr{}, &net.AddrError{Err: "no address of this family", Addr: host}
	}
	return a, nil
}

// netAddr returns an address for an error, nil without one.
func netAddr(transport string, a netip.AddrPort) net.Addr {
	switch {
	case !a.IsValid():
		return nil
	case transport == tcp:
		return tcpAddr(a)
	default:
		return udpAddr(a)
	}
}
