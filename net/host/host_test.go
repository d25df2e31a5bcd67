package host_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"cairn/libos"
	"cairn/libos/libostest"
	"cairn/net/host"
)

// loopback is the host's network twice, on its loopback addresses.
func loopback(t *testing.T, n libos.Net) libostest.Pair {
	v4, v6 := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	p := libostest.Pair{A: n, B: n, A4: v4, B4: v4}
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Logf("this machine has no IPv6: %v", err)
		return p
	}
	l.Close()
	p.A6, p.B6 = v6, v6
	return p
}

// silent returns an address at which a listener has no room for another connection, so
// that the kernel passes over those who knock; zero where the kernel finds room for more.
func silent(t *testing.T) netip.AddrPort {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	own, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(own.(*syscall.SockaddrInet4).Port))
	const sure = 3 // one who is passed over may have been too slow
	for tries, silence := 0, 0; tries < 20; tries++ {
		c, err := net.DialTimeout("tcp", addr.String(), 500*time.Millisecond)
		if err == nil {
			t.Cleanup(func() { c.Close() })
			silence = 0
		} else if silence++; silence == sure {
			return addr
		}
	}
	return netip.AddrPort{}
}

func TestNet(t *testing.T) {
	nobody := silent(t)
	libostest.TestNet(t, func(t *testing.T) libostest.Pair {
		p := loopback(t, host.New(host.Options{}))
		p.Name, p.Silent = "localhost", nobody
		return p
	})
}

// zone has names for what is on loopback.
const zone = `
peer.test.  60 IN A    127.0.0.1
peer.test.  60 IN AAAA ::1
`

func TestNetWithNameServers(t *testing.T) {
	server := libostest.ServeDNS(t, host.New(host.Options{}), "127.0.0.1:0", zone)
	nobody := silent(t)
	libostest.TestNet(t, func(t *testing.T) libostest.Pair {
		p := loopback(t, host.New(host.Options{DNS: []netip.AddrPort{server}}))
		p.Name, p.Unknown, p.Silent = "peer.test", "nobody.test", nobody
		return p
	})
}

func TestListenOnName(t *testing.T) {
	server := libostest.ServeDNS(t, host.New(host.Options{}), "127.0.0.1:0", zone)
	n := host.New(host.Options{DNS: []netip.AddrPort{server}})
	l, err := n.Listen(t.Context(), "tcp", "peer.test:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := l.Addr().(*net.TCPAddr).IP.String(); got != "127.0.0.1" {
		t.Errorf("listening at %s, want 127.0.0.1", got)
	}
	p, err := n.ListenPacket(t.Context(), "udp4", "peer.test:0")
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if l, err := n.Listen(t.Context(), "tcp", "nobody.test:0"); err == nil {
		l.Close()
		t.Error("listening at a name that does not exist")
	}
}

// TestNoMultipath: sandboxes that do not see MPTCP would be got round.
func TestNoMultipath(t *testing.T) {
	n := host.New(host.Options{})
	l, err := n.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := n.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if on, err := c.(*net.TCPConn).MultipathTCP(); on || err != nil {
		t.Errorf("multipath TCP: %v, %v, want none", on, err)
	}
}

func ExampleNew() {
	n := host.New(host.Options{})
	l, err := n.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	c, err := n.Dial(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Println(c.RemoteAddr().String() == l.Addr().String())
	// Output: true
}
