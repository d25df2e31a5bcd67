package main

import (
	"net"
	"net/netip"
	"testing"

	"cairn/cmd/setup"
	"cairn/libos"
)

// bound is a listener that only says where it is.
type bound struct {
	net.Listener
	at string
}

func (b bound) Addr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(b.at)) }

// TestDavBase makes sure that devices are told an address that leads here: where this machine may
// have any, it is the one that a page was asked at.
func TestDavBase(t *testing.T) {
	own := []netip.Addr{netip.MustParseAddr("192.0.2.7")}
	for _, c := range []struct {
		at    string
		addrs []netip.Addr
		want  string
	}{
		{"127.0.0.1:8082", nil, "http://localhost:8082"},
		{"192.0.2.9:8082", nil, "http://192.0.2.9:8082"},
		{"[::]:8082", nil, ""},
		{"0.0.0.0:8082", nil, ""},
		{"[::]:8082", own, "http://192.0.2.7:8082"},
	} {
		p := &process{env: libos.Env{Addrs: c.addrs}, web: &setup.Web{}, dav: bound{at: c.at}}
		if got := p.davBase(); got != c.want {
			t.Errorf("%s, %v: got %q, want %q", c.at, c.addrs, got, c.want)
		}
	}
}
