package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"cairn/libos"
	"cairn/libos/unix"
	"cairn/net/stack"
)

// patience is how long a network may take to give addresses before somebody is
// told that it is waited for.
const patience = 5 * time.Second

// openTAP runs a TCP/IP stack on a TAP device. It returns when the stack has its
// addresses.
func openTAP(ctx context.Context, device string, dns []netip.AddrPort, args libos.Args, log *slog.Logger) (network, error) {
	c, err := parseInterface(args)
	if err != nil {
		return network{}, err
	}
	link, err := unix.OpenTAP(device, c.mac)
	if err != nil {
		return network{}, fmt.Errorf("%w: make it first (ip tuntap add %s mode tap user NAME vnet_hdr; ip link set %s up), or use --net=host", err, device, device)
	}
	s, err := stack.New(link, stack.Options{
		IPv4:     c.v4,
		DHCP:     c.dhcp,
		IPv6:     c.v6,
		SLAAC:    c.auto,
		Gateways: c.gateways,
		DNS:      dns,
		Hostname: "cairn",
		Log:      log,
	})
	if err != nil {
		return network{}, errors.Join(err, link.Close())
	}
	waiting := time.AfterFunc(patience, func() { log.Warn("waiting for the network to give an address", "device", device) })
	defer waiting.Stop()
	if err := s.Wait(ctx); err != nil {
		return network{}, errors.Join(fmt.Errorf("no address on %s: %w", device, err), s.Close())
	}
	return network{Net: s, addrs: s.Addrs(), close: s.Close}, nil
}
