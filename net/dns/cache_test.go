package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	wire "github.com/miekg/dns"

	"cairn/net/dns"
)

const one = "192.0.2.53:53"

// TestKeeping asks again after a while and counts how often the server is asked.
func TestKeeping(t *testing.T) {
	const soa = "example. %d IN SOA ns.example. root.example. 1 2 3 4 %d"
	for _, c := range []struct {
		name  string
		rcode int
		lines []string
		kept  time.Duration
	}{
		{"TTL", 0, []string{"www.example. 60 IN A 192.0.2.1"}, time.Minute},
		{"least TTL", 0, []string{"www.example. 60 IN A 192.0.2.1", "www.example. 30 IN A 192.0.2.2"}, 30 * time.Second},
		{"TTL of an alias", 0, []string{"www.example. 10 IN CNAME x.example.", "x.example. 60 IN A 192.0.2.1"}, 10 * time.Second},
		{"no TTL", 0, []string{"www.example. 0 IN A 192.0.2.1"}, 0},
		{"long TTL", 0, []string{"www.example. 604800 IN A 192.0.2.1"}, 3 * time.Hour},
		{"TTL with the highest bit", 0, []string{"www.example. 4294967295 IN A 192.0.2.1"}, 0},
		{"no such name", wire.RcodeNameError, []string{fmt.Sprintf(soa, 600, 60)}, time.Minute},
		{"TTL of the SOA", wire.RcodeNameError, []string{fmt.Sprintf(soa, 30, 60)}, 30 * time.Second},
		{"no such records", 0, []string{fmt.Sprintf(soa, 600, 60)}, time.Minute},
		{"long absence", 0, []string{fmt.Sprintf(soa, 86400, 86400)}, 15 * time.Minute},
		{"absence for which nobody vouches", wire.RcodeNameError, nil, 0},
		{"trouble", wire.RcodeServerFailure, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := always(c.rcode, c.lines...)
				r := f.resolver(dns.Options{}, one)
				first, firstErr := lookup4(t, r)
				before := len(f.questions())
				time.Sleep(c.kept - time.Nanosecond)
				again, againErr := lookup4(t, r)
				if asked := len(f.questions()) > before; asked != (c.kept == 0) {
					t.Errorf("just before its time the server was asked again: %v, want %v", asked, c.kept == 0)
				}
				if first != again || (firstErr == nil) != (againErr == nil) {
					t.Errorf("remembered %q, %v, was %q, %v", again, againErr, first, firstErr)
				}
				before = len(f.questions())
				time.Sleep(time.Nanosecond)
				lookup4(t, r)
				if len(f.questions()) == before {
					t.Error("it was kept for too long")
				}
			})
		})
	}
}

// longTexts answers with a long text, whatever the name.
func longTexts() *fake {
	return &fake{answer: func(_ string, _ netip.AddrPort, q *wire.Msg) [][]byte {
		long := strings.Repeat("x", 250)
		return pack(reply(q, 0, fmt.Sprintf("%s 3600 IN TXT %q %q %q", q.Question[0].Name, long, long, long)))
	}}
}

// TestBytesAreBounded allows for what the test itself leaves on the heap.
func TestBytesAreBounded(t *testing.T) {
	f := longTexts()
	r := f.resolver(dns.Options{Bytes: 500_000}, one)
	grown := growth(func() {
		for i := range 1000 {
			if _, err := r.LookupTXT(t.Context(), fmt.Sprintf("n%d.example", i)); err != nil {
				t.Fatal(err)
			}
			f.asked = nil
		}
	})
	runtime.KeepAlive(r)
	if grown > 750_000 {
		t.Errorf("a cache of 500,000 bytes takes %d", grown)
	}
}

// growth returns by how much the heap has grown when f returns.
func growth(f func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

func TestEntriesAreBounded(t *testing.T) {
	f := longTexts()
	r := f.resolver(dns.Options{Entries: 2}, one)
	for _, name := range []string{"a", "b", "a", "c", "a", "b"} { // c takes the place of b, which was not used for longer
		if _, err := r.LookupTXT(t.Context(), name+".example"); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, a := range f.questions() {
		got = append(got, a.msg.Question[0].Name[:1])
	}
	if want := []string{"a", "b", "c", "b"}; !slices.Equal(got, want) {
		t.Errorf("asked for %v, want %v", got, want)
	}
}

func TestSameQuestionsAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(0, "www.example. 0 IN A 192.0.2.1")
		f.after = 100 * time.Millisecond
		r := f.resolver(dns.Options{}, one)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if got, err := lookup4(t, r); err != nil || got != "192.0.2.1" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		wg.Wait()
		if got := len(f.questions()); got != 1 {
			t.Errorf("%d questions, want 1", got)
		}
	})
}

