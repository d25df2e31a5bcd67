package auth

import (
	"context"
	"crypto"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// zone is a Resolver over a few names, those without a last dot.
type zone struct {
	txt   map[string][]string
	mx    map[string][]string
	ip    map[string][]string
	ptr   map[string][]string
	fail  map[string]bool // names of which nothing can be found out
	delay func(ctx context.Context, name string) error
	asked atomic.Int32

	mu    sync.Mutex
	names []string
}

func (z *zone) ask(ctx context.Context, m map[string][]string, name string) ([]string, error) {
	z.asked.Add(1)
	name = strings.TrimSuffix(name, ".")
	z.mu.Lock()
	z.names = append(z.names, name)
	z.mu.Unlock()
	if z.delay != nil {
		if err := z.delay(ctx, name); err != nil {
			return nil, err
		}
	}
	if z.fail[name] {
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	if all := m[name]; len(all) > 0 {
		return all, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (z *zone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return z.ask(ctx, z.txt, name)
}

func (z *zone) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	all, err := z.ask(ctx, z.mx, name)
	var out []*net.MX
	for _, host := range all {
		out = append(out, &net.MX{Host: host + ".", Pref: 10})
	}
	return out, err
}

func (z *zone) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	all, err := z.ask(ctx, z.ip, host)
	var out []netip.Addr
	for _, s := range all {
		if a := netip.MustParseAddr(s); network == "ip" || a.Is4() == (network == "ip4") {
			out = append(out, a)
		}
	}
	if err == nil && len(out) == 0 {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return out, err
}

func (z *zone) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	all, err := z.ask(ctx, z.ptr, addr)
	var out []string
	for _, s := range all {
		out = append(out, s+".")
	}
	return out, err
}

func (z *zone) LookupCNAME(ctx context.Context, host string) (string, error) { return host + ".", nil }

// publish puts a signer's keys in the zone.
func (z *zone) publish(t testing.TB, s *Signer) {
	t.Helper()
	if z.txt == nil {
		z.txt = map[string][]string{}
	}
	for _, k := range s.Keys {
		record, err := KeyRecord(k.Key.Public())
		if err != nil {
			t.Fatal(err)
		}
		z.txt[k.Selector+"._domainkey."+s.Domain] = []string{record}
	}
}

// testKeys are made once: an RSA key takes its time.
var testKeys = sync.OnceValue(func() []Key {
	r, e, err := NewKeys()
	if err != nil {
		panic(err)
	}
	return []Key{{"rsa", crypto.Signer(r)}, {"ed", crypto.Signer(e)}}
})

func testSigner(domain string) *Signer {
	return &Signer{Domain: domain, Keys: testKeys(), Now: func() time.Time { return testTime }}
}

var testTime = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func testChecker(z *zone) *Checker {
	return &Checker{Resolver: z, ID: "mx.example.net", Now: func() time.Time { return testTime }}
}

// lines makes a message of lines.
func lines(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

var plain = lines(`From: Alice <alice@example.org>
To: bob@example.net
Subject: the garden
 on Sunday
Date: Sat, 21 Nov 2026 12:00:00 +0000
Message-ID: <1@example.org>

Hello  Bob,	
come at four.

-- 
Alice


`)

func verdicts(all []Signature) string {
	var out []string
	for _, s := range all {
		out = append(out, string(s.Verdict))
	}
	return strings.Join(out, " ")
}
