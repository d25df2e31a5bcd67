package setup

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// A Server serves l until ctx ends, over TLS unless config is nil. Requests under
// way have a moment to finish. One is ServeHTTP, another strict.Server.
type Server func(ctx context.Context, config *tls.Config, l net.Listener, h http.Handler, log *slog.Logger) error

// How long clients of ServeHTTP may take.
const (
	headTime  = 10 * time.Second // to send a request's head
	idleTime  = 75 * time.Second // between two requests
	readTime  = 5 * time.Minute  // for a whole request
	writeTime = 10 * time.Minute // for a whole response
	graceTime = 10 * time.Second // to finish when all ends
)

// maxHead bounds the head of a request, in bytes.
const maxHead = 16 << 10

// ServeHTTP is a Server made of net/http alone.
func ServeHTTP(ctx context.Context, config *tls.Config, l net.Listener, h http.Handler, log *slog.Logger) error {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelInfo),
	}
	serve := func() error { return s.Serve(l) }
	if config != nil {
		s.TLSConfig = config.Clone()
		serve = func() error { return s.ServeTLS(l, "", "") }
	}
	err := Until(ctx, serve, s)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// A Stopper stops what serves, in the two ways of http.Server.
type Stopper interface {
	Shutdown(context.Context) error
	Close() error
}

// Until runs serve until ctx ends, and stops it then.
func Until(ctx context.Context, serve func() error, s Stopper) error {
	done := make(chan error, 1)
	go func() { done <- serve() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	if err := s.Shutdown(grace); err != nil {
		_ = s.Close() // they had their moment
	}
	return <-done
}
