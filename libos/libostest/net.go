package libostest

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"cairn/libos"
)

// A Pair is two networks that reach each other, or one twice.
type Pair struct {
	A, B libos.Net

	// The addresses of A and of B, of one family or of both; zero where there is none.
	A4, B4 netip.Addr
	A6, B6 netip.Addr

	// Name is what A's resolver calls B: it has one or more of B's addresses and no others. Empty:
	// names are not tried.
	Name string
	// Unknown is a name of which A's resolver learns that it does not exist. Empty: not tried.
	Unknown string

	// Silent is where A can dial and nothing ever comes back. Zero: a Dial that is
	// cancelled while it waits is not tried.
	Silent netip.AddrPort
}

// TestNet runs the suite for a libos.Net. open makes a fresh Pair for one test and
// leaves what has to be closed to t.Cleanup:
//
//	libostest.TestNet(t, func(t *testing.T) libostest.Pair {
//		x, y := cable.New(cable.Options{})
//		libostest.KeepPcap(t, x)
//		a, b := attach(t, x), attach(t, y)
//		return libostest.Pair{A: a, B: b, A4: addrA, B4: addrB}
//	})
//
// It may lose frames: the suite asks for what a network does in the end, and only
// gives up after minutes.
func TestNet(t *testing.T, open func(t *testing.T) Pair) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s *side)
	}{
		{"Echo", testEcho},
		{"Addresses", testAddresses},
		{"Deadlines", testDeadlines},
		{"DeadlineWakes", testDeadlineWakes},
		{"HalfClose", testHalfClose},
		{"Reset", testReset},
		{"CopyFrom", testCopyFrom},
		{"CopyTo", testCopyTo},
		{"CloseEndsRead", testCloseEndsRead},
		{"CloseEndsAccept", testCloseEndsAccept},
		{"ListenAgain", testListenAgain},
		{"Refused", testRefused},
		{"EndedContext", testEndedContext},
		{"Families", testFamilies},
		{"Datagrams", testDatagrams},
		{"DatagramDial", testDatagramDial},
		{"DatagramDeadline", testDatagramDeadline},
		{"ManyConnections", testManyConnections},
		{"BulkBothWays", testBulk},
		{"HTTP", testHTTP},
		{"TLS", testTLS},
		{"Conn", testConn},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, version := range []string{"4", "6"} {
				t.Run("v"+version, func(t *testing.T) {
					c.test(t, newSide(t, open(t), version))
				})
			}
		})
	}
	for _, c := range []struct {
		name string
		test func(t *testing.T, p Pair)
	}{
		{"Cancelled", testCancelled},
		{"Wildcard", testWildcard},
		{"BadAddresses", testBadAddresses},
		{"DialByName", testDialByName},
		{"Lookup", testLookup},
		{"UnknownName", testUnknownName},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// patience bounds what ought to take no time.
const patience = 2 * time.Minute

// A side is a Pair seen through one family of addresses.
type side struct {
	Pair
	version string // "4" or "6"
	a, b    netip.Addr
	ctx     context.Context
}

func newSide(t *testing.T, p Pair, version string) *side {
	s := &side{Pair: p, version: version, a: p.A4, b: p.B4, ctx: contextFor(t)}
	if version == "6" {
		s.a, s.b = p.A6, p.B6
	}
	if !s.b.IsValid() {
		t.Skipf("no IPv%s on this network", version)
	}
	return s
}

func contextFor(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// listen listens for streams at B.
func (s *side) listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := s.B.Listen(s.ctx, "tcp", netip.AddrPortFrom(s.b, 0).String())
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// dial dials a listener at B from A.
func (s *side) dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := s.A.Dial(s.ctx, "tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	return keep(t, c)
}

// connect returns both ends of a stream, A's first.
func (s *side) connect(t *testing.T, l net.Listener) (a, b net.Conn) {
	t.Helper()
	a = s.dial(t, l)
	b, err := l.Accept()
	if err != nil {
		t.Fatalf("accept: %v", err)
	}
	return a, keep(t, b)
}

// keep closes a connection when the test ends and bounds its time.
func keep(t *testing.T, c net.Conn) net.Conn {
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Errorf("set deadline: %v", err)
	}
	return c
}

func port(a net.Addr) string {
	_, p, _ := net.SplitHostPort(a.String())
	return p
}

// testConn runs the suite of golang.org/x/net for connections.
func testConn(t *testing.T, s *side) {
	l := s.listen(t)
	nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
		if a, err = s.A.Dial(s.ctx, "tcp", l.Addr().String()); err != nil {
			return nil, nil, nil, err
		}
		if b, err = l.Accept(); err != nil {
			a.Close()
			return nil, nil, nil, err
		}
		return a, b, func() { a.Close(); b.Close() }, nil
	})
}

// at returns the address of a port as a string.
func at(a netip.Addr, port string) string {
	n, _ := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(a, uint16(n)).String()
}
