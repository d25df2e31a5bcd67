package dns

import (
	"net"
	"time"

	"github.com/miekg/dns"
)

// An answer is what a server said to a question. Without records it says that there
// are none. Answers are shared and never change.
type answer struct {
	records []dns.RR      // of the type that was asked for
	name    string        // where aliases have led, as key returns it; whose records they are
	ttl     time.Duration // how long it may be kept; 0: not at all
	server  string
	partial bool // aliases lead to name, and the server did not say what it has
}

// Bounds on how long answers are kept and how many aliases are followed.
const (
	maxTTL      = 3 * time.Hour
	maxNegative = 15 * time.Minute
	maxAliases  = 16
)

// read takes from a message what answers a question: the aliases that begin at its name
// and the records at their end. All else that a server might put in is left aside.
func read(m *dns.Msg, q question, server string) answer {
	a := answer{name: q.name, ttl: maxTTL, server: server}
	for range maxAliases {
		next := ""
		for _, rr := range m.Answer {
			h := rr.Header()
			if h.Class != dns.ClassINET || key(h.Name) != a.name {
				continue
			}
			if h.Rrtype == q.qtype {
				a.records = append(a.records, rr)
				a.ttl = min(a.ttl, ttl(h.Ttl))
			} else if alias, ok := rr.(*dns.CNAME); ok && next == "" {
				next = key(alias.Target)
				a.ttl = min(a.ttl, ttl(h.Ttl))
			}
		}
		if next == "" || len(a.records) > 0 {
			break
		}
		a.name = next
	}
	if len(a.records) > 0 {
		return a
	}
	negative, said := absence(m)
	if a.name != q.name && !said && m.Rcode == dns.RcodeSuccess {
		a.partial = true
		return a
	}
	a.ttl = min(a.ttl, negative)
	return a
}

// absence returns for how long a message says that something does not exist
// (RFC 2308 §5); ok is false when it does not say, and then not at all.
func absence(m *dns.Msg) (d time.Duration, ok bool) {
	for _, rr := range m.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return min(ttl(soa.Hdr.Ttl), ttl(soa.Minttl), maxNegative), true
		}
	}
	return 0, false
}

// ttl returns a time to live. One with the highest bit set is none (RFC 2181 §8).
func ttl(seconds uint32) time.Duration {
	if seconds >= 1<<31 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// size is about how many bytes of memory an answer takes.
func (a answer) size() int {
	n := 2*len(a.name) + 200
	for _, rr := range a.records {
		n += 2*dns.Len(rr) + 150
	}
	return n
}

func notFound(name, server string) error {
	return &net.DNSError{Err: "no such host", Name: name, Server: server, IsNotFound: true}
}
