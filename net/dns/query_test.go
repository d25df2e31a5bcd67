package dns_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	wire "github.com/miekg/dns"

	"cairn/net/dns"
)

// lines answers with an address.
const line = "www.example. 0 IN A 192.0.2.1"

// TestServers has three servers, of which some do not do their work.
func TestServers(t *testing.T) {
	silent := func(*wire.Msg) [][]byte { return nil }
	good := func(q *wire.Msg) [][]byte { return pack(reply(q, 0, line)) }
	code := func(rcode int) func(*wire.Msg) [][]byte {
		return func(q *wire.Msg) [][]byte { return pack(reply(q, rcode)) }
	}
	lame := func(q *wire.Msg) [][]byte { return pack(new(wire.Msg).SetRcode(q, 0)) }
	for _, c := range []struct {
		name    string
		servers []func(*wire.Msg) [][]byte
		asked   string // servers by number, with the time in seconds when they were asked
		timeout bool   // of an error; "" of asked: no error
		fails   bool
	}{
		{"good", []func(*wire.Msg) [][]byte{good, good}, "0@0", false, false},
		{"first is silent", []func(*wire.Msg) [][]byte{silent, good}, "0@0 1@1", false, false},
		{"all are silent", []func(*wire.Msg) [][]byte{silent, silent}, "0@0 1@1 0@2 1@4 0@6 1@10", true, true},
		{"in trouble", []func(*wire.Msg) [][]byte{code(wire.RcodeServerFailure), good}, "0@0 1@0", false, false},
		{"all in trouble", []func(*wire.Msg) [][]byte{code(wire.RcodeServerFailure), code(wire.RcodeRefused)}, "0@0 1@0", false, true},
		{"in trouble and silent", []func(*wire.Msg) [][]byte{code(wire.RcodeServerFailure), silent}, "0@0 1@0 1@1 1@3", false, true},
		{"lame", []func(*wire.Msg) [][]byte{lame, good}, "0@0 1@0", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var asked []string
				f := &fake{answer: func(_ string, server netip.AddrPort, q *wire.Msg) [][]byte {
					i := server.Addr().As4()[3]
					asked = append(asked, fmt.Sprintf("%d@%.0f", i, time.Since(start).Seconds()))
					return c.servers[i](q)
				}}
				var servers []string
				for i := range c.servers {
					servers = append(servers, fmt.Sprintf("192.0.2.%d:53", i))
				}
				_, err := lookup4(t, f.resolver(dns.Options{}, servers...))
				if got := strings.Join(asked, " "); got != c.asked {
					t.Errorf("asked %s, want %s", got, c.asked)
				}
				if !c.fails {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if e := (*net.DNSError)(nil); !errors.As(err, &e) || e.IsNotFound || !e.IsTemporary || e.IsTimeout != c.timeout {
					t.Errorf("%#v, want a temporary error, timeout %v", err, c.timeout)
				}
			})
		})
	}
}

// TestBackoff: a server that was silent is asked last, for longer each time, and first
// again when it has answered.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		working := false
		f := &fake{answer: func(_ string, server netip.AddrPort, q *wire.Msg) [][]byte {
			if server.Addr().As4()[3] == 1 && !working {
				return nil
			}
			return pack(reply(q, 0, line))
		}}
		r := f.resolver(dns.Options{}, "192.0.2.1:53", "192.0.2.2:53")
		first := func() byte {
			n := len(f.questions())
			if _, err := lookup4(t, r); err != nil {
				t.Error(err)
			}
			return f.questions()[n].server.Addr().As4()[3]
		}
		var got []byte
		for range 12 {
			got = append(got, first())
			time.Sleep(500 * time.Millisecond)
		}
		if want := []byte{1, 2, 1, 2, 2, 2, 1, 2, 2, 2, 2, 2}; !slices.Equal(got, want) {
			t.Errorf("asked first: %v, want %v", got, want)
		}
		time.Sleep(time.Minute)
		working = true
		if got := []byte{first(), first()}; !slices.Equal(got, []byte{1, 1}) {
			t.Errorf("asked first when it works again: %v, want server 1", got)
		}
	})
}

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

