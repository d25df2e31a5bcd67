package libos

import (
	"context"
	"net"
	"net/netip"
)

// A Net is a network that one can dial and listen on. Networks and addresses
// are written as in package net: "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6";
// "host:port", "[::1]:port", ":port". Safe for concurrent use.
//
// Errors are those of package net: *net.OpError around a syscall.Errno or
// net.ErrClosed, *net.DNSError for names; deadlines give os.ErrDeadlineExceeded.
type Net interface {
	// Dial connects. A name is resolved by the Resolver and all its addresses
	// are tried, the two families side by side (RFC 8305).
	Dial(ctx context.Context, network, address string) (net.Conn, error)
	// Listen accepts stream connections. ctx bounds the call, not the listener.
	Listen(ctx context.Context, network, address string) (net.Listener, error)
	// ListenPacket receives datagrams. ctx bounds the call.
	ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error)
	// Resolver is the network's directory of names.
	Resolver() Resolver
}

// A Resolver answers questions about names. *net.Resolver is one. Errors are
// *net.DNSError, with IsNotFound where the name or the kind of record does not exist.
type Resolver interface {
	// LookupNetIP returns a host's addresses; network is "ip", "ip4" or "ip6".
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupCNAME(ctx context.Context, host string) (string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	// LookupAddr returns the names of an address.
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}
