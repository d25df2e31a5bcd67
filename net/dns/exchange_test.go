package dns_test

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	wire "github.com/miekg/dns"

	"cairn/net/dns"
)

// TestForgery: what is no answer to the question, at the id and the port, is not heard.
func TestForgery(t *testing.T) {
	const forged = "www.example. 0 IN A 203.0.113.66"
	for name, forge := range map[string]func(q *wire.Msg) []byte{
		"id": func(q *wire.Msg) []byte { m := reply(q, 0, forged); m.Id++; return pack(m)[0] },
		"name": func(q *wire.Msg) []byte {
			m := reply(q, 0, forged)
			m.Question[0].Name = "evil.example."
			return pack(m)[0]
		},
		"type": func(q *wire.Msg) []byte {
			m := reply(q, 0, forged)
			m.Question[0].Qtype = wire.TypeMX
			return pack(m)[0]
		},
		"class": func(q *wire.Msg) []byte {
			m := reply(q, 0, forged)
			m.Question[0].Qclass = wire.ClassCHAOS
			return pack(m)[0]
		},
		"question": func(q *wire.Msg) []byte { return pack(q)[0] },
		"nothing":  func(q *wire.Msg) []byte { m := reply(q, 0, forged); m.Question = nil; return pack(m)[0] },
		"twice": func(q *wire.Msg) []byte {
			m := reply(q, 0, forged)
			m.Question = append(m.Question, m.Question[0])
			return pack(m)[0]
		},
		"opcode": func(q *wire.Msg) []byte { m := reply(q, 0, forged); m.Opcode = wire.OpcodeNotify; return pack(m)[0] },
		"short":  func(q *wire.Msg) []byte { return pack(q)[0][:11] },
		"cut":    func(q *wire.Msg) []byte { b := pack(reply(q, 0, forged))[0]; return b[:len(b)-2] },
		"empty":  func(q *wire.Msg) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{answer: func(_ string, _ netip.AddrPort, q *wire.Msg) [][]byte {
				bad := forge(q.Copy())
				return append([][]byte{bad, bad}, pack(reply(q, 0, line))...)
			}}
			if got, err := lookup4(t, f.resolver(dns.Options{}, one)); err != nil || got != "192.0.2.1" {
				t.Errorf("%q, %v, want the true answer", got, err)
			}
			if got := len(f.questions()); got != 1 {
				t.Errorf("%d questions, want 1", got)
			}
		})
	}
}

// TestExtraRecords: only what the question leads to is taken from an answer.
func TestExtraRecords(t *testing.T) {
	f := always(0, line, "other.example. 3600 IN A 203.0.113.66", "www.example. 0 CH A 203.0.113.66")
	r := f.resolver(dns.Options{}, one)
	if got, err := lookup4(t, r); err != nil || got != "192.0.2.1" {
		t.Errorf("%q, %v, want 192.0.2.1 alone", got, err)
	}
	if _, err := r.LookupNetIP(t.Context(), "ip4", "other.example"); err == nil && len(f.questions()) == 1 {
		t.Error("what nobody asked for was remembered")
	}
}

// TestTCP: a truncated answer, a shower of forged ones and, with MixCase, letters that
// have changed make the resolver ask by TCP.
func TestTCP(t *testing.T) {
	for name, c := range map[string]struct {
		opts dns.Options
		udp  func(q *wire.Msg) [][]byte
	}{
		"truncated": {udp: func(q *wire.Msg) [][]byte {
			m := reply(q, 0)
			m.Truncated = true
			return pack(m)
		}},
		"shower": {udp: func(q *wire.Msg) [][]byte {
			m := reply(q, 0, "www.example. 0 IN A 203.0.113.66")
			var all [][]byte
			for range 50 {
				m.Id++
				all = append(all, pack(m)...)
			}
			return all
		}},
		"letters": {opts: dns.Options{MixCase: true}, udp: func(q *wire.Msg) [][]byte {
			m := reply(q, 0, "www.example. 0 IN A 203.0.113.66")
			m.Question[0].Name = strings.ToLower(m.Question[0].Name)
			if m.Question[0].Name == q.Question[0].Name {
				m.Question[0].Name = strings.ToUpper(m.Question[0].Name)
			}
			return pack(m)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fake{answer: func(network string, _ netip.AddrPort, q *wire.Msg) [][]byte {
				if network == "udp" {
					return c.udp(q)
				}
				return pack(reply(q, 0, line))
			}}
			if got, err := lookup4(t, f.resolver(c.opts, one)); err != nil || got != "192.0.2.1" {
				t.Errorf("%q, %v", got, err)
			}
			var networks []string
			for _, a := range f.questions() {
				networks = append(networks, a.network)
			}
			if want := []string{"udp", "tcp"}; !slices.Equal(networks, want) {
				t.Errorf("asked over %v, want %v", networks, want)
			}
		})
	}
}

