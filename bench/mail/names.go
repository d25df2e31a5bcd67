package mail

import (
	"net"

	"github.com/miekg/dns"
)

// serveNames answers questions for names on loopback: that there are none. A server that asks who has sent
// a message is not to wait for a network that is not there.
func serveNames() (address string, stop func(), err error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetRcode(q, dns.RcodeNameError)
		m.Ns = []dns.RR{&dns.SOA{
			Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 1}, Ns: "ns.", Mbox: "root.", Minttl: 1,
		}}
		w.WriteMsg(m) // who asks, asks again
	})}
	go server.ActivateAndServe()
	return conn.LocalAddr().String(), func() { server.Shutdown() }, nil
}
