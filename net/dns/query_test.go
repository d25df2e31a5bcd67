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

// line is an address that nobody may remember.
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
		timeout bool   // the error says so
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
