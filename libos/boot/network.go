package boot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"cairn/libos"
	"cairn/net/host"
	"cairn/net/stack"
)

// networkArgs say which network a service is on.
var networkArgs = []libos.Arg{
	{Name: "net", Default: onHost, Help: "The network: host for the host's sockets, or a TAP device to run TCP/IP on. A machine of its own has its own card."},
	{Name: "ipv4", Value: "ADDR/LEN|dhcp", Help: "On a network of its own: the IPv4 address, or dhcp."},
	{Name: "ipv6", Value: "ADDR/LEN|auto", Kind: libos.Repeated, Help: "On a network of its own: an IPv6 address, or auto to ask the router."},
	{Name: "gateway", Value: "ADDR", Kind: libos.Repeated, Help: "On a network of its own: the way out, IPv4 or IPv6."},
	{Name: "mac", Value: "XX:XX:XX:XX:XX:XX", Help: "On a network of its own: the service's own Ethernet address; by itself the card's, or one that follows from the TAP device's."},
	{Name: "dns", Value: "ADDR[:PORT]", Kind: libos.Repeated, Help: "Who resolves names, in place of whom the host or DHCP says."},
}

// onHost is the network of the host.
const onHost = "host"

// patience is how long a network may take to give addresses before somebody is
// told that it is waited for.
const patience = 5 * time.Second

// A network is the one that a service is on, before it is limited.
type network struct {
	libos.Net
	addrs   []netip.Addr     // of a network of its own
	servers []netip.AddrPort // of names, on the host's as far as they are known
	close   func() error
}

func openNetwork(ctx context.Context, d *devices, args libos.Args, log *slog.Logger) (network, error) {
	dns, err := parseServers(args.Strings("dns"))
	switch {
	case err != nil:
	case d.card != nil:
		return d.card.network(ctx, dns, log)
	case d.alone:
		return network{close: nothing}, nil
	case args.Bool("seal") && len(dns) == 0:
		dns, err = hostServers() // later there is no file to read
	}
	return network{Net: host.New(host.Options{DNS: dns}), servers: dns, close: nothing}, err
}

func nothing() error { return nil }

// network runs a TCP/IP stack on the card. It returns when the stack has its addresses.
func (c *card) network(ctx context.Context, dns []netip.AddrPort, log *slog.Logger) (network, error) {
	c.used = true
	s, err := stack.New(c.link, stack.Options{
		IPv4:     c.on.v4,
		DHCP:     c.on.dhcp,
		IPv6:     c.on.v6,
		SLAAC:    c.on.auto,
		Gateways: c.on.gateways,
		DNS:      dns,
		Hostname: "cairn",
		Memory:   memory(),
		Log:      log,
	})
	if err != nil {
		return network{}, errors.Join(err, c.link.Close())
	}
	waiting := time.AfterFunc(patience, func() { log.Warn("waiting for the network to give an address", "device", c.name) })
	defer waiting.Stop()
	if err := s.Wait(ctx); err != nil {
		return network{}, errors.Join(fmt.Errorf("no address on %s: %w", c.name, err), s.Close())
	}
	return network{Net: s, addrs: s.Addrs(), close: s.Close}, nil
}

// parseServers reads --dns: addresses, with a port or without.
func parseServers(list []string) ([]netip.AddrPort, error) {
	var servers []netip.AddrPort
	for _, text := range list {
		server, err := netip.ParseAddrPort(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil {
			server, err = netip.AddrPortFrom(addr, 53), nil
		}
		if err != nil {
			return nil, fmt.Errorf("--dns is an address such as 9.9.9.9 or [2620:fe::fe]:53, not %q", text)
		}
		servers = append(servers, server)
	}
	return servers, nil
}

// An interfaceConfig is what the arguments say of a network of one's own.
type interfaceConfig struct {
	dhcp, auto bool
	v4         netip.Prefix
	v6         []netip.Prefix
	gateways   []netip.Addr
	mac        net.HardwareAddr
}

func parseInterface(args libos.Args) (c interfaceConfig, err error) {
	switch text := args.String("ipv4"); text {
	case "":
	case "dhcp":
		c.dhcp = true
	default:
		if c.v4, err = netip.ParsePrefix(text); err != nil || !c.v4.Addr().Is4() {
			return c, fmt.Errorf("--ipv4 is an address and the length of its network, such as 192.0.2.7/24, or dhcp: not %q", text)
		}
	}
	for _, text := range args.Strings("ipv6") {
		if text == "auto" {
			c.auto = true
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil || !p.Addr().Is6() || p.Addr().Is4In6() {
			return c, fmt.Errorf("--ipv6 is an address and the length of its network, such as 2001:db8::7/64, or auto: not %q", text)
		}
		c.v6 = append(c.v6, p)
	}
	for _, text := range args.Strings("gateway") {
		g, err := netip.ParseAddr(text)
		if err != nil {
			return c, fmt.Errorf("--gateway is an address, not %q", text)
		}
		c.gateways = append(c.gateways, g)
	}
	if text := args.String("mac"); text != "" {
		if c.mac, err = net.ParseMAC(text); err != nil || len(c.mac) != 6 || c.mac[0]&1 != 0 {
			return c, fmt.Errorf("--mac is the Ethernet address of one card, such as 02:00:5e:10:00:01, not %q", text)
		}
	}
	return c, nil
}
