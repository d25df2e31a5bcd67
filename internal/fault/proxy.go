// Package fault is a network that goes wrong: a TCP proxy that stands before a
// host and does to its connections what a plan says.
//
//	p := fault.New(t, host.Addr)
//	client := host.Client(p.Dial)
//	p.Plan(fault.Seeded(seed, 0.2, fault.Kinds...))
//	…
//	p.Plan(nil) // calm again
//
// Faults come by turns. A turn is what the client sends until it hears from the host, and
// what the host sends until it hears from the client: a request and its answer
// in HTTP/1.1, on however many connections, and something like it in other protocols.
//
// What a proxy did is printed when the test fails. A seed repeats what is drawn,
// not how goroutines are scheduled.
package fault

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"cairn/internal/loopback"
)

// A Proxy relays between clients and one host.
type Proxy struct {
	t      testing.TB
	target string
	port   *loopback.Port
	done   sync.WaitGroup // of all goroutines
	gone   chan struct{}  // closed when the test ends

	mu       sync.Mutex
	listener net.Listener // nil while connections are refused
	closed   bool
	plan     Plan
	conns    map[*conn]bool
	count    int
	log      []string
	faults   int
}

// New starts a proxy before target, a host:port. It does no harm before it has
// a plan.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{t: t, target: target, port: loopback.Reserve(t), gone: make(chan struct{}), conns: map[*conn]bool{}}
	t.Cleanup(p.close)
	p.Refuse(false)
	return p
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.port.Addr() }

// Dial connects to the proxy instead of addr.
func (p *Proxy) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, p.Addr())
}

// Plan sets what happens to the turns that begin from now on; nil is nothing.
// Connections that are stalled stay so.
func (p *Proxy) Plan(plan Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan = plan
}

// Refuse begins to refuse new connections, or ceases to. Those that are open stay.
func (p *Proxy) Refuse(refuse bool) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if refuse == (p.listener == nil) {
		return
	}
	if refuse {
		p.listener.Close()
		p.listener = nil
		if err := p.port.Quiet(); err != nil {
			p.t.Errorf("proxy: %v", err)
		}
		return
	}
	l, err := p.port.Listen()
	if err != nil {
		p.t.Errorf("proxy: %v", err)
		return
	}
	p.listener = l
	p.done.Go(func() { p.serve(l) })
}

// Sever resets all connections that are open.
func (p *Proxy) Sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.reset()
	}
}

// Faults is how many turns have gone wrong.
func (p *Proxy) Faults() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

func (p *Proxy) serve(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return // it has been closed
		}
		p.done.Go(func() { p.relay(client.(*net.TCPConn)) })
	}
}

func (p *Proxy) relay(client *net.TCPConn) {
	host, err := net.Dial("tcp", p.target)
	if err != nil {
		reset(client)
		return
	}
	c := &conn{proxy: p, client: client, host: host.(*net.TCPConn), gone: make(chan struct{})}
	if !p.enter(c) {
		c.reset()
		return
	}
	c.relay()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) enter(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	c.number = p.count
	p.conns[c] = true
	return !p.closed
}

// next draws what happens to a turn.
func (p *Proxy) next() Fault {
	p.mu.Lock()
	plan := p.plan
	p.mu.Unlock()
	if plan == nil {
		return Fault{}
	}
	return plan()
}

// maxLog is how many faults are remembered.
const maxLog = 200

// note remembers a fault that has happened.
func (p *Proxy) note(c *conn, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults++; len(p.log) < maxLog {
		p.log = append(p.log, fmt.Sprintf("connection %d: %v", c.number, f))
	}
}

func (p *Proxy) close() {
	p.Refuse(true)
	p.mu.Lock()
	p.closed = true
	close(p.gone)
	p.mu.Unlock()
	p.Sever()
	p.done.Wait()
	if p.t.Failed() {
		for _, line := range p.log {
			p.t.Logf("proxy before %s: %s", p.target, line)
		}
	}
}

// reset closes a connection so that the other end sees a reset.
func reset(c *net.TCPConn) {
	// Neither can fail in a way that matters: the connection ends.
	_ = c.SetLinger(0)
	_ = c.Close()
}
