package auth

import (
	"context"
	"net/netip"
	"slices"
	"strings"
)

// maxNames is how many names of an address are followed.
const maxNames = 10

// checkReverse is iprev (RFC 8601 §2.7.3): an address passes when one of its names
// has it among its addresses.
func checkReverse(ctx context.Context, ip netip.Addr, ask *asker) IPRev {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() {
		return IPRev{Verdict: PermError, Reason: "no address"}
	}
	names, err := ask.LookupAddr(ctx, ip.String())
	if err != nil {
		return IPRev{Verdict: errorVerdict(err), Reason: err.Error()}
	}
	out := IPRev{Verdict: Fail, Reason: "no name leads back"}
	for _, name := range names[:min(len(names), maxNames)] {
		switch leads, err := leadsTo(ctx, name, ip, ask); {
		case leads:
			return IPRev{Verdict: Pass, Name: strings.TrimSuffix(name, ".")}
		case err != nil && !notFound(err):
			out = IPRev{Verdict: errorVerdict(err), Reason: err.Error()}
		}
	}
	return out
}

// leadsTo says whether a name has the address.
func leadsTo(ctx context.Context, name string, ip netip.Addr, ask *asker) (bool, error) {
	network := "ip6"
	if ip.Is4() {
		network = "ip4"
	}
	all, err := ask.LookupNetIP(ctx, network, name)
	return slices.ContainsFunc(all, func(a netip.Addr) bool { return a.Unmap() == ip }), err
}

// checkHelo checks the name in HELO: its SPF, and whether it leads to the client
// (RFC 5321 §4.1.4 forbids to refuse a message for the latter alone).
func checkHelo(ctx context.Context, from Source, ask *asker) Helo {
	ip := from.IP.Unmap().WithZone("")
	out := Helo{Verdict: None, Name: from.Helo}
	if literal, ok := strings.CutPrefix(from.Helo, "["); ok {
		literal, _ = strings.CutSuffix(literal, "]")
		if len(literal) > 5 && strings.EqualFold(literal[:5], "IPv6:") {
			literal = literal[5:]
		}
		a, err := netip.ParseAddr(literal)
		out.Leads = err == nil && a.Unmap() == ip
		return out
	}
	name, ok := hostname(from.Helo)
	if !ok || !strings.Contains(name, ".") {
		out.Reason = "not a host's name"
		return out
	}
	var wg group
	wg.Go(func() { out.Leads, _ = leadsTo(ctx, name, ip, ask) })
	spf := evaluateSPF(ctx, ip, name, "postmaster", name, ask)
	out.Verdict, out.Reason = spf.Verdict, spf.Reason
	wg.Wait()
	return out
}
