package host

import (
	"context"
	"net"
	"net/netip"

	"cairn/libos"
	"cairn/net/dial"
	"cairn/net/dns"
)

// named is the host's network with name servers of its own.
type named struct {
	system
	names *dns.Resolver
	happy dial.Dialer
}

func newNamed(s system, servers []netip.AddrPort) *named {
	n := &named{system: s}
	n.names = dns.New(dns.Options{Servers: func() []netip.AddrPort { return servers }, Dial: n.connect})
	n.happy = dial.Dialer{Resolver: n.names, Connect: n.connect}
	return n
}

func (n *named) connect(ctx context.Context, network string, address netip.AddrPort) (net.Conn, error) {
	return n.dialer.DialContext(ctx, network, address.String())
}

func (n *named) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return n.happy.Dial(ctx, network, address)
}

func (n *named) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	address, err := n.resolve(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return n.system.Listen(ctx, network, address)
}

func (n *named) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	address, err := n.resolve(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return n.system.ListenPacket(ctx, network, address)
}

// resolve puts an address in the place of a name to listen on, its first one.
func (n *named) resolve(ctx context.Context, network, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return address, nil // which the system understands, or explains
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return address, nil
	}
	lookup := "ip4"
	if len(network) > 0 && network[len(network)-1] == '6' {
		lookup = "ip6"
	}
	found, err := n.names.LookupNetIP(ctx, lookup, host)
	if err != nil {
		return "", &net.OpError{Op: "listen", Net: network, Err: err}
	}
	return net.JoinHostPort(found[0].String(), port), nil
}

func (n *named) Resolver() libos.Resolver { return n.names }
