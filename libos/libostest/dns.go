package libostest

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"cairn/libos"
)

// ServeDNS is a name server on n at address, host:port, until the test ends, over
// UDP and TCP. Port 0 is one that is free for both. zone has one record a line, as in a master
// file (RFC 1035 §5); a name that is not in it does not exist.
//
//	server := libostest.ServeDNS(t, b, "10.0.0.2:53", "peer.test. 60 IN A 10.0.0.2")
func ServeDNS(t testing.TB, n libos.Net, address, zone string) netip.AddrPort {
	t.Helper()
	records := parseZone(t, zone)
	p, l := listenBoth(t, n, address)
	serve(t, &dns.Server{PacketConn: p, Handler: records})
	serve(t, &dns.Server{Listener: l, Handler: records})
	return p.LocalAddr().(*net.UDPAddr).AddrPort()
}

// listenBoth listens at the same port for datagrams and for streams. A port that was
// chosen for the one may be taken for the other: then it takes another.
func listenBoth(t testing.TB, n libos.Net, address string) (net.PacketConn, net.Listener) {
	t.Helper()
	_, port, _ := net.SplitHostPort(address)
	for tries := 0; ; tries++ {
		l, err := n.Listen(t.Context(), "tcp", address)
		if err != nil {
			t.Fatalf("listen for questions: %v", err)
		}
		p, err := n.ListenPacket(t.Context(), "udp", l.Addr().String())
		if err == nil {
			return p, l
		}
		l.Close()
		if port != "0" || tries == 100 {
			t.Fatalf("listen for questions: %v", err)
		}
	}
}

func serve(t testing.TB, s *dns.Server) {
	started, done := make(chan struct{}), make(chan error, 1)
	s.NotifyStartedFunc = func() { close(started) }
	go func() { done <- s.ActivateAndServe() }()
	select {
	case <-started:
	case err := <-done:
		t.Fatalf("name server: %v", err)
	}
	t.Cleanup(func() {
		s.Shutdown()
		if err := <-done; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("name server: %v", err)
		}
	})
}

// zone answers questions from its records, by name in small letters.
type zone map[string][]dns.RR

func parseZone(t testing.TB, text string) zone {
	t.Helper()
	z := zone{}
	parser := dns.NewZoneParser(strings.NewReader(text), ".", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		name := strings.ToLower(rr.Header().Name)
		z[name] = append(z[name], rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatalf("zone: %v", err)
	}
	return z
}

// ServeDNS answers a question. An alias is followed within the zone.
func (z zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	m.Authoritative, m.RecursionAvailable = true, true
	question := q.Question[0]
	name := strings.ToLower(question.Name)
	for range len(z) {
		alias := ""
		for _, rr := range z[name] {
			switch rr.Header().Rrtype {
			case question.Qtype:
				m.Answer = append(m.Answer, rr)
			case dns.TypeCNAME:
				m.Answer = append(m.Answer, rr)
				alias = strings.ToLower(rr.(*dns.CNAME).Target)
			}
		}
		if alias == "" {
			break
		}
		name = alias
	}
	if z[name] == nil {
		m.Rcode = dns.RcodeNameError
	}
	if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
		size := dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		m.Truncate(size)
	}
	w.WriteMsg(m)
}
