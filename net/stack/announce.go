package stack

import (
	"net/netip"
	"slices"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// What routers announce (RFC 4861, RFC 4862, RFC 8106) comes to config as an
// ipv6.NDPDispatcher. netstack keeps prefixes, routes and addresses for as long as
// they hold, and bounds how many there are; it leaves name servers to us.

var _ ipv6.NDPDispatcher = (*config)(nil)

// maxServers is how many announced name servers are kept (RFC 8106 §5.3.1 has
// three as enough).
const maxServers = 8

func toNetip(s tcpip.Subnet) netip.Prefix {
	return netip.PrefixFrom(fromAddress(s.ID()), s.Prefix())
}

// OnOnLinkPrefixDiscovered is called when a network is reached without a router.
func (c *config) OnOnLinkPrefixDiscovered(_ tcpip.NICID, s tcpip.Subnet) {
	c.mu.Lock()
	c.onLink[toNetip(s)] = true
	c.mu.Unlock()
	c.touch()
}

// OnOnLinkPrefixInvalidated is called when that is over.
func (c *config) OnOnLinkPrefixInvalidated(_ tcpip.NICID, s tcpip.Subnet) {
	c.mu.Lock()
	delete(c.onLink, toNetip(s))
	c.mu.Unlock()
	c.touch()
}

// OnOffLinkRouteUpdated is called when a router leads to a network.
func (c *config) OnOffLinkRouteUpdated(_ tcpip.NICID, s tcpip.Subnet, via tcpip.Address, _ header.NDPRoutePreference) {
	c.mu.Lock()
	c.offLink[route{toNetip(s), fromAddress(via)}] = true
	c.mu.Unlock()
	c.touch()
}

// OnOffLinkRouteInvalidated is called when it does so no more.
func (c *config) OnOffLinkRouteInvalidated(_ tcpip.NICID, s tcpip.Subnet, via tcpip.Address) {
	c.mu.Lock()
	delete(c.offLink, route{toNetip(s), fromAddress(via)})
	c.mu.Unlock()
	c.touch()
}

// OnAutoGenAddress is called when an address is made from an announced prefix,
// and for the link-local one.
func (c *config) OnAutoGenAddress(_ tcpip.NICID, p tcpip.AddressWithPrefix) stack.AddressDispatcher {
	a := fromAddress(p.Address)
	if a.IsLinkLocalUnicast() {
		return nil
	}
	return &assignment{c, a, announced}
}

// OnRecursiveDNSServerOption is called with name servers and how long they hold;
// 0: not any more (RFC 8106 §5.1).
func (c *config) OnRecursiveDNSServerOption(_ tcpip.NICID, list []tcpip.Address, lifetime time.Duration) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	for a, until := range c.rdnss {
		if !now.Before(until) {
			delete(c.rdnss, a)
		}
	}
	for _, address := range list {
		a := fromAddress(address)
		if needsCard(a) {
			a = a.WithZone(zone)
		}
		_, known := c.rdnss[a]
		switch {
		case lifetime <= 0:
			delete(c.rdnss, a)
		case known || len(c.rdnss) < maxServers:
			c.rdnss[a] = now.Add(lifetime)
		}
	}
}

// servers are the given ones, or else those of the lease and of the routers.
func (c *config) servers() []netip.AddrPort {
	if len(c.o.DNS) > 0 {
		return c.o.DNS
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(c.lease.DNS)
	now := time.Now()
	for a, until := range c.rdnss {
		if now.Before(until) {
			list = append(list, a)
		}
	}
	slices.SortFunc(list[len(c.lease.DNS):], netip.Addr.Compare)
	servers := make([]netip.AddrPort, len(list))
	for i, a := range list {
		servers[i] = netip.AddrPortFrom(a, 53)
	}
	return servers
}

// What else netstack tells is of no use here: assignment follows addresses.

func (c *config) OnDuplicateAddressDetectionResult(tcpip.NICID, tcpip.Address, stack.DADResult) {}
func (c *config) OnAutoGenAddressDeprecated(tcpip.NICID, tcpip.AddressWithPrefix)               {}
func (c *config) OnAutoGenAddressInvalidated(tcpip.NICID, tcpip.AddressWithPrefix)              {}
func (c *config) OnDNSSearchListOption(tcpip.NICID, []string, time.Duration)                    {}
func (c *config) OnDHCPv6Configuration(tcpip.NICID, ipv6.DHCPv6ConfigurationFromNDPRA)          {}
