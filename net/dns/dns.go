// Package dns is a caching stub resolver: it asks recursive name servers, over
// whatever network it is handed, and remembers what they said for as long as they allow.
//
//	r := dns.New(dns.Options{
//		Servers: func() []netip.AddrPort { return lease.Servers() },
//		Dial:    connect,
//	})
//	addresses, err := r.LookupNetIP(ctx, "ip", "git.example.org")
//
// A Resolver is a libos.Resolver. Names are complete, with or without the last
// dot: there are no search domains. It answers by itself for addresses, for localhost and
// what ends so, and for names that never exist (RFC 6761, RFC 7686).
//
// # Asking
//
// A question goes by UDP with EDNS0 and room for 1,232 bytes (RFC 6891, DNS flag day 2020), from a
// socket, and so a port, of its own and under a random id; an answer that does not
// match both and the question is not one (RFC 5452). A truncated answer is asked for again
// by TCP (RFC 7766), and so is one under a shower of wrong ones. Servers are asked in
// their order, but those that lately failed last. Each is given Options.Timeout, in a
// second round twice and in a third four times that.
//
// Lookups of the same question at once are one question.
//
// # Remembering
//
// Answers are kept for their TTL, at most three hours; that something does not exist for as
// long as the zone's SOA says (RFC 2308), at most a quarter of an hour. The cache is
// bounded in entries and in bytes, and it is emptied when the servers change: another
// network may give other answers.
//
// # Errors
//
// They are *net.DNSError: IsNotFound when the name, or records of this kind, do not
// exist; otherwise IsTemporary, with IsTimeout when no server answered. When ctx ended, they
// wrap its error.
//
// # Caveats
//
// Answers are as true as the network and the servers: there is no DNSSEC.
package dns

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"cairn/libos"
)

// Options say whom a Resolver asks, and how.
type Options struct {
	// Servers returns the name servers, the best first. It is called for each
	// lookup; at most the first eight count.
	Servers func() []netip.AddrPort

	// Dial connects to a server over "udp" or "tcp". A UDP connection hears that
	// server only, from a port that a stranger cannot guess.
	Dial func(ctx context.Context, network string, server netip.AddrPort) (net.Conn, error)

	Timeout time.Duration // how long a server has to answer at first; 0: 1 s

	// MixCase asks with letters in random case, which a forged answer has to guess
	// (draft-vixie-dnsext-dns0x20). Servers that do not return the letters as they
	// were are asked by TCP.
	MixCase bool

	Entries int // answers remembered; 0: 4,096
	Bytes   int // of memory for them; 0: 4 MiB
}

// A Resolver looks names up. Safe for concurrent use.
type Resolver struct {
	opts Options

	mu      sync.Mutex
	servers []netip.AddrPort // as they were last
	epoch   int              // counts the changes of servers
	failing map[netip.AddrPort]failing
	cache   cache
	flights map[question]*flight
}

var _ libos.Resolver = (*Resolver)(nil)

// New returns a resolver.
func New(o Options) *Resolver {
	if o.Timeout == 0 {
		o.Timeout = time.Second
	}
	if o.Entries == 0 {
		o.Entries = 4096
	}
	if o.Bytes == 0 {
		o.Bytes = 4 << 20
	}
	return &Resolver{
		opts:    o,
		failing: map[netip.AddrPort]failing{},
		cache:   newCache(o.Entries, o.Bytes),
		flights: map[question]*flight{},
	}
}
