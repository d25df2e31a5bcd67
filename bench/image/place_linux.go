package image

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"cairn/internal/netns"
)

// Addresses on the cable between this machine and the virtual one.
const (
	hostAddress  = "198.18.0.1"
	guestAddress = "198.18.0.2"
	guestMAC     = "52:54:00:12:00:02"

	tapDevice = "tap0"
)

// A place is a network namespace with a TAP device, at whose other end the machines
// are, one at a time.
type place struct{ netns.Space }

// newPlace makes one. It knows the guest's Ethernet address beforehand: to ask for it would
// make the first try of a connection a second long.
func newPlace() (*place, error) {
	s, err := netns.New(fmt.Sprintf("cairn-%d-image", os.Getpid()), `
		tuntap add `+tapDevice+` mode tap vnet_hdr
		addr add `+hostAddress+`/24 dev `+tapDevice+`
		link set `+tapDevice+` up
		neigh add `+guestAddress+` lladdr `+guestMAC+` dev `+tapDevice+` nud permanent`)
	return &place{s}, err
}

// card are the arguments that give a machine its network card.
func card() []string {
	return []string{"-netdev", "tap,id=n0,ifname=" + tapDevice + ",script=no,downscript=no", "-device", "virtio-net-device,netdev=n0,mac=" + guestMAC}
}

// listen listens on a free port of the host's address there.
func (p *place) listen() (l net.Listener, err error) {
	err = p.Inside(func() (err error) {
		l, err = net.Listen("tcp", hostAddress+":0")
		return err
	})
	return l, err
}

// dial connects to the guest; it waits no longer than a SYN may take on a cable of no
// length, so that the next one goes out soon.
func (p *place) dial(ctx context.Context, port string, patience time.Duration) (c net.Conn, err error) {
	d := net.Dialer{Timeout: patience}
	err = p.Inside(func() (err error) {
		c, err = d.DialContext(ctx, "tcp", net.JoinHostPort(guestAddress, port))
		return err
	})
	return c, err
}
