package libos

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
)

// An Env is what a service is handed: what its manifest names, and nothing else.
type Env struct {
	Net  Net // limited to the manifest's ports and peers
	Args Args
	Log  *slog.Logger

	State string // path of the manifest's folder; "" where there is none or none was given

	Out, Err io.Writer // what it has to say to a person, and what went wrong

	// Addrs are the machine's addresses on a network of its own, for telling
	// people. On the host's network they are not known: nil.
	Addrs []netip.Addr

	Manifest Manifest
}

// Listen opens the port of that name where the arguments say.
func (e Env) Listen(ctx context.Context, name string) (net.Listener, error) {
	p := e.port(name)
	address, fallback := e.Args.String(name), ""
	if address == "" {
		address, fallback = p.address(e.Addrs != nil)
	}
	l, err := e.Net.Listen(ctx, p.network(), address)
	if err != nil && fallback != "" {
		if free, freeErr := e.Net.Listen(ctx, p.network(), fallback); freeErr == nil {
			return free, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --%s, port 0 takes a free one", err, name)
	}
	return l, nil
}

// Listens reports whether the port of that name is to be opened at all.
func (e Env) Listens(name string) bool {
	address, _ := e.port(name).address(e.Addrs != nil)
	return e.Args.String(name) != "" || address != ""
}

func (e Env) port(name string) Port {
	for _, p := range e.Manifest.Ports {
		if p.Name == name {
			return p
		}
	}
	panic(fmt.Sprintf("libos: the manifest declares no port %q", name))
}

func (p Port) network() string {
	if p.Network == "" {
		return "tcp"
	}
	return p.Network
}

// address is where the port is when nothing is said, and where else it may be.
func (p Port) address(own bool) (address, fallback string) {
	if own && p.Own != "" {
		return p.Own, ""
	}
	if host, _, err := net.SplitHostPort(p.Host); err == nil {
		fallback = net.JoinHostPort(host, "0")
	}
	return p.Host, fallback
}

// Address is where others reach l, as host:port: what listens on every address of
// a network of its own is told under the first of them.
func (e Env) Address(l net.Listener) string {
	at, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil || !at.Addr().IsUnspecified() || len(e.Addrs) == 0 {
		return l.Addr().String()
	}
	return netip.AddrPortFrom(e.Addrs[0], at.Port()).String()
}
