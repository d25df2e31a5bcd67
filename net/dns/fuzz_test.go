package dns_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	wire "github.com/miekg/dns"

	"cairn/net/dns"
)

// FuzzAnswer hands the resolver whatever a server may send, under the right id so that it
// is read: every lookup ends, within its time, with a *net.DNSError or with names that are names.
func FuzzAnswer(f *testing.F) {
	q := new(wire.Msg).SetQuestion("www.example.", wire.TypeA)
	for _, m := range []*wire.Msg{
		reply(q, 0, "www.example. 60 IN A 192.0.2.1"),
		reply(q, 0, "www.example. 60 IN CNAME x.example.", "x.example. 60 IN A 192.0.2.1"),
		reply(q, wire.RcodeNameError, "example. 60 IN SOA ns.example. root.example. 1 2 3 4 5"),
		reply(q, 0, "www.example. 60 IN MX 10 mx.example.", "www.example. 60 IN TXT x", "www.example. 60 IN SRV 1 2 3 x.example.", "www.example. 60 IN PTR x."),
		reply(q, 0, "www.example. 60 IN CNAME www.example."),
		reply(q, wire.RcodeFormatError),
	} {
		f.Add(pack(m)[0], false)
		f.Add(pack(m)[0], true)
	}
	f.Fuzz(func(t *testing.T, body []byte, sameQuestion bool) {
		synctest.Test(t, func(t *testing.T) {
			server := &fake{answer: func(_ string, _ netip.AddrPort, q *wire.Msg) [][]byte {
				return [][]byte{answerTo(q, body, sameQuestion)}
			}}
			lookAll(t, server.resolver(dns.Options{}, one))
		})
	})
}

// answerTo makes of any bytes an answer that a resolver has to look at: with the
// id of the question and perhaps all of it.
func answerTo(q *wire.Msg, body []byte, sameQuestion bool) []byte {
	b := append([]byte(nil), body...)
	if sameQuestion && len(b) > 12 {
		asked := wire.Msg{MsgHdr: wire.MsgHdr{Id: q.Id, Response: true}, Question: q.Question}
		head := pack(&asked)[0]
		copy(head[6:12], b[6:12]) // how many records follow
		b = append(head, b[12:]...)
	}
	if len(b) > 1 {
		binary.BigEndian.PutUint16(b, q.Id)
	}
	return b[:min(len(b), 65535)]
}

// lookAll makes every kind of lookup.
func lookAll(t *testing.T, r *dns.Resolver) {
	ctx := t.Context()
	start := time.Now()
	check := func(kind string, err error, names ...string) {
		if _, ok := err.(*net.DNSError); err != nil && !ok {
			t.Errorf("%s: error %T %v", kind, err, err)
		}
		for _, name := range names {
			if _, ok := wire.IsDomainName(name); !ok || name == "" {
				t.Errorf("%s: %q is not a name", kind, name)
			}
			for _, c := range []byte(name) {
				if c <= ' ' || c > '~' || c == '\\' || c == '<' {
					t.Errorf("%s: the name %q holds %q", kind, name, c)
				}
			}
		}
	}
	_, err := r.LookupNetIP(ctx, "ip", "www.example")
	check("address", err)
	name, err := r.LookupCNAME(ctx, "www.example")
	if err == nil {
		check("CNAME", err, name)
	}
	mx, err := r.LookupMX(ctx, "www.example")
	check("MX", err)
	for _, m := range mx {
		check("MX", nil, m.Host)
	}
	_, err = r.LookupTXT(ctx, "www.example")
	check("TXT", err)
	_, srv, err := r.LookupSRV(ctx, "", "", "www.example")
	check("SRV", err)
	for _, s := range srv {
		check("SRV", nil, s.Target)
	}
	names, err := r.LookupAddr(ctx, "192.0.2.1")
	check("PTR", err, names...)
	if took := time.Since(start); took > 20*time.Minute {
		t.Errorf("the lookups took %v", took)
	}
}
