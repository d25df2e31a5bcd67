package acme

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A dnsServer is the primary of the zone example.org, which takes updates signed
// with a key, and says of every other name that it leads to 127.0.0.1, except
// those under nowhere.test. It answers over TCP.
type dnsServer struct {
	address string

	mu      sync.Mutex
	records []dns.RR // what updates have added
	most    int      // how many there were at most
	refused int      // updates
}

const (
	zone      = "example.org."
	keyName   = "update.example.org."
	keySecret = "c2l4dGVlbiBieXRlcyBvZiBzZWNyZXQgYW5kIG1vcmU="
)

func newDNS(t testing.TB) *dnsServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &dnsServer{address: l.Addr().String()}
	started := make(chan struct{})
	server := &dns.Server{
		Listener:          l,
		Handler:           dns.HandlerFunc(d.serve),
		TsigSecret:        map[string]string{keyName: keySecret},
		MsgAcceptFunc:     func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept },
		NotifyStartedFunc: func() { close(started) },
	}
	done := make(chan error, 1)
	go func() { done <- server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() {
		server.Shutdown()
		<-done
	})
	return d
}

func (d *dnsServer) serve(w dns.ResponseWriter, m *dns.Msg) {
	answer := new(dns.Msg)
	answer.SetReply(m)
	signed := m.IsTsig() != nil && w.TsigStatus() == nil
	if m.Opcode == dns.OpcodeUpdate {
		answer.Rcode = d.update(m, signed)
	} else {
		d.query(m.Question[0], answer)
	}
	if signed {
		answer.SetTsig(keyName, dns.HmacSHA256, 300, time.Now().Unix())
	}
	w.WriteMsg(answer)
}

// update does the additions and removals of RFC 2136 §2.5 that are of one record.
func (d *dnsServer) update(m *dns.Msg, signed bool) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !signed || m.Question[0].Name != zone {
		d.refused++
		return dns.RcodeNotAuth
	}
	for _, rr := range m.Ns {
		switch class := rr.Header().Class; class {
		case dns.ClassINET:
			d.records = append(d.records, rr)
		case dns.ClassNONE:
			rr.Header().Class = dns.ClassINET
			d.records = slices.DeleteFunc(d.records, func(old dns.RR) bool { return dns.IsDuplicate(old, rr) })
		default:
			return dns.RcodeNotImplemented
		}
	}
	d.most = max(d.most, len(d.records))
	return dns.RcodeSuccess
}

func (d *dnsServer) query(q dns.Question, answer *dns.Msg) {
	name := strings.ToLower(q.Name)
	head := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 1}
	switch {
	case dns.IsSubDomain("nowhere.test.", name):
		answer.Rcode = dns.RcodeNameError
	case q.Qtype == dns.TypeA:
		answer.Answer = append(answer.Answer, &dns.A{Hdr: head, A: net.IPv4(127, 0, 0, 1)})
	case q.Qtype == dns.TypeSOA && name == zone:
		answer.Answer = append(answer.Answer, &dns.SOA{Hdr: head, Ns: "ns." + zone, Mbox: "hostmaster." + zone, Serial: 1})
	case q.Qtype == dns.TypeSOA && !dns.IsSubDomain(zone, name):
		answer.Rcode = dns.RcodeRefused
	case q.Qtype == dns.TypeTXT:
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, rr := range d.records {
			if strings.EqualFold(rr.Header().Name, name) {
				answer.Answer = append(answer.Answer, rr)
			}
		}
	}
}
