// Package host is a libos.Net made of the kernel's sockets.
//
//	n := host.New(host.Options{})                     // names as the system resolves them
//	n := host.New(host.Options{DNS: []netip.AddrPort{server}})
//
// TCP is without multipath, which Go's listeners have by default and sandboxes
// such as Landlock do not see. Keep-alive is as Go has it: after 15 s, every 15 s.
package host

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"cairn/libos"
)

// Options say how a network on the kernel's sockets behaves.
type Options struct {
	// DNS are the name servers to ask, the best first, by net/dns; addresses are then dialled
	// as net/dial does. None means the system's resolver, with its hosts file and all
	// else that the system is set to.
	DNS []netip.AddrPort
}

// New returns the host's network.
func New(o Options) libos.Net {
	var s system
	s.dialer.SetMultipathTCP(false)
	s.listen.SetMultipathTCP(false)
	if len(o.DNS) > 0 {
		return newNamed(s, slices.Clone(o.DNS))
	}
	return &s
}

// system is the host's network with the system's resolver.
type system struct {
	dialer net.Dialer
	listen net.ListenConfig
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

func (n *system) Resolver() libos.Resolver { return net.DefaultResolver }
