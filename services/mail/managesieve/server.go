// Package managesieve is the protocol by which mail programs keep people's Sieve scripts (RFC 5804):
//
//	s := &managesieve.Server{Login: login, Shelf: shelf, TLS: config, Log: log}
//	err := s.Serve(ctx, listener) // port 4190
//
// A script that means nothing is refused, in words, with line and column. Passwords travel under TLS only,
// or when the client is on the same machine.
//
// # Bounds
//
// A client has a minute to log in, half an hour between commands after that, and a minute for
// the pieces of one command. Lines and strings are bounded before and after the log-in; literals
// are read only after their size was found to be allowed.
package managesieve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"cairn/services/mail/login"
	"cairn/services/mail/scripts"
)

// A Server answers clients. Set its fields before Serve and leave them alone then.
type Server struct {
	Login *login.Login
	Shelf *scripts.Shelf
	Log   *slog.Logger

	// TLS is what STARTTLS uses. Nil: nobody can log in but from the same machine.
	TLS *tls.Config
	// MaxConns is how many connections there may be, MaxPerAddress from one address (a /64 of
	// IPv6). More are told so and closed. Defaults: 500 and 20.
	MaxConns, MaxPerAddress int

	mu    sync.Mutex // guards what follows
	conns int
	from  map[netip.Prefix]int
}

// Times after which a connection is closed.
const (
	loginTime  = time.Minute      // from the beginning to the end of the log-in
	idleTime   = 30 * time.Minute // between commands (RFC 5804 §1.2)
	restTime   = time.Minute      // for what is left of a command, and for an answer to be taken
	closeTime  = 2 * time.Second  // for the last word
	maxBad     = 25               // commands without meaning in a row
	maxRefused = 5                // log-ins
)

// Serve answers the clients of a listener until ctx ends or the listener is closed. It returns when
// nobody is left: nil when ctx has ended.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			clients.Go(func() { s.serve(ctx, conn) })
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			s.Log.Warn("managesieve: accept", "err", err)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// serve holds one dialogue.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	remote := address(conn.RemoteAddr())
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("managesieve: panic", "client", remote, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	c := &session{server: s, remote: remote, wire: newWire(conn), ctx: ctx, began: time.Now()}
	if !s.enter(remote) {
		c.wire.bye("(TRYLATER)", "There are too many connections: close some, or try again later")
		return
	}
	defer s.leave(remote)
	stop := context.AfterFunc(ctx, c.wire.interrupt)
	defer stop()
	c.run()
}

func (s *Server) enter(remote netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.from == nil {
		s.from = map[netip.Prefix]int{}
	}
	most, each := s.MaxConns, s.MaxPerAddress
	if most == 0 {
		most = 500
	}
	if each == 0 {
		each = 20
	}
	if s.conns >= most || s.from[network(remote)] >= each {
		return false
	}
	s.conns++
	s.from[network(remote)]++
	return true
}

func (s *Server) leave(remote netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns--
	if s.from[network(remote)]--; s.from[network(remote)] == 0 {
		delete(s.from, network(remote))
	}
}

// address is the IP address of a connection; the zero Addr when it has none.
func address(a net.Addr) netip.Addr {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// network is what counts as one client: a /32 of IPv4 or a /64 of IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}
