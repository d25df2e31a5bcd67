package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"cairn/net/dhcp"
)

// A config is what a stack's addresses, routes and name servers are. netstack, which tells
// some of it, must not be called back at once: what has to be done to it is left to run.
type config struct {
	o       Options
	net     *stack.Stack
	log     *slog.Logger
	linkMTU uint32

	dirty chan struct{} // holds a token when the routes have to be made anew

	routing sync.Mutex // held by who makes routes, so that no older ones come last

	mu      sync.Mutex
	lease   dhcp.Lease
	inUse   map[netip.Addr]origin // addresses of the card
	onLink  map[netip.Prefix]bool // what routers announce
	offLink map[route]bool
	rdnss   map[netip.Addr]time.Time // and until when it holds
	failure error
	stale   uint64        // how often the routes had to be made anew
	made    uint64        // up to which of these times they have been
	changed chan struct{} // closed and replaced when inUse, failure or made changes
}

// An origin is where an address comes from.
type origin int

const (
	static origin = iota
	leased
	announced
)

// A route leads through a gateway; one of the link has none.
type route struct {
	to  netip.Prefix
	via netip.Addr
}

// check finds what cannot be.
func (o *Options) check() error {
	switch {
	case o.IPv4.IsValid() && !o.IPv4.Addr().Is4():
		return fmt.Errorf("%v is no IPv4 address", o.IPv4)
	case o.IPv4.IsValid() && o.DHCP:
		return errors.New("an IPv4 address is given, and another is to be asked for by DHCP")
	}
	for _, p := range o.IPv6 {
		if !p.IsValid() || !p.Addr().Is6() || p.Addr().Is4In6() {
			return fmt.Errorf("%v is no IPv6 address", p)
		}
	}
	for _, g := range o.Gateways {
		if !g.IsValid() {
			return fmt.Errorf("%v is no gateway", g)
		}
	}
	return nil
}

// ipv6 reports whether the card has IPv6 addresses.
func (o *Options) ipv6() bool {
	return o.SLAAC || len(o.IPv6) > 0 || !o.IPv4.IsValid() && !o.DHCP
}

func newConfig(o Options) *config {
	return &config{
		o:       o,
		log:     o.Log,
		dirty:   make(chan struct{}, 1),
		inUse:   make(map[netip.Addr]origin),
		onLink:  make(map[netip.Prefix]bool),
		offLink: make(map[route]bool),
		rdnss:   make(map[netip.Addr]time.Time),
		changed: make(chan struct{}),
	}
}

// start takes the addresses that are given into use.
func (c *config) start() error {
	if p := c.o.IPv4; p.IsValid() {
		if err := c.add(p, static); err != nil {
			return err
		}
	}
	for _, p := range c.o.IPv6 {
		if err := c.add(p, static); err != nil {
			return err
		}
	}
	c.reroute()
	return nil
}

// add has netstack take an address into use; when it has, inUse knows it.
func (c *config) add(p netip.Prefix, from origin) error {
	address := tcpip.ProtocolAddress{Protocol: protocolOf(p.Addr()), AddressWithPrefix: toPrefix(p)}
	properties := stack.AddressProperties{Disp: &assignment{c, p.Addr(), from}}
	if err := c.net.AddProtocolAddress(cardID, address, properties); err != nil {
		return fmt.Errorf("use address %v: %w", p.Addr(), callError("add", err))
	}
	return nil
}

// run makes the routes anew whenever something has changed, until ctx ends.
func (c *config) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			c.fail(errClosed)
			return
		case <-c.dirty:
			c.mu.Lock()
			stale := c.stale
			c.mu.Unlock()
			c.reroute()
			c.change(func() { c.made = stale })
		}
	}
}

// touch has the routes made anew.
func (c *config) touch() {
	c.mu.Lock()
	c.stale++
	c.mu.Unlock()
	select {
	case c.dirty <- struct{}{}:
	default:
	}
}

// reroute makes the routes anew.
func (c *config) reroute() {
	c.routing.Lock()
	defer c.routing.Unlock()
	c.net.SetRouteTable(c.routes())
}

