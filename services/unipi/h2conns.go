package unipi

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
)

// h2conns are the HTTP/2 connections of a Server.
type h2conns struct {
	log *slog.Logger

	mu      sync.Mutex
	open    map[*h2conn]struct{}
	closing bool
	wg      sync.WaitGroup
}

// run serves a connection in a goroutine of its own.
func (s *h2conns) run(c *h2conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		_ = c.nc.Close() // nobody has been promised anything
		return
	}
	if s.open == nil {
		s.open = map[*h2conn]struct{}{}
	}
	s.open[c] = struct{}{}
	c.log = s.log
	s.wg.Go(func() {
		defer s.done(c)
		c.serve()
	})
}

func (s *h2conns) done(c *h2conn) {
	if p := recover(); p != nil {
		s.log.Error("panic while answering", "client", c.remote, "panic", p, "stack", string(debug.Stack()))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

// shutdown lets what is being sent be sent, or until ctx ends.
func (s *h2conns) shutdown(ctx context.Context) error {
	s.stop(func(c *h2conn) {
		s.wg.Go(c.shut) // which may have to wait for the client
	})
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close ends all connections.
func (s *h2conns) close() {
	s.stop(func(c *h2conn) {
		_ = c.nc.NetConn().Close() // its goroutines see that
	})
	s.wg.Wait()
}

// stop accepts no more and does something with those that are open.
func (s *h2conns) stop(do func(*h2conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for c := range s.open {
		do(c)
	}
}