func TestManyRecordsByTCP(t *testing.T) {
	f := &fake{answer: func(network string, _ netip.AddrPort, q *wire.Msg) [][]byte {
		m := reply(q, 0)
		for i := range 2000 {
			m.Answer = append(m.Answer, &wire.A{
				Hdr: wire.RR_Header{Name: "www.example.", Rrtype: wire.TypeA, Class: wire.ClassINET, Ttl: 60},
				A:   net.IPv4(10, 0, byte(i>>8), byte(i)),
			})
		}
		m.Compress = true
		if network == "udp" {
			m.Truncate(1232)
		}
		return pack(m)
	}}
	all, err := f.resolver(dns.Options{}, one).LookupNetIP(t.Context(), "ip4", "www.example")
	if err != nil || len(all) != 2000 {
		t.Errorf("%d addresses, %v, want 2000", len(all), err)
	}
}

func TestServerWithoutEDNS(t *testing.T) {
	f := &fake{answer: func(_ string, _ netip.AddrPort, q *wire.Msg) [][]byte {
		if q.IsEdns0() != nil {
			m := reply(q, wire.RcodeFormatError)
			m.Question = nil
			return pack(m)
		}
		return pack(reply(q, 0, line))
	}}
	if got, err := lookup4(t, f.resolver(dns.Options{}, one)); err != nil || got != "192.0.2.1" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestQuestions(t *testing.T) {
	f := always(0, line)
	plain, mixed := f.resolver(dns.Options{}, one), f.resolver(dns.Options{MixCase: true}, one)
	ids, cases := map[uint16]bool{}, map[string]bool{}
	for range 50 {
		lookup4(t, plain)
		lookup4(t, mixed)
	}
	for _, a := range f.questions() {
		ids[a.msg.Id] = true
		cases[a.msg.Question[0].Name] = true
		if o := a.msg.IsEdns0(); o == nil || o.UDPSize() != 1232 {
			t.Errorf("EDNS0 %v, want room for 1232 bytes", o)
		}
		if !a.msg.RecursionDesired || len(a.msg.Question) != 1 || !strings.EqualFold(a.msg.Question[0].Name, "www.example.") {
			t.Errorf("question %v", a.msg)
		}
	}
	if len(ids) < 90 {
		t.Errorf("100 questions had %d ids", len(ids))
	}
	if len(cases) < 20 {
		t.Errorf("50 questions in mixed case had %d spellings", len(cases))
	}
}

// TestAliases: a server that only names an alias is asked for its end; a ring ends.
func TestAliases(t *testing.T) {
	f := &fake{answer: func(_ string, _ netip.AddrPort, q *wire.Msg) [][]byte {
		switch q.Question[0].Name {
		case "www.example.":
			return pack(reply(q, 0, "www.example. 60 IN CNAME hop.example."))
		case "hop.example.":
			return pack(reply(q, 0, "hop.example. 60 IN CNAME END.example.", "end.example. 60 IN A 192.0.2.1"))
		case "ring.example.":
			return pack(reply(q, 0, "ring.example. 60 IN CNAME back.example."))
		case "back.example.":
			return pack(reply(q, 0, "back.example. 60 IN CNAME ring.example."))
		}
		return pack(reply(q, 0, "self.example. 60 IN CNAME self.example."))
	}}
	r := f.resolver(dns.Options{}, one)
	if got, err := lookup4(t, r); err != nil || got != "192.0.2.1" {
		t.Errorf("%q, %v", got, err)
	}
	for _, host := range []string{"ring.example", "self.example"} {
		if found, err := r.LookupNetIP(t.Context(), "ip", host); err == nil {
			t.Errorf("%s: %v, want an error", host, found)
		}
	}
	if got := len(f.questions()); got > 10 {
		t.Errorf("%d questions", got)
	}
}
