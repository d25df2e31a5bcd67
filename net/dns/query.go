package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// maxServers bounds how many servers are asked, rounds how often each that stays silent.
const (
	maxServers = 8
	rounds     = 3
)

// failing is what is remembered of a server that did not answer.
type failing struct {
	times int
	until time.Time // it is asked last until then
}

// maxBackoff bounds for how long a server is asked last.
const maxBackoff = time.Minute

// order returns the servers as they are to be asked. r.mu is held.
func (r *Resolver) order(now time.Time) []netip.AddrPort {
	servers := slices.Clone(r.servers)
	rank := func(s netip.AddrPort) time.Time {
		if f := r.failing[s]; f.until.After(now) {
			return f.until
		}
		return time.Time{}
	}
	slices.SortStableFunc(servers, func(a, b netip.AddrPort) int { return rank(a).Compare(rank(b)) })
	return servers
}

// judge remembers whether a server answered.
func (r *Resolver) judge(server netip.AddrPort, answered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answered || !slices.Contains(r.servers, server) {
		delete(r.failing, server)
		return
	}
	f := r.failing[server]
	f.until = time.Now().Add(min(time.Second<<min(f.times, 10), maxBackoff))
	f.times++
	r.failing[server] = f
}

// A refusal is the answer of a server that does not answer the question.
type refusal struct{ rcode int }

// lame is the code of a server that neither knows nor asks others.
const lame = -1

func (e refusal) Error() string {
	if e.rcode == lame {
		return "server neither knows nor asks others"
	}
	if name, ok := dns.RcodeToString[e.rcode]; ok {
		return "server answers " + name
	}
	return fmt.Sprintf("server answers with code %d", e.rcode)
}

// query asks the servers, one after the other, until one answers. One that refuses is
// not asked again; one that stays silent gets more time in the next round.
func (r *Resolver) query(ctx context.Context, servers []netip.AddrPort, q question) (answer, error) {
	if len(servers) == 0 {
		return answer{}, &net.DNSError{Err: "no name server is known", Name: q.name, IsTemporary: true}
	}
	var first error // the first refusal, or else the first failure
	var from netip.AddrPort
	for round := range rounds {
		var silent []netip.AddrPort
		for _, server := range servers {
			m, err := r.exchange(ctx, server, q, r.opts.Timeout<<round)
			if ctx.Err() != nil {
				return answer{}, ctx.Err() // nobody waits
			}
			if err == nil {
				return read(m, q, server.String()), nil
			}
			refused := errors.As(err, new(refusal))
			r.judge(server, false)
			if !refused {
				silent = append(silent, server)
			}
			if first == nil || refused && !errors.As(first, new(refusal)) {
				first, from = err, server
			}
		}
		servers = silent
	}
	timeout := net.Error(nil)
	return answer{}, &net.DNSError{
		UnwrapErr: first, Err: fmt.Sprintf("ask for %s: %v", q.typeName(), first),
		Name: q.name, Server: from.String(), IsTemporary: true,
		IsTimeout: errors.As(first, &timeout) && timeout.Timeout(),
	}
}

// accept tells an answer from a refusal.
func accept(m *dns.Msg) error {
	switch m.Rcode {
	case dns.RcodeNameError:
		return nil
	case dns.RcodeSuccess:
		if _, said := absence(m); len(m.Answer) == 0 && !said && !m.Authoritative && !m.RecursionAvailable {
			return refusal{lame}
		}
		return nil
	}
	return refusal{m.Rcode}
}
