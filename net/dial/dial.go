// Package dial connects to a name over whichever of its addresses answers
// first: happy eyeballs version 2 (RFC 8305), over a resolver and a function that
// connects to one address.
//
//	d := dial.Dialer{Resolver: resolver, Connect: connect}
//	conn, err := d.Dial(ctx, "tcp", "git.example.org:443")
//
// Both families are looked up at once. Attempts begin as soon as there is an
// IPv6 address, or an IPv4 address and 50 ms of grace for IPv6 (§3). The families take
// turns (§4); an attempt begins Delay after the one before it, or at once when that
// failed (§5). The first connection wins, the other attempts are cancelled.
//
// # Caveats
//
// Ports are numbers: there is no table of services. What §6 and §7 say of
// NAT64 is not done.
package dial

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"cairn/libos"
)

// A Dialer dials names and addresses. Safe for concurrent use.
type Dialer struct {
	// Resolver looks names up; addresses are not looked up.
	Resolver libos.Resolver

	// Connect connects to one address. network is as Dial was given it. It
	// returns soon after its ctx has ended, and a connection or an error.
	Connect func(ctx context.Context, network string, address netip.AddrPort) (net.Conn, error)

	// Delay is how long an attempt has before the next begins beside it;
	// 0: 250 ms, as RFC 8305 §5 recommends.
	Delay time.Duration
}

// Values of RFC 8305 §8, and how many addresses of a family are tried at most: a
// hostile name may have thousands.
const (
	attemptDelay    = 250 * time.Millisecond
	resolutionDelay = 50 * time.Millisecond
	maxAddresses    = 16
)

// Dial connects to host:port over network: "tcp", "udp", or either with "4" or "6" for
// one family. host is a name, an address, with a zone perhaps, or nothing, which is this
// machine. It returns when all attempts have ended.
//
// The error is a *net.OpError. When ctx ended first, it wraps ctx's error; when the name
// has no address, a *net.DNSError; otherwise what Connect said, of all addresses.
func (d Dialer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err == nil {
		return conn, nil
	}
	if op, ok := err.(*net.OpError); ok && op.Op == "dial" {
		return nil, err
	}
	return nil, &net.OpError{Op: "dial", Net: network, Addr: target{network, address}, Err: err}
}

func (d Dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	family, err := familyOf(network)
	if err != nil {
		return nil, err
	}
	host, port, err := split(address)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &race{Dialer: d, network: network, port: port, ended: make(chan attempt), resolved: make(chan answer)}
	if r.Delay == 0 {
		r.Delay = attemptDelay
	}
	if literals, ok := literal(host); ok {
		if r.addresses = keepFamily(literals, family); len(r.addresses) == 0 {
			return nil, &net.AddrError{Err: "no address of this family", Addr: host}
		}
		return r.run(ctx)
	}
	r.host, r.last4 = host, true
	return r.run(ctx, families[family]...)
}

// families are the questions that a suffix of a network's name leads to. IPv6 is
// asked first.
var families = map[string][]string{"": {"ip6", "ip4"}, "4": {"ip4"}, "6": {"ip6"}}

// familyOf returns "", "4" or "6".
func familyOf(network string) (string, error) {
	for _, transport := range []string{"tcp", "udp"} {
		if family, ok := strings.CutPrefix(network, transport); ok && families[family] != nil {
			return family, nil
		}
	}
	return "", net.UnknownNetworkError(network)
}

// split takes host:port apart.
func split(address string) (host string, port uint16, err error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return "", 0, &net.AddrError{Err: "the port is not a number up to 65535", Addr: address}
	}
	return host, uint16(n), nil
}

// literal returns the addresses that a host is without being looked up. As in
// package net, no host and the unspecified addresses are this machine.
func literal(host string) ([]netip.Addr, bool) {
	if host == "" {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}, true
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return nil, false
	}
	switch a = a.Unmap(); a.WithZone("") {
	case netip.IPv4Unspecified():
		a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case netip.IPv6Unspecified():
		a = netip.IPv6Loopback()
	}
	return []netip.Addr{a}, true
}

// keepFamily returns the addresses of a family, each once.
func keepFamily(all []netip.Addr, family string) []netip.Addr {
	var kept []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, a := range all {
		a = a.Unmap()
		if !seen[a] && (family == "" || a.Is4() == (family == "4")) {
			seen[a] = true
			kept = append(kept, a)
		}
	}
	return kept
}

// target is what was dialled, as a net.Addr.
type target struct{ network, address string }

func (t target) Network() string { return t.network }
func (t target) String() string  { return t.address }
