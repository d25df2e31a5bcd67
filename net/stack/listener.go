package stack

import (
	"context"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	protocol "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// tcp and udp are the networks' names in addresses and errors.
const (
	tcp = "tcp"
	udp = "udp"
)

// backlog is how many connections wait to be accepted, and how many are half open, at most.
// Beyond that there are SYN cookies (RFC 4987 §3.6). With little memory it is less.
const backlog = 1024

// A Listener accepts TCP connections.
type Listener struct {
	side
	stack *Stack
	ep    tcpip.Endpoint
	queue *waiter.Queue
	entry waiter.Entry
	local netip.AddrPort
}

var _ net.Listener = (*Listener)(nil)

// Listen accepts TCP connections: "tcp" on both families where the address
// leaves that open, as ":80" does.
func (s *Stack) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	at, dual, err := s.localAddress(ctx, tcp, network, address)
	if err == nil {
		var l *Listener
		if l, err = s.listen(at, dual); err == nil {
			return l, nil
		}
	}
	return nil, &net.OpError{Op: "listen", Net: network, Addr: netAddr(tcp, at), Err: err}
}

func (s *Stack) listen(at netip.AddrPort, dual bool) (*Listener, error) {
	l := &Listener{stack: s, queue: new(waiter.Queue)}
	l.side.init()
	family := protocolOf(at.Addr())
	ep, err := s.net.NewEndpoint(protocol.ProtocolNumber, family, l.queue)
	if err != nil {
		return nil, callError("socket", err)
	}
	l.ep = ep
	ep.SocketOptions().SetReuseAddress(true)
	if err := bind(ep, at, dual); err != nil {
		ep.Close()
		return nil, err
	}
	if err := ep.Listen(s.bounds.backlog); err != nil {
		ep.Close()
		return nil, callError("listen", err)
	}
	local, err := ep.GetLocalAddress()
	if err != nil {
		ep.Close()
		return nil, callError("getsockname", err)
	}
	l.local = fromFull(local, family)
	l.entry.Init(l, waiter.ReadableEvents|waiter.EventHUp|waiter.EventErr)
	l.queue.EventRegister(&l.entry)
	if !s.own(l) {
		l.Close()
		return nil, net.ErrClosed
	}
	return l, nil
}

// bind gives an endpoint its local address. An unspecified one is of both
// families when dual is set.
func bind(ep tcpip.Endpoint, at netip.AddrPort, dual bool) error {
	full := toFull(at)
	if at.Addr().IsUnspecified() {
		full.Addr = tcpip.Address{}
	}
	if protocolOf(at.Addr()) == header.IPv6ProtocolNumber {
		ep.SocketOptions().SetV6Only(!dual)
	}
	if err := ep.Bind(full); err != nil {
		return callError("bind", err)
	}
	return nil
}

// NotifyEvent is called by the endpoint when there is something to accept.
func (l *Listener) NotifyEvent(waiter.EventMask) { l.poke() }

// Addr returns a *net.TCPAddr.
func (l *Listener) Addr() net.Addr { return tcpAddr(l.local) }

// Accept waits for a connection, a *Conn. While there are as many as the memory allows, it waits for
// one of them to be closed.
func (l *Listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if err := l.err(); err != nil {
			return nil, l.wrap("accept", err)
		}
		if l.stack.full() {
			l.wait()
			continue
		}
		ep, queue, err := l.ep.Accept(nil)
		switch err.(type) {
		case nil:
			if c, err := l.stack.newConn(ep, queue); err == nil {
				c.accepted = true
				l.stack.accepted.Add(1)
				return c, nil
			}
			ep.Close() // gone before it was accepted
		case *tcpip.ErrWouldBlock:
			l.wait()
		default:
			if l.closed.Load() {
				return nil, l.wrap("accept", net.ErrClosed)
			}
			return nil, l.wrap("accept", callError("accept", err))
		}
	}
}

// Close ends an Accept. Connections that nobody has accepted are reset.
func (l *Listener) Close() error {
	if !l.side.close() {
		return l.wrap("close", net.ErrClosed)
	}
	l.queue.EventUnregister(&l.entry)
	l.ep.Close()
	l.stack.disown(l)
	return nil
}

// SetDeadline bounds Accept.
func (l *Listener) SetDeadline(t time.Time) error {
	if l.closed.Load() {
		return l.wrap("set", net.ErrClosed)
	}
	l.setDeadline(t)
	return nil
}

func (l *Listener) wrap(op string, err error) error {
	return &net.OpError{Op: op, Net: tcp, Addr: l.Addr(), Err: err}
}
