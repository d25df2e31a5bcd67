package stack

import (
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"testing"

	"cairn/libos"
	"cairn/libos/libostest"
	"cairn/net/cable"
)

// Addresses of the two stations of a test.
var (
	a4 = netip.MustParsePrefix("192.0.2.1/24")
	b4 = netip.MustParsePrefix("192.0.2.2/24")
	a6 = netip.MustParsePrefix("2001:db8::1/64")
	b6 = netip.MustParsePrefix("2001:db8::2/64")
)

// random returns a seeded source.
func random(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

// open returns a stack on a link, which is closed when the test ends.
func open(t testing.TB, l libos.Link, o Options) *Stack {
	t.Helper()
	o.NoProbes = true
	s, err := New(l, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// pair returns two stacks with a cable between them.
func pair(t testing.TB, o cable.Options) (a, b *Stack) {
	t.Helper()
	x, y := cable.New(o)
	libostest.KeepPcap(t, x)
	a = open(t, x, Options{IPv4: a4, IPv6: []netip.Prefix{a6}, Random: random(1)})
	b = open(t, y, Options{IPv4: b4, IPv6: []netip.Prefix{b6}, Random: random(2)})
	return a, b
}

// namedPair is pair with a name server at b, and an address at which nobody answers.
func namedPair(t *testing.T, o cable.Options) libostest.Pair {
	x, y := cable.New(o)
	libostest.KeepPcap(t, x)
	server := netip.AddrPortFrom(b4.Addr(), 53)
	a := open(t, x, Options{IPv4: a4, IPv6: []netip.Prefix{a6}, DNS: []netip.AddrPort{server}, Random: random(1)})
	b := open(t, y, Options{IPv4: b4, IPv6: []netip.Prefix{b6}, Random: random(2)})
	libostest.ServeDNS(t, b, server.String(), "b.test. 60 IN A "+b4.Addr().String()+"\nb.test. 60 IN AAAA "+b6.Addr().String())
	return libostest.Pair{
		A: a, B: b, A4: a4.Addr(), B4: b4.Addr(), A6: a6.Addr(), B6: b6.Addr(),
		Name: "b.test", Unknown: "nobody.test",
		Silent: netip.AddrPortFrom(a4.Addr().Next().Next(), 7),
	}
}

func TestNet(t *testing.T) {
	for _, c := range []struct {
		name    string
		offload []bool
	}{
		{"Plain", nil},
		{"Offload", []bool{true, true}},
		{"OneOffload", []bool{true, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "OneOffload" && os.Getenv("CAIRN_LONG") == "" {
				t.Skip("CAIRN_LONG is not set")
			}
			libostest.TestNet(t, func(t *testing.T) libostest.Pair {
				return namedPair(t, cable.Options{Offload: c.offload})
			})
		})
	}
}
