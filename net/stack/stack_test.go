package stack

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"cairn/libos"
	"cairn/net/cable"
)

// accept returns the two ends of a connection from a to b.
func accept(t testing.TB, l net.Listener, a libos.Net) (client, server net.Conn) {
	t.Helper()
	client, err := a.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

func listen(t testing.TB, n libos.Net, address string) net.Listener {
	t.Helper()
	l, err := n.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// pass sends n bytes from one end to the other and compares.
func pass(t testing.TB, from, to net.Conn, n int) {
	t.Helper()
	sent := bytes.Repeat([]byte("abcdefghijklmnopqrstuvwxyz."), n/27+1)[:n]
	go func() {
		if _, err := io.Copy(from, bytes.NewReader(sent)); err != nil {
			t.Errorf("send: %v", err)
		}
		from.(*Conn).CloseWrite()
	}()
	var got bytes.Buffer
	if _, err := io.Copy(&got, to); err != nil {
		t.Fatalf("receive: %v", err)
	}
	if !bytes.Equal(got.Bytes(), sent) {
		t.Errorf("got %d bytes that differ from the %d sent", got.Len(), n)
	}
}

// TestBadWire sends over a cable that loses, doubles and reorders.
func TestBadWire(t *testing.T) {
	a, b := pair(t, cable.Options{Seed: 3, Loss: 0.02, Duplicate: 0.02, Reorder: 0.02, Delay: time.Millisecond})
	l := listen(t, b, b4.Addr().String()+":7")
	client, server := accept(t, l, a)
	pass(t, client, server, 512<<10)
	pass(t, server, client, 512<<10)
}

// TestCloseSends makes sure that what was written before everything is closed arrives.
func TestCloseSends(t *testing.T) {
	a, b := pair(t, cable.Options{Delay: 5 * time.Millisecond})
	l := listen(t, b, ":7")
	client, err := a.Dial(t.Context(), "tcp", netip.AddrPortFrom(b4.Addr(), 7).String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("last words ", 5000)
	if _, err := io.WriteString(client, text); err != nil {
		t.Fatal(err)
	}
	client.Close()
	a.Close()
	got, err := io.ReadAll(server)
	if err != nil || string(got) != text {
		t.Errorf("got %d bytes, %v, want %d", len(got), err, len(text))
	}
}

// TestCloseEndsAll makes sure that no goroutine of a stack outlives it.
func TestCloseEndsAll(t *testing.T) {
	before := runtime.NumGoroutine()
	x, y := cable.New(cable.Options{})
	a, err := New(x, Options{IPv4: a4, NoProbes: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(y, Options{DHCP: true, SLAAC: true})
	if err != nil {
		t.Fatal(err)
	}
	l, err := a.Listen(t.Context(), "tcp", ":7")
	if err != nil {
		t.Fatal(err)
	}
	client, server := accept(t, loop{l}, a)
	go io.Copy(io.Discard, server)
	done := make(chan error, 1)
	go func() {
		_, err := client.Read(make([]byte, 1))
		done <- err
	}()
	for _, s := range []*Stack{a, b} {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("close again: %v, want net.ErrClosed", err)
		}
	}
	if err := <-done; err == nil {
		t.Error("a Read under way ended without an error")
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v, want net.ErrClosed", err)
	}
	if _, err := a.Dial(t.Context(), "tcp", "127.0.0.1:7"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial: %v, want net.ErrClosed", err)
	}
	if err := b.Wait(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("wait: %v, want %v", err, errClosed)
	}
	deadline := time.Now().Add(2 * time.Minute)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		runtime.Gosched()
	}
}

// loop is a listener on every address, dialled over loopback.
type loop struct{ net.Listener }

func (l loop) Addr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(l.Listener.Addr().(*net.TCPAddr).Port)))
}

// TestIdle measures what a connection costs that does nothing.
func TestIdle(t *testing.T) {
	const conns, limit = 500, 12 << 10
	a, b := pair(t, cable.Options{})
	l := listen(t, b, b4.Addr().String()+":7")
	var keep []net.Conn
	open := func(n int) {
		for range n {
			client, server := accept(t, l, a)
			keep = append(keep, client, server)
		}
	}
	open(20)
	before := heap()
	open(conns)
	each := (heap() - before) / (2 * conns)
	t.Logf("an idle connection costs %d bytes", each)
	if each > limit && !raceDetector {
		t.Errorf("an idle connection costs %d bytes, want at most %d", each, limit)
	}
	runtime.KeepAlive(keep)
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// TestConfiguration has options that cannot be.
// TestReady makes sure that nobody is told of an address before there are the routes that come
// with it.
func TestReady(t *testing.T) {
	c := newConfig(Options{SLAAC: true})
	c.inUse[a6.Addr()] = announced
	if !c.ready() {
		t.Error("an address, and no routes to be made: got not ready")
	}
	c.touch()
	if c.ready() {
		t.Error("an address, and routes still to be made: got ready")
	}
}

func TestConfiguration(t *testing.T) {
	for name, o := range map[string]Options{
		"given and leased": {IPv4: a4, DHCP: true},
		"IPv6 as IPv4":     {IPv4: a6},
		"IPv4 as IPv6":     {IPv6: []netip.Prefix{a4}},
		"no gateway":       {Gateways: []netip.Addr{{}}},
	} {
		x, _ := cable.New(cable.Options{})
		if s, err := New(x, o); err == nil {
			t.Errorf("%s: got a stack", name)
			s.Close()
		}
	}
}

// TestTwice gives both stations one address: the second one hears of it.
func TestTwice(t *testing.T) {
	x, y := cable.New(cable.Options{})
	open(t, x, Options{IPv6: []netip.Prefix{a6}})
	b, err := New(y, Options{IPv6: []netip.Prefix{a6}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Wait(t.Context()); err == nil {
		t.Error("got an address that somebody has")
	}
}
