package dns

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// LookupNetIP returns a host's addresses, those of IPv6 first. network is "ip",
// "ip4" or "ip6". For "ip" both kinds are asked for at once, and one of them will do.
func (r *Resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	types := addressTypes[network]
	if types == nil {
		return nil, &net.DNSError{UnwrapErr: net.UnknownNetworkError(network), Err: "unknown network " + network, Name: host}
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if (network == "ip4") != a.Unmap().Is4() && network != "ip" {
			return nil, notFound(host, "")
		}
		return []netip.Addr{a}, nil
	}
	a, err := r.addresses(ctx, host, types)
	if err != nil {
		return nil, err
	}
	var all []netip.Addr
	for _, rr := range a.records {
		if ip, ok := address(rr); ok {
			all = append(all, ip)
		}
	}
	if len(all) == 0 {
		return nil, notFound(host, a.server)
	}
	return all, nil
}

var addressTypes = map[string][]uint16{
	"ip": {dns.TypeAAAA, dns.TypeA}, "ip4": {dns.TypeA}, "ip6": {dns.TypeAAAA},
}

// addresses asks for several types at once and joins the answers. The error is
// that which leaves open whether there are addresses, before that which says there are none.
func (r *Resolver) addresses(ctx context.Context, host string, types []uint16) (answer, error) {
	answers, errs := make([]answer, len(types)), make([]error, len(types))
	ask := func(i int) { answers[i], errs[i] = r.lookup(ctx, host, types[i]) }
	var wg sync.WaitGroup
	for i := 1; i < len(types); i++ {
		wg.Go(func() { ask(i) })
	}
	ask(0)
	wg.Wait()
	var all answer
	for _, a := range answers {
		all.records = append(all.records, a.records...)
		all.name = cmp.Or(all.name, a.name)
		all.server = cmp.Or(all.server, a.server)
	}
	if len(all.records) > 0 {
		return all, nil
	}
	for _, err := range errs {
		if e := (*net.DNSError)(nil); errors.As(err, &e) && !e.IsNotFound {
			return all, err
		}
	}
	return all, errs[0]
}

func address(rr dns.RR) (netip.Addr, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		a, ok := netip.AddrFromSlice(rr.A.To4())
		return a, ok
	case *dns.AAAA:
		a, ok := netip.AddrFromSlice(rr.AAAA)
		return a, ok
	}
	return netip.Addr{}, false
}

// LookupCNAME returns the name that has host's addresses, with its last dot: host
// itself when it is no alias.
func (r *Resolver) LookupCNAME(ctx context.Context, host string) (string, error) {
	a, err := r.addresses(ctx, host, addressTypes["ip"])
	if a.name != "" && a.name != key(host) && isName(a.name) {
		return a.name, nil
	}
	if err != nil {
		return "", err
	}
	return dns.Fqdn(host), nil
}

// LookupMX returns the mail exchangers of a name, the preferred first, equal ones
// in random order (RFC 5321 §5.1).
func (r *Resolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	all, _, err := records(ctx, r, name, dns.TypeMX, func(rr *dns.MX) (*net.MX, bool) {
		return &net.MX{Host: rr.Mx, Pref: rr.Preference}, isName(rr.Mx)
	})
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	slices.SortStableFunc(all, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	return all, err
}

// LookupTXT returns a name's texts, the strings of each joined.
func (r *Resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	all, _, err := records(ctx, r, name, dns.TypeTXT, func(rr *dns.TXT) (string, bool) {
		var text strings.Builder
		for _, s := range rr.Txt {
			text.Write(unescape(s))
		}
		return text.String(), true
	})
	return all, err
}

// LookupSRV returns the hosts of a service, in the order in which to try them
// (RFC 2782), and the name that has the records. Without service and proto it
// looks up name as it is.
func (r *Resolver) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if service != "" || proto != "" {
		name = "_" + service + "._" + proto + "." + name
	}
	all, canonical, err := records(ctx, r, name, dns.TypeSRV, func(rr *dns.SRV) (*net.SRV, bool) {
		return &net.SRV{Target: rr.Target, Port: rr.Port, Priority: rr.Priority, Weight: rr.Weight}, isName(rr.Target)
	})
	if err != nil {
		return "", nil, err
	}
	sortSRV(all)
	return canonical, all, nil
}

// LookupAddr returns the names of an address, each with its last dot.
func (r *Resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{UnwrapErr: err, Err: "not an address", Name: addr}
	}
	if a = a.Unmap().WithZone(""); a.IsLoopback() {
		return []string{"localhost."}, nil
	}
	reverse, err := dns.ReverseAddr(a.String())
	if err != nil {
		return nil, &net.DNSError{UnwrapErr: err, Err: "not an address", Name: addr}
	}
	all, _, err := records(ctx, r, reverse, dns.TypePTR, func(rr *dns.PTR) (string, bool) {
		return rr.Ptr, isName(rr.Ptr)
	})
	if e := (*net.DNSError)(nil); errors.As(err, &e) {
		e.Name = addr
	}
	return all, err
}

// records looks up records of type R and takes of each what pick makes of it. Those
// that pick refuses, because a name in them is none, are left out.
func records[R dns.RR, V any](ctx context.Context, r *Resolver, name string, t uint16, pick func(R) (V, bool)) ([]V, string, error) {
	a, err := r.lookup(ctx, name, t)
	if err != nil {
		return nil, "", err
	}
	var all []V
	for _, rr := range a.records {
		if typed, ok := rr.(R); ok {
			if v, ok := pick(typed); ok {
				all = append(all, v)
			}
		}
	}
	if len(all) == 0 {
		return nil, "", &net.DNSError{Err: "the answer holds malformed names", Name: name, Server: a.server}
	}
	return all, a.name, nil
}
