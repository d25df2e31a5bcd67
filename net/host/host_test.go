package host_test

import (
	"net"
	"net/netip"
	"testing"

	"cairn/libos"
	"cairn/libos/libostest"
	"cairn/net/host"
)

// loopback is the host's network twice, on its loopback addresses.
func loopback(n libos.Net) libostest.Pair {
	p := libostest.Pair{A: n, B: n, A4: netip.MustParseAddr("127.0.0.1"), B4: netip.MustParseAddr("127.0.0.1")}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		l.Close()
		p.A6, p.B6 = netip.IPv6Loopback(), netip.IPv6Loopback()
	}
	return p
}

func TestNet(t *testing.T) {
	libostest.TestNet(t, func(t *testing.T) libostest.Pair {
		p := loopback(host.New(host.Options{}))
		p.Name = "localhost"
		return p
	})
}
