package stack

import (
	"io"
	"log/slog"
	"net/netip"

	"cairn/libos"
)

// Options say what a stack's addresses are and where they come from. The zero
// value has none but loopback and a link-local IPv6 address. A stack that is given IPv4 only
// has no IPv6 on the card.
type Options struct {
	// IPv4 is an address with the length of its network; DHCP asks for one
	// instead.
	IPv4 netip.Prefix
	DHCP bool

	// IPv6 are addresses with the lengths of their networks. SLAAC makes others
	// as well, from the prefixes that routers announce.
	IPv6  []netip.Prefix
	SLAAC bool

	// Gateways lead to everywhere else, one of each family at most, besides
	// those that DHCP and routers tell.
	Gateways []netip.Addr

	// DNS are the name servers. None means those that DHCP and routers tell.
	DNS []netip.AddrPort

	// Resolver resolves names; nil: one that asks the name servers.
	Resolver libos.Resolver

	// Hostname is what DHCP is told; empty: nothing.
	Hostname string

	// Memory is how many bytes the program may take; 0: plenty. How much connections take, and
	// how many there are, follows from it. With less than 64 MiB no packets are put
	// together from fragments.
	Memory int64

	// Log hears of addresses that come and go; nil: nobody does.
	Log *slog.Logger

	// Random is where sequence numbers, ports and identifiers come from; nil:
	// crypto/rand. A test gives a seeded one to have the same frames each time.
	Random io.Reader

	// NoProbes takes addresses into use without asking first whether somebody else
	// has them (RFC 4862 §5.4, RFC 5227), which takes a second.
	NoProbes bool
}
