package imap

import (
	"bufio"
	"context"
	"net"
	"testing"
)

// A pipeListener hands out connections in memory.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// A pipeConn is a connection in memory from an address.
type pipeConn struct {
	net.Conn
	from string
}

func (c pipeConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(c.from), Port: 1} }

// listenInMemory serves what is dialled with the listener that it returns, until the test ends.
func (h *house) listenInMemory() *pipeListener {
	l := &pipeListener{make(chan net.Conn), make(chan struct{})}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(context.Background(), l) }()
	h.t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l
}

// dial connects from an address.
func (l *pipeListener) dial(t testing.TB, from string) *client {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	l.conns <- pipeConn{theirs, from}
	return &client{t: t, conn: ours, r: bufio.NewReader(ours)}
}