// routes returns the table. netstack takes the longest prefix, and of equal ones the first.
func (c *config) routes() []tcpip.Route {
	c.mu.Lock()
	defer c.mu.Unlock()
	table := []tcpip.Route{
		{Destination: toPrefix(netip.MustParsePrefix("127.0.0.0/8")).Subnet(), NIC: loopbackID},
		{Destination: toPrefix(netip.MustParsePrefix("::1/128")).Subnet(), NIC: loopbackID},
	}
	for _, r := range c.links() {
		t := tcpip.Route{Destination: toPrefix(r.to.Masked()).Subnet(), NIC: cardID}
		if r.via.IsValid() {
			t.Gateway = toAddress(r.via)
		}
		table = append(table, t)
	}
	return table
}

// links are the routes over the card, the given ones first.
func (c *config) links() []route {
	list := []route{{to: netip.MustParsePrefix("fe80::/64")}}
	if c.o.IPv4.IsValid() {
		list = append(list, route{to: c.o.IPv4})
	}
	for _, p := range c.o.IPv6 {
		list = append(list, route{to: p})
	}
	for _, g := range c.o.Gateways {
		list = append(list, route{netip.PrefixFrom(unspecified(g), 0), g})
	}
	if c.lease.Addr.IsValid() {
		list = append(list, route{to: c.lease.Addr})
		for _, r := range c.lease.Routes {
			list = append(list, route{r.To, r.Gateway})
		}
	}
	for p := range c.onLink {
		list = append(list, route{to: p})
	}
	for r := range c.offLink {
		list = append(list, r)
	}
	return list
}

func unspecified(like netip.Addr) netip.Addr {
	if like.Unmap().Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// change runs f, which changes inUse, failure or made, and tells those who wait.
func (c *config) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	close(c.changed)
	c.changed = make(chan struct{})
}

// fail says why waiting is in vain. The first reason counts.
func (c *config) fail(err error) {
	c.change(func() {
		if c.failure == nil {
			c.failure = err
		}
	})
}

func (c *config) wait(ctx context.Context) error {
	for {
		c.mu.Lock()
		ready, err, changed := c.ready(), c.failure, c.changed
		c.mu.Unlock()
		if err != nil || ready {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// ready reports whether there is an address of each kind that is asked for, and the routes
// that come with it.
func (c *config) ready() bool {
	have := map[origin]int{}
	for _, from := range c.inUse {
		have[from]++
	}
	given := len(c.o.IPv6)
	if c.o.IPv4.IsValid() {
		given++
	}
	return c.made == c.stale && have[static] >= given && (!c.o.DHCP || have[leased] > 0) && (!c.o.SLAAC || have[announced] > 0)
}

func (c *config) addrs() []netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []netip.Addr
	for a := range c.inUse {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b netip.Addr) int {
		if d := c.inUse[a] - c.inUse[b]; d != 0 {
			return int(d)
		}
		return a.Compare(b)
	})
	return list
}

// An assignment follows one address.
type assignment struct {
	c    *config
	addr netip.Addr
	from origin
}

// OnChanged is called by netstack: the address can be used, or not yet.
func (a *assignment) OnChanged(_ stack.AddressLifetimes, state stack.AddressAssignmentState) {
	if state != stack.AddressAssigned {
		return
	}
	a.c.change(func() {
		if _, known := a.c.inUse[a.addr]; !known && a.from != static {
			a.c.log.Info("this machine has an address", "address", a.addr)
		}
		a.c.inUse[a.addr] = a.from
	})
}

// OnRemoved is called by netstack: the address cannot be used any more.
func (a *assignment) OnRemoved(why stack.AddressRemovalReason) {
	a.c.log.Info("an address is not in use any more", "address", a.addr)
	a.c.change(func() { delete(a.c.inUse, a.addr) })
	if why == stack.AddressRemovalDADFailed && a.from == static {
		a.c.fail(fmt.Errorf("somebody else has the address %v", a.addr))
	}
}
