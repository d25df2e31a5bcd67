// Package loopback keeps ports of 127.0.0.1 for tests whose servers go away and
// come back.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A Port is a port that nobody else gets for as long as the test runs. While
// nobody listens on it, connections are refused.
//
// It is held by a socket that is bound and never listens. Linux lets a second
// socket bind the same port when both have SO_REUSEADDR and neither listens yet
// (socket(7)), which servers set, and hands such a port to nobody who asks for any.
type Port struct{ addr netip.AddrPort }

// Reserve takes a free port until the test ends.
func Reserve(t testing.TB) *Port {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		t.Fatal(err)
	}
	local := [4]byte{127, 0, 0, 1}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: local}); err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := bound.(*unix.SockaddrInet4).Port
	return &Port{netip.AddrPortFrom(netip.AddrFrom4(local), uint16(port))}
}

// Addr returns the address, such as 127.0.0.1:40123.
func (p *Port) Addr() string { return p.addr.String() }

// Number returns the port's number.
func (p *Port) Number() string { return fmt.Sprint(p.addr.Port()) }

// patience is how long a listener may outlive its end: another process that this one
// starts in that moment holds a copy until it runs its own program.
const patience = time.Minute

// Listen listens on the port. The caller closes the listener, and may listen again.
func (p *Port) Listen() (net.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false) // it would answer with resets of its own
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		l, err := config.Listen(context.Background(), "tcp4", p.Addr())
		if !errors.Is(err, syscall.EADDRINUSE) || time.Since(start) > patience {
			return l, err
		}
	}
}

// Quiet returns once connections are refused, after the listener has been closed.
func (p *Port) Quiet() error {
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		c, err := net.Dial("tcp4", p.Addr())
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil
		}
		if err == nil {
			c.Close()
		}
		if time.Since(start) > patience {
			return fmt.Errorf("%s still accepts connections", p.Addr())
		}
	}
}
