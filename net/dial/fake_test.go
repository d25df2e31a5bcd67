package dial_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"cairn/libos"
)

// A lookup is what the fake resolver does for one family.
type lookup struct {
	after     time.Duration
	addresses []string
	err       error
}

// names is a libos.Resolver with a script, by network.
type names struct {
	libos.Resolver
	script map[string]lookup
}

func (n names) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	l, ok := n.script[network]
	if !ok {
		l.err = notFound(host)
	}
	if err := wait(ctx, l.after); err != nil {
		return nil, err
	}
	var all []netip.Addr
	for _, a := range l.addresses {
		all = append(all, netip.MustParseAddr(a))
	}
	return all, l.err
}

func notFound(host string) error {
	return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func wait(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A host is how a fake address answers: after a time, with an error or nil. Stubborn
// ones do not hear that they are cancelled.
type host struct {
	after    time.Duration
	err      error
	stubborn bool
}

// wires is a network with a script, by address. It notes what is tried when.
type wires struct {
	script map[string]host
	start  time.Time

	mu     sync.Mutex
	tried  []string
	open   int
	cancel int
}

func (w *wires) connect(ctx context.Context, network string, a netip.AddrPort) (net.Conn, error) {
	w.mu.Lock()
	w.tried = append(w.tried, fmt.Sprintf("%v %v", time.Since(w.start).Milliseconds(), a.Addr()))
	h, ok := w.script[a.Addr().String()]
	w.mu.Unlock()
	if !ok {
		h = host{after: time.Hour}
	}
	if h.stubborn {
		ctx = context.WithoutCancel(ctx)
	}
	if err := wait(ctx, h.after); err != nil {
		w.mu.Lock()
		w.cancel++
		w.mu.Unlock()
		return nil, err
	}
	if h.err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: net.TCPAddrFromAddrPort(a), Err: h.err}
	}
	w.mu.Lock()
	w.open++
	w.mu.Unlock()
	return &conn{wires: w, to: a}, nil
}

type conn struct {
	net.Conn
	wires *wires
	to    netip.AddrPort
}

func (c *conn) Close() error {
	c.wires.mu.Lock()
	defer c.wires.mu.Unlock()
	c.wires.open--
	return nil
}
