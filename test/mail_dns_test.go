package test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// A zone is all names that there are, for whoever asks the server of it.
type zone struct {
	t       testing.TB
	address string

	mu   sync.Mutex
	sets map[string][]dns.RR // by name in lower case
}

// newZone starts a name server on loopback.
func newZone(t testing.TB, records ...string) *zone {
	t.Helper()
	var tcp net.Listener
	var udp net.PacketConn
	var err error
	for range 20 { // a port that is free for both
		if tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if udp, err = net.ListenPacket("udp", tcp.Addr().String()); err == nil {
			break
		}
		tcp.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return serveZone(t, tcp, udp, records...)
}

// serveZone answers on these sockets until the test ends.
func serveZone(t testing.TB, tcp net.Listener, udp net.PacketConn, records ...string) *zone {
	z := &zone{t: t, address: tcp.Addr().String(), sets: map[string][]dns.RR{}}
	z.add(records...)
	var running sync.WaitGroup
	for _, s := range []*dns.Server{{Listener: tcp, Handler: z}, {PacketConn: udp, Handler: z}} {
		running.Go(func() { _ = s.ActivateAndServe() }) // ends when its socket is closed
	}
	t.Cleanup(func() {
		if err := errors.Join(tcp.Close(), udp.Close()); err != nil {
			t.Error(err)
		}
		running.Wait()
	})
	return z
}

// add adds records, each as it stands in a zone file, in which many lines may be. One that is there stays
// alone.
func (z *zone) add(records ...string) {
	z.t.Helper()
	parser := dns.NewZoneParser(strings.NewReader(strings.Join(records, "\n")+"\n"), ".", "")
	parser.SetDefaultTTL(1)
	z.mu.Lock()
	defer z.mu.Unlock()
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		rr.Header().Ttl = 1 // who asks again sees what is new
		name := strings.ToLower(rr.Header().Name)
		if !slices.ContainsFunc(z.sets[name], func(old dns.RR) bool { return old.String() == rr.String() }) {
			z.sets[name] = append(z.sets[name], rr)
		}
	}
	if err := parser.Err(); err != nil {
		z.t.Fatal(err)
	}
}

// remove removes all records of a name.
func (z *zone) remove(name string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	delete(z.sets, name)
}

// ServeDNS answers.
func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	m.Authoritative, m.RecursionAvailable = true, true
	z.mu.Lock()
	name := strings.ToLower(q.Question[0].Name)
	set, known := z.sets[name]
	for _, rr := range set {
		if t := rr.Header().Rrtype; t == q.Question[0].Qtype || t == dns.TypeCNAME {
			m.Answer = append(m.Answer, rr)
		}
	}
	for other := range z.sets { // a name below which others are is there
		known = known || strings.HasSuffix(other, "."+name)
	}
	z.mu.Unlock()
	if !known {
		m.Rcode = dns.RcodeNameError
	}
	if o := q.IsEdns0(); o != nil {
		m.SetEdns0(4096, false)
	}
	if w.LocalAddr().Network() == "udp" {
		size := dns.MinMsgSize
		if o := q.IsEdns0(); o != nil {
			size = int(o.UDPSize())
		}
		m.Truncate(size)
	}
	_ = w.WriteMsg(m) // who hears nothing asks again
}
