package stack

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	protocol "gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// A PacketConn sends and receives UDP datagrams; one that Dial returned, with
// one peer.
type PacketConn struct {
	sides
	stack  *Stack
	ep     tcpip.Endpoint
	family tcpip.NetworkProtocolNumber
	local  netip.AddrPort
	remote netip.AddrPort // of a connected one

	src bytes.Reader      // of the WriteTo under way
	dst tcpip.SliceWriter // of the ReadFrom under way
}

var (
	_ net.PacketConn = (*PacketConn)(nil)
	_ net.Conn       = (*PacketConn)(nil)
)

// ListenPacket receives UDP datagrams: "udp" of both families where the
// address leaves that open.
func (s *Stack) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	at, dual, err := s.localAddress(ctx, udp, network, address)
	if err == nil {
		var c *PacketConn
		if c, err = s.ownPacketConn(at, netip.AddrPort{}, dual); err == nil {
			return c, nil
		}
	}
	return nil, &net.OpError{Op: "listen", Net: network, Addr: netAddr(udp, at), Err: err}
}

// packetConn makes a socket that is bound to local, or connected to remote, where
// they are valid.
func (s *Stack) packetConn(local, remote netip.AddrPort, dual bool) (*PacketConn, error) {
	of := local
	if remote.IsValid() {
		of = remote
	}
	queue := new(waiter.Queue)
	c := &PacketConn{stack: s, family: protocolOf(of.Addr()), remote: remote}
	ep, err := s.net.NewEndpoint(protocol.ProtocolNumber, c.family, queue)
	if err != nil {
		return nil, callError("socket", err)
	}
	c.ep = ep
	ep.SocketOptions().SetBroadcast(true)
	if err := c.tie(local, dual); err != nil {
		ep.Close()
		return nil, err
	}
	c.sides.init(queue)
	return c, nil
}

// ownPacketConn makes one that ends with the stack.
func (s *Stack) ownPacketConn(local, remote netip.AddrPort, dual bool) (*PacketConn, error) {
	c, err := s.packetConn(local, remote, dual)
	if err == nil && !s.own(c) {
		c.Close()
		return nil, net.ErrClosed
	}
	return c, err
}

// tie binds and connects.
func (c *PacketConn) tie(local netip.AddrPort, dual bool) error {
	if local.IsValid() {
		if err := bind(c.ep, local, dual); err != nil {
			return err
		}
	}
	if c.remote.IsValid() {
		if err := c.ep.Connect(toFull(c.remote)); err != nil {
			return callError("connect", err)
		}
	}
	at, err := c.ep.GetLocalAddress()
	if err != nil {
		return callError("getsockname", err)
	}
	c.local = fromFull(at, c.family)
	return nil
}

// LocalAddr returns a *net.UDPAddr.
func (c *PacketConn) LocalAddr() net.Addr { return udpAddr(c.local) }

// RemoteAddr returns a *net.UDPAddr, or nil without a peer.
func (c *PacketConn) RemoteAddr() net.Addr {
	if !c.remote.IsValid() {
		return nil
	}
	return udpAddr(c.remote)
}

// ReadFrom waits for a datagram. What does not fit b is lost. The address is a
// *net.UDPAddr.
func (c *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.receive(b)
	if err != nil {
		return 0, nil, err
	}
	return n, udpAddr(from), nil
}

// Read is ReadFrom without the address.
func (c *PacketConn) Read(b []byte) (int, error) {
	n, _, err := c.receive(b)
	return n, err
}

func (c *PacketConn) receive(b []byte) (int, netip.AddrPort, error) {
	c.read.mu.Lock()
	defer c.read.mu.Unlock()
	for {
		if err := c.read.err(); err != nil {
			return 0, netip.AddrPort{}, c.wrap("read", nil, err)
		}
		c.dst = b
		var dst io.Writer = &c.dst
		if len(b) == 0 {
			dst = io.Discard
		}
		res, err := c.ep.Read(dst, tcpip.ReadOptions{NeedRemoteAddr: true})
		c.dst = nil
		switch err.(type) {
		case nil:
			return min(res.Count, len(b)), fromFull(res.RemoteAddr, c.family), nil
		case *tcpip.ErrWouldBlock:
			c.read.wait()
		default:
			if c.read.closed.Load() {
				return 0, netip.AddrPort{}, c.wrap("read", nil, net.ErrClosed)
			}
			return 0, netip.AddrPort{}, c.wrap("read", nil, callError("recvfrom", err))
		}
	}
}

// WriteTo sends a datagram to a *net.UDPAddr.
func (c *PacketConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	if c.remote.IsValid() {
		return 0, c.wrap("write", addr, net.ErrWriteToConnected)
	}
	to, ok := addr.(*net.UDPAddr)
	if !ok || !to.AddrPort().IsValid() {
		return 0, c.wrap("write", addr, &net.AddrError{Err: "not an address of UDP", Addr: addrString(addr)})
	}
	full := toFull(to.AddrPort())
	return c.send(b, addr, &full)
}

// Write sends a datagram to the peer.
func (c *PacketConn) Write(b []byte) (int, error) { return c.send(b, nil, nil) }

func (c *PacketConn) send(b []byte, addr net.Addr, to *tcpip.FullAddress) (int, error) {
	c.write.mu.Lock()
	defer c.write.mu.Unlock()
	defer c.src.Reset(nil)
	for {
		if err := c.write.err(); err != nil {
			return 0, c.wrap("write", addr, err)
		}
		c.src.Reset(b)
		n, err := c.ep.Write(&c.src, tcpip.WriteOptions{To: to})
		switch err.(type) {
		case nil:
			return int(n), nil
		case *tcpip.ErrWouldBlock:
			c.write.wait()
		default:
			if c.write.closed.Load() {
				return 0, c.wrap("write", addr, net.ErrClosed)
			}
			return 0, c.wrap("write", addr, callError("sendto", err))
		}
	}
}

// Close ends every call under way.
func (c *PacketConn) Close() error {
	if !c.sides.close() {
		return c.wrap("close", nil, net.ErrClosed)
	}
	c.ep.Close()
	c.stack.disown(c)
	return nil
}

// SetDeadline bounds reads and writes, also those under way.
func (c *PacketConn) SetDeadline(t time.Time) error {
	return c.setDeadlines(udp, c.LocalAddr(), t, &c.read, &c.write)
}

// SetReadDeadline bounds reads.
func (c *PacketConn) SetReadDeadline(t time.Time) error {
	return c.setDeadlines(udp, c.LocalAddr(), t, &c.read)
}

// SetWriteDeadline bounds writes.
func (c *PacketConn) SetWriteDeadline(t time.Time) error {
	return c.setDeadlines(udp, c.LocalAddr(), t, &c.write)
}

// wrap says what failed; addr is whom a datagram was for, nil: the peer.
func (c *PacketConn) wrap(op string, addr net.Addr, err error) error {
	if addr == nil {
		addr = c.RemoteAddr()
	}
	return &net.OpError{Op: op, Net: udp, Source: c.LocalAddr(), Addr: addr, Err: err}
}

func addrString(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
