package stack

import (
	"bytes"
	"io"
	"net"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/waiter"
)

// A Conn is a TCP connection. It keeps alive and does not delay small writes, as
// package net's do by default. Methods may be called from several goroutines at once; Reads
// wait for each other, and so do Writes.
type Conn struct {
	sides
	stack         *Stack
	ep            tcpip.Endpoint
	local, remote *net.TCPAddr
	accepted      bool // by a listener, and counted

	src bytes.Reader      // of the Write under way
	dst tcpip.SliceWriter // of the Read under way
}

var (
	_ net.Conn      = (*Conn)(nil)
	_ io.ReaderFrom = (*Conn)(nil)
	_ io.WriterTo   = (*Conn)(nil)
)

// How long a connection is idle before it is probed, how long apart probes are
// and how many go unanswered before it is given up: as in package net.
const (
	keepAliveIdle     = tcpip.KeepaliveIdleOption(15 * time.Second)
	keepAliveInterval = tcpip.KeepaliveIntervalOption(15 * time.Second)
	keepAliveCount    = 9
)

// newConn takes over a connected endpoint.
func (s *Stack) newConn(ep tcpip.Endpoint, q *waiter.Queue) (*Conn, tcpip.Error) {
	c := &Conn{stack: s, ep: ep}
	local, err := ep.GetLocalAddress()
	if err != nil {
		return nil, err
	}
	remote, err := ep.GetRemoteAddress()
	if err != nil {
		return nil, err
	}
	c.local = tcpAddr(fromFull(local, header.IPv6ProtocolNumber))
	c.remote = tcpAddr(fromFull(remote, header.IPv6ProtocolNumber))
	keepAlive(ep)
	c.sides.init(q)
	return c, nil
}

func keepAlive(ep tcpip.Endpoint) {
	idle, interval := keepAliveIdle, keepAliveInterval
	ep.SetSockOpt(&idle)
	ep.SetSockOpt(&interval)
	ep.SetSockOptInt(tcpip.KeepaliveCountOption, keepAliveCount)
	ep.SocketOptions().SetKeepAlive(true)
}

// LocalAddr returns a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Read waits for bytes and returns those there are.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, c.wrap("read", c.read.err())
	}
	c.read.mu.Lock()
	defer c.read.mu.Unlock()
	n, err := c.receive(b)
	if err == io.EOF {
		return 0, err
	}
	return n, c.wrap("read", err)
}

// receive is Read with the side held and bare errors.
func (c *Conn) receive(b []byte) (int, error) {
	for {
		if err := c.read.err(); err != nil {
			return 0, err
		}
		c.dst = b
		res, err := c.ep.Read(&c.dst, tcpip.ReadOptions{})
		c.dst = nil
		switch err.(type) {
		case nil:
			c.ep.ModerateRecvBuf(res.Count)
			return res.Count, nil
		case *tcpip.ErrWouldBlock:
			c.read.wait()
		case *tcpip.ErrClosedForReceive:
			if c.read.closed.Load() {
				return 0, net.ErrClosed
			}
			return 0, io.EOF
		default:
			if c.read.closed.Load() {
				return 0, net.ErrClosed
			}
			return 0, callError("read", err)
		}
	}
}

// Write waits until all bytes have been taken over for sending.
func (c *Conn) Write(b []byte) (int, error) {
	c.write.mu.Lock()
	defer c.write.mu.Unlock()
	n, err := c.send(b)
	return n, c.wrap("write", err)
}

// send is Write with the side held and bare errors.
func (c *Conn) send(b []byte) (n int, err error) {
	defer c.src.Reset(nil)
	for {
		if err := c.write.err(); err != nil {
			return n, err
		}
		if n == len(b) {
			return n, nil
		}
		// A few bytes are copied under the endpoint's lock: cheaper than letting it go.
		c.src.Reset(b[n:])
		k, err := c.ep.Write(&c.src, tcpip.WriteOptions{Atomic: len(b)-n <= atomicWrite})
		n += int(k)
		switch err.(type) {
		case nil:
			if n == len(b) {
				return n, nil
			}
		case *tcpip.ErrWouldBlock:
			c.write.wait()
		default:
			if c.write.closed.Load() {
				return n, net.ErrClosed
			}
			return n, callError("write", err)
		}
	}
}

// atomicWrite is the size of what is copied at once, in bytes.
const atomicWrite = 16 << 10

// Close ends the connection: what has been written is still sent, unless that
// takes longer than orphanTime; what has not been read is thrown away.
func (c *Conn) Close() error {
	if !c.sides.close() {
		return closedError("close", tcp, c.LocalAddr(), c.RemoteAddr())
	}
	c.ep.Close()
	c.stack.sweeper.closed()
	if c.accepted {
		c.stack.leave()
	}
	return nil
}

// CloseRead has Read return io.EOF from now on.
func (c *Conn) CloseRead() error { return c.shutdown(tcpip.ShutdownRead) }

// CloseWrite tells the peer that nothing more comes.
func (c *Conn) CloseWrite() error { return c.shutdown(tcpip.ShutdownWrite) }

func (c *Conn) shutdown(how tcpip.ShutdownFlags) error {
	if c.read.closed.Load() {
		return closedError("close", tcp, c.LocalAddr(), c.RemoteAddr())
	}
	if err := c.ep.Shutdown(how); err != nil {
		return c.wrap("close", callError("shutdown", err))
	}
	return nil
}

// SetDeadline bounds Reads and Writes, also those under way.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.setDeadlines(tcp, c.LocalAddr(), t, &c.read, &c.write)
}

// SetReadDeadline bounds Reads.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.setDeadlines(tcp, c.LocalAddr(), t, &c.read)
}

// SetWriteDeadline bounds Writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadlines(tcp, c.LocalAddr(), t, &c.write)
}

func (c *Conn) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: tcp, Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}
