package dhcp

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// A Client leases an address for one network card.
type Client struct {
	MAC      net.HardwareAddr
	Hostname string // what the server is told; empty: nothing

	// Send sends a message from port 68 of from to port 67 of to. from is
	// 0.0.0.0 while there is no lease; to is 255.255.255.255 for everybody.
	Send func(from, to netip.Addr, message []byte) error

	// Messages are those that have come to port 68, whomever they were for.
	Messages <-chan []byte

	// Taken reports whether somebody else has an address already (RFC 2131
	// §2.2). It may take a second. nil: nobody is asked.
	Taken func(ctx context.Context, a netip.Addr) bool

	// Apply is told of each lease that is taken up or has changed. The zero Lease: the
	// address may not be used any more.
	Apply func(Lease)

	Random io.Reader    // nil: crypto/rand
	Log    *slog.Logger // nil: nobody hears
}

// everybody and nobody are the addresses of a message without them.
var (
	everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	nobody    = netip.IPv4Unspecified()
)

// Waits of RFC 2131.
const (
	firstWait    = 4 * time.Second  // §4.1, before a message is sent again; doubled each time
	longestWait  = 64 * time.Second // §4.1
	declinedWait = 10 * time.Second // §3.1 (5), before an address is asked for again
	refusedWait  = 2 * time.Second  // before what has been refused is asked for again
	requestTries = 4                // §3.1 (5), before an offer is given up
)

// Run keeps a lease until ctx ends, and then gives it back. What goes wrong is
// tried again.
func (c *Client) Run(ctx context.Context) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	for ctx.Err() == nil {
		ack := c.acquire(ctx)
		if ack == nil {
			continue
		}
		c.keep(ctx, ack)
	}
}

// acquire gets from INIT to BOUND. nil: it has to be tried again, or ctx has ended.
func (c *Client) acquire(ctx context.Context) *reply {
	discover := c.message(dhcpv4.MessageTypeDiscover)
	offer := c.ask(ctx, discover, 0, nobody, everybody, func(r *reply) bool {
		return r.kind == dhcpv4.MessageTypeOffer && r.lease.valid()
	})
	if offer == nil {
		return nil
	}
	request := c.message(dhcpv4.MessageTypeRequest)
	request.TransactionID = discover.TransactionID // §4.4.1, table 5
	request.UpdateOption(dhcpv4.OptRequestedIPAddress(offer.lease.Addr.Addr().AsSlice()))
	request.UpdateOption(dhcpv4.OptServerIdentifier(offer.lease.Server.AsSlice()))
	ack := c.ask(ctx, request, requestTries, nobody, everybody, func(r *reply) bool {
		return r.kind == dhcpv4.MessageTypeNak || r.kind == dhcpv4.MessageTypeAck && r.lease.valid()
	})
	if ack == nil {
		return nil
	}
	if ack.kind == dhcpv4.MessageTypeNak {
		c.idle(ctx, time.Now().Add(refusedWait)) // a server that keeps refusing is not asked without a pause
		return nil
	}
	if c.Taken != nil && c.Taken(ctx, ack.lease.Addr.Addr()) {
		c.decline(ctx, ack)
		return nil
	}
	return ack
}

// decline says that somebody has the address, and waits (§3.1 (5)).
func (c *Client) decline(ctx context.Context, ack *reply) {
	c.Log.Warn("somebody has the address that DHCP offers", "address", ack.lease.Addr.Addr())
	m := c.message(dhcpv4.MessageTypeDecline)
	m.UpdateOption(dhcpv4.OptRequestedIPAddress(ack.lease.Addr.Addr().AsSlice()))
	m.UpdateOption(dhcpv4.OptServerIdentifier(ack.lease.Server.AsSlice()))
	c.send(m, nobody, everybody)
	c.idle(ctx, time.Now().Add(declinedWait))
}

// keep holds a lease through renewals until it is lost or ctx ends.
func (c *Client) keep(ctx context.Context, ack *reply) {
	for ack != nil {
		lease := ack.lease
		c.Apply(lease)
		if ack = c.renew(ctx, lease, ack.at); ctx.Err() != nil {
			if ack != nil {
				lease = ack.lease
			}
			c.release(lease)
			break
		}
	}
	c.Apply(Lease{})
}

// renew waits until it is time and asks, first the server, then all. It returns nil when the
// lease is lost.
func (c *Client) renew(ctx context.Context, l Lease, at time.Time) *reply {
	if l.Expire == Forever {
		c.idle(ctx, time.Time{})
		return nil
	}
	c.idle(ctx, at.Add(l.Renew))
	ack := c.extend(ctx, l, l.Server, at.Add(l.Rebind))
	if ack == nil {
		ack = c.extend(ctx, l, everybody, at.Add(l.Expire))
	}
	if ack == nil && ctx.Err() == nil {
		c.Log.Warn("the DHCP lease is over", "address", l.Addr.Addr())
		return nil
	}
	if ack != nil && ack.kind == dhcpv4.MessageTypeNak {
		c.Log.Warn("the DHCP server takes the address back", "address", l.Addr.Addr())
		return nil
	}
	return ack
}

// extend asks to for a longer lease until an answer comes, an ACK or a NAK, or until then: nil.
func (c *Client) extend(ctx context.Context, l Lease, to netip.Addr, until time.Time) *reply {
	m := c.message(dhcpv4.MessageTypeRequest)
	m.ClientIPAddr = l.Addr.Addr().AsSlice()
	least := min(time.Minute, max(l.Expire/16, time.Second)) // §4.4.5 has a minute, whatever the lease
	for ctx.Err() == nil {
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		c.send(m, l.Addr.Addr(), to)
		wait := min(max(left/2, least), left)
		ack := c.await(ctx, m, time.Now().Add(wait), func(r *reply) bool {
			return r.kind == dhcpv4.MessageTypeNak || r.kind == dhcpv4.MessageTypeAck && r.lease.valid() && r.lease.Addr.Addr() == l.Addr.Addr()
		})
		if ack != nil {
			return ack
		}
	}
	return nil
}

// release gives the address back (§4.4.6). Nobody answers.
func (c *Client) release(l Lease) {
	m := c.message(dhcpv4.MessageTypeRelease)
	m.ClientIPAddr = l.Addr.Addr().AsSlice()
	m.UpdateOption(dhcpv4.OptServerIdentifier(l.Server.AsSlice()))
	c.send(m, l.Addr.Addr(), l.Server)
}
