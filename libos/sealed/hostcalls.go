package sealed

import (
	"slices"
	"strings"

	"cairn/libos"
)

// hostCalls work with the host's sockets of TCP and UDP. Which ports is Landlock's to
// say, for TCP; who is dialled, the libos.Net's.
func hostCalls(l libos.Limits, s self) []Rule {
	kinds := []value{{"SOCK_STREAM", 1}}
	if len(l.Dial) > 0 || listensUDP(l) {
		kinds = append(kinds, value{"SOCK_DGRAM", 2}) // also to ask for names
	}
	rules := append(descriptorCalls(s),
		Rule{"writev", nil},
		Rule{"socket", []limit{
			is(0, "domain", value{"AF_INET", 2}, value{"AF_INET6", 10}),
			is(1, "type", flagged(kinds, value{"SOCK_CLOEXEC", 0o2000000}, value{"SOCK_NONBLOCK", 0o4000})...),
			is(2, "protocol", value{"0", 0}, value{"IPPROTO_TCP", 6}, value{"IPPROTO_UDP", 17}),
		}},
		// Package net looks up the name of the interface that a link-local address is on.
		Rule{"socket", []limit{
			is(0, "domain", value{"AF_NETLINK", 16}),
			is(1, "type", flagged([]value{{"SOCK_RAW", 3}}, value{"SOCK_CLOEXEC", 0o2000000})...),
			is(2, "protocol", value{"NETLINK_ROUTE", 0}),
		}},
		Rule{"bind", nil},
		// A flag of sendto, MSG_FASTOPEN, makes a connection without connect, of which Landlock need not know.
		Rule{"sendto", []limit{is(3, "flags", value{"0", 0})}},
		Rule{"recvfrom", []limit{is(3, "flags", value{"0", 0})}},
		// Those that package net sets; others put programs into the kernel, or another protocol on top.
		option(value{"SOL_SOCKET", 1}, value{"SO_REUSEADDR", 2}, value{"SO_BROADCAST", 6}, value{"SO_KEEPALIVE", 9}),
		option(value{"IPPROTO_TCP", 6}, value{"TCP_NODELAY", 1}, value{"TCP_KEEPIDLE", 4}, value{"TCP_KEEPINTVL", 5}, value{"TCP_KEEPCNT", 6}),
		option(value{"IPPROTO_IPV6", 41}, value{"IPV6_V6ONLY", 26}),
		Rule{"getsockopt", []limit{is(1, "level", value{"SOL_SOCKET", 1}), is(2, "optname", value{"SO_ERROR", 4})}},
		Rule{"getsockname", nil},
		Rule{"getpeername", nil},
		Rule{"shutdown", nil},
	)
	if len(l.Dial) > 0 {
		rules = append(rules, Rule{"connect", nil})
	}
	if len(l.Listen) > 0 {
		rules = append(rules, Rule{"listen", nil}, Rule{"accept4", nil})
	}
	return rules
}

// option sets options of one level.
func option(level value, options ...value) Rule {
	return Rule{"setsockopt", []limit{is(1, "level", level), is(2, "optname", options...)}}
}

func listensUDP(l libos.Limits) bool {
	return slices.ContainsFunc(l.Listen, func(p string) bool { return strings.HasPrefix(p, "udp") })
}

// flagged are the values, all with the same flags.
func flagged(values []value, flags ...value) []value {
	all := bits(flags)
	list := make([]value, len(values))
	for i, v := range values {
		list[i] = value{v.name, v.bits | all}
		for _, f := range flags {
			list[i].name += "|" + f.name
		}
	}
	return list
}
