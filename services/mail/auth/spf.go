package auth

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"blitiri.com.ar/go/spf"
)

// checkSPF evaluates RFC 7208 for the envelope's sender, for postmaster at the HELO name where
// that is empty (§2.4). Terms that ask the DNS are bounded to 10, answers without a
// record to 2 (§4.6.4).
func checkSPF(ctx context.Context, from Source, ask *asker) SPF {
	local, domain, ok := cutLast(from.MailFrom)
	if !ok {
		local, domain = "postmaster", from.Helo
	}
	return evaluateSPF(ctx, from.IP, domain, local, from.Helo, ask)
}

func evaluateSPF(ctx context.Context, ip netip.Addr, domain, local, helo string, ask *asker) SPF {
	name, ok := hostname(domain)
	if !ok || !strings.Contains(name, ".") { // §4.3
		return SPF{Verdict: None, Domain: domain, Reason: "not a domain"}
	}
	// The library cuts the sender at its first @, and a quoted local part may hold more of them.
	sender := strings.ReplaceAll(local, "@", "_") + "@" + name
	ip = ip.Unmap().WithZone("")
	verdict, err := spf.CheckHostWithSender(ip.AsSlice(), helo, sender,
		spf.WithContext(ctx), spf.WithResolver(spfResolver{ask, ip.Is4()}))
	out := SPF{Verdict: Verdict(verdict), Domain: name}
	if err != nil {
		out.Reason = err.Error()
	}
	return out
}

// spfResolver is an asker with the methods that package spf wants.
type spfResolver struct {
	*asker
	only4 bool // the client's address is of IPv4
}

// LookupIPAddr asks for the addresses that SPF compares: of the client's kind
// (RFC 7208 §5), and for IPv6 also of IPv4, because "exists" always asks for those.
func (r spfResolver) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	network := "ip"
	if r.only4 {
		network = "ip4"
	}
	all, err := r.LookupNetIP(ctx, network, host)
	out := make([]net.IPAddr, len(all))
	for i, a := range all {
		out[i].IP = a.Unmap().AsSlice()
	}
	return out, err
}
