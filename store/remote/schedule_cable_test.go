package remote_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"cairn/internal/fault"
	"cairn/libos/libostest"
	"cairn/net/cable"
	"cairn/net/stack"
)

// A wire is a replica's way to its proxy: the host's own sockets or, in a share of the
// schedules, TCP/IP in the process over a bad cable.
type wire struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	cut  func(bool) // nil: there is no cable
}

// Addresses of the two ends of a cable, of which the far one leads to the proxy.
var (
	near = netip.MustParsePrefix("192.0.2.1/24")
	far  = netip.MustParsePrefix("192.0.2.2/24")
)

const farPort = "192.0.2.2:9418"

// newCable lays a cable that loses, delays, doubles and reorders frames.
func newCable(t *testing.T, seed uint64, p *fault.Proxy) wire {
	t.Helper()
	x, y := cable.New(cable.Options{
		Seed: seed, Loss: 0.01, Duplicate: 0.01, Reorder: 0.02,
		Delay: 500 * time.Microsecond, Jitter: time.Millisecond,
	})
	libostest.KeepPcap(t, x)
	a, b := newStack(t, x, near, seed), newStack(t, y, far, seed+1)
	l, err := b.Listen(t.Context(), "tcp", farPort)
	if err != nil {
		t.Fatal(err)
	}
	var relays sync.WaitGroup
	relays.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // it has been closed
			}
			relays.Go(func() { relay(c, p) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.Sever()
		relays.Wait()
	})
	return wire{
		dial: func(ctx context.Context, network, _ string) (net.Conn, error) { return a.Dial(ctx, network, farPort) },
		cut: func(cut bool) {
			if cut {
				x.Cut()
			} else {
				x.Restore()
			}
		},
	}
}

func newStack(t *testing.T, port *cable.Port, addr netip.Prefix, seed uint64) *stack.Stack {
	t.Helper()
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	s, err := stack.New(port, stack.Options{IPv4: addr, Random: rand.NewChaCha8(key), NoProbes: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// relay joins a connection to one to the proxy.
func relay(c net.Conn, p *fault.Proxy) {
	defer c.Close()
	on, err := p.Dial(context.Background(), "tcp", "")
	if err != nil {
		return
	}
	defer on.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(c, on) // it ends when either end does
		c.Close()
	})
	_, _ = io.Copy(on, c)
	on.Close()
	back.Wait()
}