// TestLeaving: who gives up does not take the answer from the others, and when
// all have, nothing goes on.
func TestLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(0, "www.example. 60 IN A 192.0.2.1")
		f.after = 500 * time.Millisecond
		r := f.resolver(dns.Options{}, one)
		start := time.Now()
		hasty := func(wait time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), wait)
			defer cancel()
			_, err := r.LookupNetIP(ctx, "ip4", "www.example")
			if e := (*net.DNSError)(nil); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || !e.IsTimeout {
				t.Errorf("after its deadline: %v", err)
			}
			if took := time.Since(start); took != wait {
				t.Errorf("took %v, want %v", took, wait)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { hasty(100 * time.Millisecond) })
		wg.Go(func() { hasty(200 * time.Millisecond) })
		wg.Go(func() {
			if got, err := lookup4(t, r); err != nil || got != "192.0.2.1" {
				t.Errorf("%q, %v", got, err)
			}
		})
		wg.Wait()
		if got := len(f.questions()); got != 1 {
			t.Errorf("%d questions, want 1", got)
		}

		start = time.Now()
		r = f.resolver(dns.Options{}, one)
		hasty(100 * time.Millisecond)
		if f.open != 0 {
			t.Errorf("%d connections are open after the last one left", f.open)
		}
	})
}

func TestOtherServersOtherAnswers(t *testing.T) {
	servers := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}
	f := &fake{answer: func(_ string, server netip.AddrPort, q *wire.Msg) [][]byte {
		return pack(reply(q, 0, "www.example. 3600 IN A "+server.Addr().String()))
	}}
	r := f.resolver(dns.Options{Servers: func() []netip.AddrPort { return servers }})
	for _, server := range []string{"192.0.2.53", "192.0.2.53", "198.51.100.53", "192.0.2.53"} {
		servers = []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(server), 53)}
		if got, err := lookup4(t, r); err != nil || got != server {
			t.Errorf("%q, %v, want %s", got, err, server)
		}
	}
	if got := len(f.questions()); got != 3 {
		t.Errorf("%d questions, want 3: one for each change", got)
	}
	servers = nil
	_, err := lookup4(t, r)
	if e := (*net.DNSError)(nil); !errors.As(err, &e) || e.IsNotFound || !e.IsTemporary {
		t.Errorf("without servers: %v, want a temporary error", err)
	}
}

// TestLateAnswer: what a server says when it is no longer one helps who waits for it, and is not
// remembered.
func TestLateAnswer(t *testing.T) {
	old, current := netip.MustParseAddrPort("192.0.2.53:53"), netip.MustParseAddrPort("198.51.100.53:53")
	servers := []netip.AddrPort{old}
	var r *dns.Resolver
	f := &fake{answer: func(_ string, server netip.AddrPort, q *wire.Msg) [][]byte {
		if server == old {
			servers = []netip.AddrPort{current}
			if _, err := r.LookupTXT(t.Context(), "other.example"); err == nil { // which is when the change is noticed
				t.Error("other.example has no text")
			}
		}
		return pack(reply(q, 0, "www.example. 3600 IN A "+server.Addr().String()))
	}}
	r = f.resolver(dns.Options{Servers: func() []netip.AddrPort { return servers }})
	for _, want := range []string{"192.0.2.53", "198.51.100.53", "198.51.100.53"} {
		if got, err := lookup4(t, r); err != nil || got != want {
			t.Errorf("%q, %v, want %s", got, err, want)
		}
	}
}

func BenchmarkRemembered(b *testing.B) {
	r := always(0, "www.example. 3600 IN A 192.0.2.1").resolver(dns.Options{}, one)
	for b.Loop() {
		if _, err := r.LookupNetIP(b.Context(), "ip4", "www.example"); err != nil {
			b.Fatal(err)
		}
	}
}
