package libos

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// A listenOnly network takes note of where it is asked to listen.
type listenOnly struct {
	Net
	asked []string
	fails map[string]bool
}

var errTaken = errors.New("taken")

func (n *listenOnly) Listen(_ context.Context, network, address string) (net.Listener, error) {
	n.asked = append(n.asked, network+" "+address)
	if n.fails[address] {
		return nil, errTaken
	}
	at, err := net.ResolveTCPAddr("tcp", address)
	return bound{addr: at}, err
}

type bound struct {
	net.Listener
	addr net.Addr
}

func (b bound) Addr() net.Addr { return b.addr }

func TestEnvListen(t *testing.T) {
	own := []netip.Addr{netip.MustParseAddr("192.0.2.7")}
	for _, c := range []struct {
		name  string
		args  string
		addrs []netip.Addr
		fails map[string]bool
		asked string
		err   error
	}{
		{name: "by itself", asked: "tcp 127.0.0.1:8080"},
		{name: "taken", fails: map[string]bool{"127.0.0.1:8080": true}, asked: "tcp 127.0.0.1:8080, tcp 127.0.0.1:0"},
		{name: "all taken", fails: map[string]bool{"127.0.0.1:8080": true, "127.0.0.1:0": true}, asked: "tcp 127.0.0.1:8080, tcp 127.0.0.1:0", err: errTaken},
		{name: "told", args: "--http [::1]:81", asked: "tcp [::1]:81"},
		{name: "told, and taken", args: "--http [::1]:81", fails: map[string]bool{"[::1]:81": true}, asked: "tcp [::1]:81", err: errTaken},
		{name: "of its own", addrs: own, asked: "tcp :80"},
		{name: "of its own, and taken", addrs: own, fails: map[string]bool{":80": true}, asked: "tcp :80", err: errTaken},
	} {
		a, err := sample.Parse(strings.Fields(c.args), nil)
		if err != nil {
			t.Fatal(err)
		}
		n := &listenOnly{fails: c.fails}
		_, err = Env{Net: n, Args: a, Addrs: c.addrs, Manifest: sample}.Listen(t.Context(), "http")
		if !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.err)
		}
		if got := strings.Join(n.asked, ", "); got != c.asked {
			t.Errorf("%s: listened on %s, want %s", c.name, got, c.asked)
		}
	}
}

func TestShare(t *testing.T) {
	for _, c := range []struct{ memory, usual, parts, want int64 }{
		{0, 64, 10, 64},
		{1000, 64, 10, 64},
		{100, 64, 10, 10},
	} {
		if got := (Env{Memory: c.memory}).Share(c.usual, c.parts); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

func TestEnvAddress(t *testing.T) {
	own := []netip.Addr{netip.MustParseAddr("2001:db8::7"), netip.MustParseAddr("192.0.2.7")}
	for _, c := range []struct {
		bound string
		addrs []netip.Addr
		want  string
	}{
		{"127.0.0.1:80", nil, "127.0.0.1:80"},
		{"[::]:80", nil, "[::]:80"},
		{"[::]:80", own, "[2001:db8::7]:80"},
		{"192.0.2.7:80", own, "192.0.2.7:80"},
	} {
		l := bound{addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.bound))}
		if got := (Env{Addrs: c.addrs}).Address(l); got != c.want {
			t.Errorf("%s: got %s, want %s", c.bound, got, c.want)
		}
	}
}
