package libostest

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// testRefused dials a port on which nobody listens and nobody can begin to:
// A's end of a connection holds it.
func testRefused(t *testing.T, s *side) {
	_, b := s.connect(t, s.listen(t))
	c, err := s.B.Dial(s.ctx, "tcp", b.RemoteAddr().String())
	if err == nil {
		c.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, want ECONNREFUSED", err)
	}
	if op := (*net.OpError)(nil); !errors.As(err, &op) || op.Op != "dial" {
		t.Errorf("dial: %T, want a *net.OpError that says dial", err)
	}
}

func testEndedContext(t *testing.T, s *side) {
	l := s.listen(t)
	ended, cancel := context.WithCancel(s.ctx)
	cancel()
	for _, network := range []string{"tcp", "udp"} {
		c, err := s.A.Dial(ended, network, l.Addr().String())
		if err == nil {
			c.Close()
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("dial %s with a context that has ended: %v, want context.Canceled", network, err)
		}
	}
	exceeded, cancel := context.WithTimeout(s.ctx, 0)
	defer cancel()
	_, err := s.A.Dial(exceeded, "tcp", l.Addr().String())
	if timeout := net.Error(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("dial with a deadline in the past: %v, want a timeout", err)
	}
}

// testCancelled ends a Dial that waits, most likely, for an answer.
func testCancelled(t *testing.T, p Pair) {
	if !p.Silent.IsValid() {
		t.Skip("there is nobody on this network who stays silent")
	}
	const moment = 50 * time.Millisecond
	ctx, cancel := context.WithCancel(contextFor(t))
	defer cancel()
	time.AfterFunc(moment, cancel)
	if c, err := p.A.Dial(ctx, "tcp", p.Silent.String()); !errors.Is(err, context.Canceled) {
		t.Errorf("dial that was cancelled: %v, %v, want context.Canceled", c, err)
	}
	ctx, cancel = context.WithTimeout(contextFor(t), moment)
	defer cancel()
	_, err := p.A.Dial(ctx, "tcp", p.Silent.String())
	if timeout := net.Error(nil); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("dial beyond its deadline: %v, want a timeout", err)
	}
}

// testFamilies asks for one family by the name of the network.
func testFamilies(t *testing.T, s *side) {
	other := map[string]string{"4": "6", "6": "4"}[s.version]
	l, err := s.B.Listen(s.ctx, "tcp"+s.version, at(s.b, "0"))
	if err != nil {
		t.Fatalf("listen tcp%s: %v", s.version, err)
	}
	defer l.Close()
	c, err := s.A.Dial(s.ctx, "tcp"+s.version, l.Addr().String())
	if err != nil {
		t.Fatalf("dial tcp%s: %v", s.version, err)
	}
	keep(t, c)
	accepted, err := l.Accept()
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	exchange(t, c, keep(t, accepted), "hello")
	if c, err := s.A.Dial(s.ctx, "tcp"+other, l.Addr().String()); err == nil {
		c.Close()
		t.Errorf("dial tcp%s reached %s", other, l.Addr())
	}
	if l, err := s.B.Listen(s.ctx, "tcp"+other, at(s.b, "0")); err == nil {
		l.Close()
		t.Errorf("listen tcp%s at %v gave %s", other, s.b, l.Addr())
	}
}

// testWildcard listens without an address, which means on all.
func testWildcard(t *testing.T, p Pair) {
	ctx := contextFor(t)
	l, err := p.B.Listen(ctx, "tcp", ":0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer l.Close()
	for _, addr := range []netip.Addr{p.B4, p.B6} {
		if !addr.IsValid() {
			continue
		}
		c, err := p.A.Dial(ctx, "tcp", at(addr, port(l.Addr())))
		if err != nil {
			t.Errorf("dial %v: %v", addr, err)
			continue
		}
		keep(t, c)
		b, err := l.Accept()
		if err != nil {
			t.Fatalf("accept: %v", err)
		}
		exchange(t, c, keep(t, b), "hello")
		if got := b.LocalAddr().(*net.TCPAddr).AddrPort().Addr().Unmap(); got != addr {
			t.Errorf("accepted at %v, want %v", got, addr)
		}
	}
}

func testBadAddresses(t *testing.T, p Pair) {
	ctx := contextFor(t)
	for _, c := range []struct{ network, address string }{
		{"tcp", "127.0.0.1"},
		{"tcp", "127.0.0.1:99999"},
		{"tcp", "127.0.0.1:-1"},
		{"tcp", "::1:80"},
		{"tcp", ""},
		{"smoke", "127.0.0.1:80"},
		{"", "127.0.0.1:80"},
	} {
		conn, err := p.A.Dial(ctx, c.network, c.address)
		if err == nil {
			conn.Close()
		}
		badAddress(t, "dial", c.network, c.address, err)
		l, err := p.A.Listen(ctx, c.network, c.address)
		if err == nil {
			l.Close()
		}
		if c.address != "" {
			badAddress(t, "listen", c.network, c.address, err)
		}
	}
}

func badAddress(t *testing.T, op, network, address string, err error) {
	t.Helper()
	if e := (*net.OpError)(nil); !errors.As(err, &e) || e.Op != op {
		t.Errorf("%s %q %q: %v (%T), want a *net.OpError that says %s", op, network, address, err, err, op)
	}
}
