package smtp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"
)

// Serve takes connections until ctx ends or the listener does. Then idle clients hear
// 421 and messages that are being received are dropped; what has been received whole is still
// delivered and answered. It returns when the last client is gone: nil when ctx has ended.
func (s *Server) Serve(ctx context.Context, l net.Listener, kind Kind) error {
	s.init()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	var pause time.Duration
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			clients.Go(func() { s.serve(ctx, conn, kind) })
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.Log.Warn("smtp: accept", "err", err, "pause", pause)
		if !wait(ctx, pause) {
			return nil
		}
	}
}

// serve holds one dialogue.
func (s *Server) serve(ctx context.Context, conn net.Conn, kind Kind) {
	defer conn.Close()
	remote := address(conn.RemoteAddr())
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("smtp: panic", "client", remote, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	c := newSession(s, conn, kind, remote)
	defer c.end()
	if why := s.enter(remote); why != "" {
		c.say(busy(why))
		c.hungUp = false // those whom there is no room for are not waited for
		return
	}
	defer s.leave(remote)
	stop := context.AfterFunc(ctx, c.interrupt)
	defer stop()
	c.run(ctx)
}

// enter counts a connection, or says why it cannot be had.
func (s *Server) enter(remote netip.Addr) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := network(remote)
	switch {
	case s.conns >= s.Limits.Connections:
		return "too many connections: try again later"
	case !remote.IsLoopback() && s.from[from] >= s.Limits.PerAddress:
		return "too many connections from your address: close some, or try again later"
	}
	s.conns++
	s.from[from]++
	return ""
}

func (s *Server) leave(remote netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := network(remote)
	s.conns--
	if s.from[from]--; s.from[from] == 0 {
		delete(s.from, from)
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

// wait returns false when ctx ends before d is over.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
