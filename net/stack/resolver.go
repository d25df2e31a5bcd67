package stack

import (
	"context"
	"net"
	"net/netip"

	"cairn/libos"
	"cairn/net/dns"
)

// newResolver returns the one that is given, or else one that asks the name servers.
func (s *Stack) newResolver(o Options) libos.Resolver {
	if o.Resolver != nil {
		return o.Resolver
	}
	return dns.New(dns.Options{
		Servers: s.config.servers,
		Dial: func(ctx context.Context, network string, server netip.AddrPort) (net.Conn, error) {
			return s.connect(ctx, network, server)
		},
	})
}
