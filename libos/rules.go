package libos

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// rules are parsed Limits.
type rules struct {
	listens []listenRule
	dials   []dialRule
}

// A listenRule allows a port of a transport. Port "*" is every one.
type listenRule struct{ transport, port string }

// A dialRule allows a port of the hosts that one of its fields names.
type dialRule struct {
	any    bool         // every name and address
	name   string       // one name, in small letters, without the last dot
	suffix string       // the end of names, with its dot: ".example.org"
	prefix netip.Prefix // addresses
	port   string       // "*" is every one
}

func parseLimits(l Limits) (rules, error) {
	var r rules
	for _, pattern := range l.Listen {
		rule, err := parseListen(pattern)
		if err != nil {
			return rules{}, fmt.Errorf("pattern %q under Listen: %w", pattern, err)
		}
		r.listens = append(r.listens, rule)
	}
	for _, pattern := range l.Dial {
		rule, err := parseDial(pattern)
		if err != nil {
			return rules{}, fmt.Errorf("pattern %q under Dial: %w", pattern, err)
		}
		r.dials = append(r.dials, rule)
	}
	return r, nil
}

func parseListen(pattern string) (listenRule, error) {
	network, port, _ := strings.Cut(pattern, ":")
	if network != "tcp" && network != "udp" {
		return listenRule{}, fmt.Errorf(`want "tcp:" or "udp:" and a port or "*"`)
	}
	port, err := parsePort(port)
	return listenRule{network, port}, err
}

func parseDial(pattern string) (dialRule, error) {
	if pattern == "*" {
		return dialRule{any: true, port: "*"}, nil
	}
	host, port, err := net.SplitHostPort(pattern)
	if err != nil {
		return dialRule{}, err
	}
	r, err := parseHost(host)
	if err != nil {
		return dialRule{}, err
	}
	r.port, err = parsePort(port)
	return r, err
}

func parseHost(host string) (dialRule, error) {
	if host == "*" {
		return dialRule{any: true}, nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap().WithZone("")
		return dialRule{prefix: netip.PrefixFrom(a, a.BitLen())}, nil
	}
	if strings.Contains(host, "/") {
		p, err := netip.ParsePrefix(host)
		if err == nil && p.Addr().Is4In6() {
			err = fmt.Errorf("an IPv4 prefix in IPv6 clothes")
		}
		return dialRule{prefix: p.Masked()}, err
	}
	name := canonical(host)
	suffix, wild := strings.CutPrefix(name, "*")
	if wild && len(suffix) > 1 && suffix[0] == '.' && !strings.Contains(suffix, "*") {
		return dialRule{suffix: suffix}, nil
	}
	if name == "" || strings.ContainsAny(name, "*:%") {
		return dialRule{}, fmt.Errorf(`want a name, "*.name", an address, a prefix such as 10.0.0.0/8, or "*"`)
	}
	return dialRule{name: name}, nil
}

func parsePort(port string) (string, error) {
	if port == "*" {
		return port, nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", fmt.Errorf(`port %q is neither a number up to 65535 nor "*"`, port)
	}
	return strconv.FormatUint(n, 10), nil
}

// canonical returns a name as names are compared (RFC 4343), ASCII letters only.
func canonical(name string) string {
	return strings.TrimSuffix(strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name), ".")
}

// transportOf returns a network without its family: "tcp" or "udp".
func transportOf(network string) (string, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
		return "tcp", nil
	case "udp", "udp4", "udp6":
		return "udp", nil
	}
	return "", net.UnknownNetworkError(network)
}

func (r rules) listen(transport, port string) bool {
	return slices.ContainsFunc(r.listens, func(l listenRule) bool {
		return l.transport == transport && (l.port == "*" || l.port == port)
	})
}

// dial reports whether a host, as it is written in an address, may be dialled at a port.
func (r rules) dial(host, port string) bool {
	addresses := literal(host)
	for _, a := range addresses {
		if !slices.ContainsFunc(r.dials, func(d dialRule) bool {
			return d.at(port) && (d.any || d.prefix.Contains(a))
		}) {
			return false
		}
	}
	return len(addresses) > 0 || slices.ContainsFunc(r.dials, func(d dialRule) bool {
		return d.at(port) && (d.any || d.matches(canonical(host)))
	})
}

// literal returns the addresses that a host is without being looked up: all that
// Dial might take it for. No host, and the unspecified addresses, are this machine.
func literal(host string) []netip.Addr {
	loopback4 := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if host == "" {
		return []netip.Addr{loopback4, netip.IPv6Loopback()}
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	switch a = a.Unmap().WithZone(""); a {
	case netip.IPv4Unspecified(), netip.IPv6Unspecified():
		return []netip.Addr{loopback4, netip.IPv6Loopback()}
	}
	return []netip.Addr{a}
}

func (d dialRule) at(port string) bool { return d.port == "*" || d.port == port }

// matches reports whether the rule names a name.
func (d dialRule) matches(name string) bool {
	if d.suffix != "" {
		return len(name) > len(d.suffix) && strings.HasSuffix(name, d.suffix)
	}
	return d.name != "" && d.name == name
}

// names reports whether some name may be dialled.
func (r rules) names() bool {
	return slices.ContainsFunc(r.dials, func(d dialRule) bool { return d.any || d.name != "" || d.suffix != "" })
}
