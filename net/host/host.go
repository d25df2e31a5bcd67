// Package host is a libos.Net made of the kernel's sockets.
//
//	n := host.New(host.Options{})                     // names as the system resolves them
//	n := host.New(host.Options{DNS: []netip.AddrPort{server}})
package host

import (
	"context"
	"net"
	"net/netip"

	"cairn/libos"
)

// Options say how a network on the kernel's sockets behaves.
type Options struct {
	// DNS are the name servers to ask. None means the system's resolver,
	// with its hosts file and all else that the system is set to.
	DNS []netip.AddrPort
}

// New returns the host's network.
func New(o Options) libos.Net {
	n := &system{resolver: &net.Resolver{}}
	n.dialer.SetMultipathTCP(false)
	n.listen.SetMultipathTCP(false)
	n.dialer.Resolver = n.resolver
	return n
}

// system is the host's network with the system's resolver. TCP without multipath, which
// sandboxes such as Landlock do not see.
type system struct {
	dialer   net.Dialer
	listen   net.ListenConfig
	resolver *net.Resolver
}

func (n *system) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return n.dialer.DialContext(ctx, network, address)
}

func (n *system) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	return n.listen.Listen(ctx, network, address)
}

func (n *system) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	return n.listen.ListenPacket(ctx, network, address)
}

func (n *system) Resolver() libos.Resolver { return n.resolver }
