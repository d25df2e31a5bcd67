package imap

import (
	"context"
	"net"
	"net/netip"
	"sync"

	"github.com/emersion/go-imap/v2/imapserver"
)

// A gate is the listener as the library sees it: it lets connections in that there is
// room for, each behind a front.
type gate struct {
	net.Listener
	server *Server
	ctx    context.Context // ends with the service
	secure bool

	all    sync.WaitGroup // sessions, and words to those that were not let in
	mu     sync.Mutex
	fronts map[*front]bool
	closed bool
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := address(conn.RemoteAddr())
		if !g.server.count.enter(from) {
			g.refuse(conn)
			continue
		}
		f := newFront(g.server, conn, from, g.leave)
		if g.secure {
			f.wire.startTLS(g.server.TLS)
		}
		if !g.enter(f) {
			f.Close()
			return nil, net.ErrClosed
		}
		return f, nil
	}
}

// refuse tells a client, in the clear, that there is no room. It may wait for no client.
func (g *gate) refuse(conn net.Conn) {
	conn.SetDeadline(soon(closeTime))
	g.all.Go(func() {
		defer conn.Close()
		conn.Write([]byte("* BYE [UNAVAILABLE] There are too many connections: close some, or try again later\r\n"))
	})
}

func (g *gate) enter(f *front) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.fronts[f] = true
		g.all.Add(1)
	}
	return !g.closed
}

func (g *gate) leave(f *front) {
	g.server.count.leave(f.from)
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.fronts, f)
}

// goodbye closes all connections.
func (g *gate) goodbye() {
	g.mu.Lock()
	g.closed = true
	var all []*front
	for f := range g.fronts {
		all = append(all, f)
	}
	g.mu.Unlock()
	var wait sync.WaitGroup
	for _, f := range all {
		wait.Go(func() { f.bye("[UNAVAILABLE] The server is going down: come back soon") })
	}
	wait.Wait()
}

// session makes the session of a connection that Accept has let in.
func (g *gate) session(c *imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
	f := c.NetConn().(*front)
	ctx, cancel := context.WithCancel(g.ctx)
	f.session = &session{server: g.server, front: f, conn: c, ctx: ctx, close: func() { cancel(); g.all.Done() }}
	return f.session, &imapserver.GreetingData{}, nil
}

// address returns the client's address, the unspecified one where there is none (net.Pipe).
func address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	ap, _ := netip.ParseAddrPort(a.String())
	return ap.Addr().Unmap()
}

// A census counts connections.
type census struct {
	max, perAddress int
	mu              sync.Mutex
	total           int
	from            map[netip.Addr]int
}

func newCensus(max, perAddress int) *census {
	return &census{max: max, perAddress: perAddress, from: map[netip.Addr]int{}}
}

// place is what counts as one address: one household has a /64 of IPv6.
func place(a netip.Addr) netip.Addr {
	if a.Is6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a
}

func (c *census) enter(a netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.total >= c.max || c.from[place(a)] >= c.perAddress {
		return false
	}
	c.total++
	c.from[place(a)]++
	return true
}

func (c *census) leave(a netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.from[place(a)]--; c.from[place(a)] == 0 {
		delete(c.from, place(a))
	}
}
