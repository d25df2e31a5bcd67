// Package public connects to addresses that users gave, which must reach nothing but
// the public internet.
package public

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// ErrPrivateAddress says that a connection was refused because it would lead
// into a private network. The operator can allow it.
var ErrPrivateAddress = errors.New("address is not public")

// An Outbound opens connections to addresses that users gave. It resolves
// names itself, refuses those of which any address is not public, and dials the
// very address that it has checked, so that a name cannot change its meaning in
// between.
type Outbound struct {
	// Resolve returns the addresses of a host name. Required.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

	// Dial connects to one address. Required.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Allow, when it is set, lets addresses through that are not public.
	Allow func(netip.Addr) bool

	// TLS is for https; nil: the defaults.
	TLS *tls.Config
}

// DialContext connects to host:port over TCP. An address that is refused gives an
// error that is ErrPrivateAddress.
func (o *Outbound) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("connect to %q: %w", address, err)
	}
	var addrs []netip.Addr
	if ip, err := netip.ParseAddr(host); err == nil {
		addrs = []netip.Addr{ip}
	} else if addrs, err = o.Resolve(ctx, host); err != nil {
		return nil, fmt.Errorf("resolve %q: %w", host, err)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("resolve %q: no address", host)
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap().WithZone("")
		if !Is(a) && (o.Allow == nil || !o.Allow(addrs[i])) {
			return nil, fmt.Errorf("connect to %q (%v): %w", host, a, ErrPrivateAddress)
		}
	}
	var failures []error
	for _, a := range addrs {
		c, err := o.Dial(ctx, network, netip.AddrPortFrom(a, portNumber(port)).String())
		if err == nil {
			return c, nil
		}
		failures = append(failures, err)
	}
	return nil, fmt.Errorf("connect to %q: %w", host, errors.Join(failures...))
}

func portNumber(s string) uint16 {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0 // dialing it says what is wrong
	}
	return uint16(n)
}

// Transport returns a RoundTripper whose connections all go through the
// Outbound, those of redirects too. It uses no proxy.
func (o *Outbound) Transport() *http.Transport {
	return &http.Transport{
		DialContext:            o.DialContext,
		TLSClientConfig:        o.TLS,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  time.Minute,
		IdleConnTimeout:        time.Minute,
		MaxIdleConns:           16,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Client returns a client over Transport. It follows up to five redirects, to
// http and https only, never from https to http, and takes no password along
// to another host.
func (o *Outbound) Client() *http.Client {
	return &http.Client{Transport: o.Transport(), CheckRedirect: checkRedirect}
}

// ErrRedirect says that a redirect was not followed.
var ErrRedirect = errors.New("redirect refused")

func checkRedirect(r *http.Request, via []*http.Request) error {
	last := via[len(via)-1].URL
	switch {
	case len(via) > 5:
		return fmt.Errorf("%w: more than five", ErrRedirect)
	case r.URL.Scheme != "https" && (r.URL.Scheme != "http" || last.Scheme == "https"):
		return fmt.Errorf("%w: to %s", ErrRedirect, r.URL.Scheme)
	}
	if !sameOrigin(r.URL, last) {
		r.Header.Del("Authorization")
	}
	return nil
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// special lists blocks that are not the public internet's (IANA's special-purpose
// address registries): netip knows the common ones by itself.
var special = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"::/96", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
)

// embedding lists IPv6 blocks whose addresses lead to an IPv4 address, and at
// which byte that stands.
var embedding = []struct {
	block netip.Prefix
	at    int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64, RFC 6052
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4, RFC 3056
}

// localNAT64 is for a network's own use (RFC 8215): where it leads is not known.
var localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// Is reports whether an address belongs to the public internet: not
// loopback, private, link-local, shared (CGNAT), multicast, unspecified, reserved
// or for documentation, nor an IPv6 form of such an IPv4 address.
func Is(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || localNAT64.Contains(a) {
		return false
	}
	for _, e := range embedding {
		if e.block.Contains(a) {
			b := a.As16()
			return Is(netip.AddrFrom4([4]byte(b[e.at : e.at+4])))
		}
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