// TestMalformedNames: what is not a name does not get past the resolver.
func TestMalformedNames(t *testing.T) {
	f := always(0, `example. 60 IN MX 10 a\032b.example.`, `example. 60 IN MX 20 mx.example.`, `example. 60 IN SRV 1 1 1 <script>.example.`,
		`1.2.0.192.in-addr.arpa. 60 IN PTR \000.example.`)
	r := f.resolver(dns.Options{}, one)
	if mx, err := r.LookupMX(t.Context(), "example"); err != nil || len(mx) != 1 || mx[0].Host != "mx.example." {
		t.Errorf("MX: %v, %v, want the one that is a name", mx, err)
	}
	if _, srv, err := r.LookupSRV(t.Context(), "", "", "example"); err == nil {
		t.Errorf("SRV: %v, want an error", srv)
	}
	if names, err := r.LookupAddr(t.Context(), "192.0.2.1"); err == nil {
		t.Errorf("PTR: %q, want an error", names)
	}
}

// TestNames: only what is a name is asked for; everything else does not exist.
func TestNames(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label, label[:61]}, ".")
	for name, ok := range map[string]bool{
		"example": true, "Example.": true, "a-b.example": true, "_dmarc.example": true, "xn--bcher-kva.example": true, "3com.example": true,
		"1.2.0.192.in-addr.arpa": true, label + ".example": true, long: true,
		"": false, "..": false, "a..b": false, ".a": false, "-a.example": false, "a-.example": false, "192.0.2": false, "192.0.2.1.": false,
		"a b": false, "a\032b": false, "a\x00b": false, "bücher.example": false, "a/b": false, "*.example": false, "fe80::1%x.": false,
		label + "a.example": false, long + "a": false,
	} {
		f := always(0)
		_, err := f.resolver(dns.Options{}, one).LookupTXT(t.Context(), name)
		missing(t, "TXT of", name, err)
		if asked := len(f.questions()) > 0; asked != ok {
			t.Errorf("%q was asked for: %v, want %v", name, asked, ok)
		}
	}
}

// TestSRVOrder: priorities in order, and within one the weights decide how often a
// host is the first.
func TestSRVOrder(t *testing.T) {
	f := always(0, "example. 60 IN SRV 1 0 1 never.example.", "example. 60 IN SRV 1 10 1 seldom.example.", "example. 60 IN SRV 1 90 1 often.example.",
		"example. 60 IN SRV 2 65535 1 last.example.", "example. 60 IN SRV 0 0 1 first.example.")
	r := f.resolver(dns.Options{}, one)
	first := map[string]int{}
	for range 2000 {
		_, all, err := r.LookupSRV(t.Context(), "", "", "example")
		if err != nil || len(all) != 5 || all[0].Target != "first.example." || all[4].Target != "last.example." {
			t.Fatalf("%v, %v, want the priorities 0, 1, 1, 1, 2", all, err)
		}
		first[all[1].Target]++
	}
	if n := first["often.example."]; n < 1650 || n > 1900 {
		t.Errorf("weight 90 of 100 was first %d times in 2000, want about 1780", n)
	}
	if n := first["seldom.example."]; n < 120 || n > 300 {
		t.Errorf("weight 10 of 100 was first %d times in 2000, want about 200", n)
	}
	if n := first["never.example."]; n > 100 {
		t.Errorf("weight 0 was first %d times in 2000, want about 20", n)
	}
}

// TestLocalNames are answered without asking.
func TestLocalNames(t *testing.T) {
	f := always(0, line)
	r := f.resolver(dns.Options{}, one)
	for _, host := range []string{"localhost", "LOCALHOST.", "a.b.localhost"} {
		if got, err := r.LookupNetIP(t.Context(), "ip", host); err != nil || !slices.Equal(texts(got), []string{"127.0.0.1", "::1"}) {
			t.Errorf("%s: %v, %v, want loopback", host, got, err)
		}
	}
	for _, host := range []string{"x.invalid", "x.onion"} {
		_, err := r.LookupNetIP(t.Context(), "ip", host)
		missing(t, "addresses of", host, err)
	}
	if names, err := r.LookupAddr(t.Context(), "127.0.0.1"); err != nil || !slices.Equal(names, []string{"localhost."}) {
		t.Errorf("names of 127.0.0.1: %v, %v", names, err)
	}
	if got := len(f.questions()); got != 0 {
		t.Errorf("%d questions went out", got)
	}
}
