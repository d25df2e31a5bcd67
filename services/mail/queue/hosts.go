package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Bounds of how much is tried for one connection.
const (
	maxHosts     = 10
	maxAddresses = 4 // of one host
)

// hosts returns the names of those who take mail for a domain, best first (RFC 5321 §5.1): its MX
// records, those of equal preference in any order, or where it has none the domain itself. A
// literal is its own host. An error is an answer.
func (q *Queue) hosts(ctx context.Context, domain string) ([]string, error) {
	if strings.HasPrefix(domain, "[") {
		return []string{domain}, nil
	}
	records, err := q.o.Resolver.LookupMX(ctx, domain+".")
	switch {
	case len(records) > 0: // an error is about others, whose names are none
	case notFound(err):
		records = []*net.MX{{Host: domain}}
	case err != nil:
		return nil, &answer{status: "4.4.3", Text: fmt.Sprintf("the DNS did not say which hosts take mail for %s: %v", domain, err)}
	}
	return q.order(domain, records)
}

func (q *Queue) order(domain string, records []*net.MX) ([]string, error) {
	records = slices.Clone(records)
	rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	slices.SortStableFunc(records, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	var names []string
	for _, r := range records {
		name := strings.ToLower(strings.TrimSuffix(r.Host, "."))
		if strings.EqualFold(name, q.o.Hostname()) {
			// We are one of them: mail goes to better ones only, else it would go round in circles.
			if names = q.better(records, r.Pref); len(names) == 0 {
				return nil, &answer{final: true, status: "5.4.6", Text: fmt.Sprintf("mail for %s leads back to this server, which does not serve that domain", domain)}
			}
			break
		}
		if hostname(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	switch {
	case len(names) > 0:
		return names[:min(len(names), maxHosts)], nil
	case len(records) == 1 && records[0].Host == ".":
		return nil, &answer{final: true, status: "5.1.10", Text: fmt.Sprintf("%s says that it takes no mail (RFC 7505)", domain)}
	}
	return nil, &answer{final: true, status: "5.4.4", Text: fmt.Sprintf("the MX records of %s name no host", domain)}
}

// better returns the hosts that are preferred to a preference.
func (q *Queue) better(records []*net.MX, pref uint16) []string {
	var names []string
	for _, r := range records {
		name := strings.ToLower(strings.TrimSuffix(r.Host, "."))
		if r.Pref < pref && hostname(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// addresses returns those of a hop that may be connected to, of both families in turn. A smarthost
// may be anywhere: the operator has named it.
func (q *Queue) addresses(ctx context.Context, h hop) ([]netip.Addr, error) {
	host := h.host
	all, err := q.lookup(ctx, host)
	switch {
	case len(all) > 0:
	case notFound(err) && h.relay != nil: // somebody's slip of the pen, who will see it in the queue
		return nil, &answer{status: "4.4.4", Text: fmt.Sprintf("the smarthost %s has no address in the DNS", host)}
	case notFound(err):
		return nil, &answer{final: true, status: "5.1.2", Text: fmt.Sprintf("%s has no address in the DNS", host)}
	case err != nil:
		return nil, &answer{status: "4.4.3", Text: fmt.Sprintf("the DNS did not say where %s is: %v", host, err)}
	}
	var six, four []netip.Addr
	for _, a := range all {
		a = a.Unmap().WithZone("")
		switch {
		case h.relay == nil && !q.allowed(a):
		case a.Is4():
			four = append(four, a)
		default:
			six = append(six, a)
		}
	}
	if len(six)+len(four) == 0 {
		return nil, &answer{final: true, status: "5.4.4", Text: fmt.Sprintf("%s is at a private address, %v, to which this server sends no mail", host, all)}
	}
	var mixed []netip.Addr
	for i := range max(len(six), len(four)) {
		mixed = append(mixed, six[min(i, len(six)):min(i+1, len(six))]...)
		mixed = append(mixed, four[min(i, len(four)):min(i+1, len(four))]...)
	}
	return mixed[:min(len(mixed), maxAddresses)], nil
}

func (q *Queue) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if literal, ok := strings.CutPrefix(host, "["); ok {
		text := strings.TrimPrefix(strings.TrimSuffix(literal, "]"), "ipv6:")
		a, err := netip.ParseAddr(text)
		if err != nil {
			return nil, &net.DNSError{Err: "not an address", Name: host, IsNotFound: true}
		}
		return []netip.Addr{a}, nil
	}
	if a, err := netip.ParseAddr(host); err == nil { // a smarthost
		return []netip.Addr{a}, nil
	}
	return q.o.Resolver.LookupNetIP(ctx, "ip", host+".")
}

func (q *Queue) allowed(a netip.Addr) bool {
	if q.o.Allow != nil {
		return q.o.Allow(a)
	}
	return a.IsGlobalUnicast() && !a.IsPrivate()
}

// notFound reports whether the DNS says that there is nothing, or no name.
func notFound(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	return err == nil || ok && e.IsNotFound && !e.IsTimeout && !e.IsTemporary
}
