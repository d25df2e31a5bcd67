package unipi

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits are how long clients may take; zero fields mean the defaults.
type Limits struct {
	Handshake time.Duration // for TLS; default 10 s
	Head      time.Duration // to send a request's head, from its first byte; default 10 s
	Idle      time.Duration // between two requests; default 75 s
	Stall     time.Duration // for 256 KiB of a response, or to go on with a body; default 60 s
}

func (l Limits) orDefault() *Limits {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&l.Handshake, 10 * time.Second}, {&l.Head, 10 * time.Second}, {&l.Idle, 75 * time.Second}, {&l.Stall, time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return &l
}

// A Server serves HTTP/1.1 and, over TLS, HTTP/2, with limits that hold against
// clients who are slow, confused or hostile: heads up to 16 KiB and 100
// fields, read strictly (see requestHead); 100 streams a connection. Its
// exported fields are set before Serve, which is called once, and not changed after.
type Server struct {
	// Handler answers requests. Those to a Site or Sites do not pass through
	// net/http where they are plain, or HTTP/2.
	Handler http.Handler

	// Hosts answer requests to these host names, in small letters, in place of
	// Handler. Over TLS a client asks for one of them when it connects (SNI); one
	// that asks over HTTP/2 on a connection to another name is told that it is
	// misdirected (421).
	Hosts map[string]http.Handler

	// TLS, when it is set, encrypts every connection.
	TLS *tls.Config

	Limits Limits

	// Log is told of panics and broken connections; nil: nobody is.
	Log *slog.Logger

	web http.Server
	h1  openConns
	h2  h2conns // those that net/http does not see
}

// maxStreams is how many requests one HTTP/2 connection may have under way.
const maxStreams = 100

// Serve accepts connections from l until Shutdown or Close, and returns nil
// then.
func (s *Server) Serve(l net.Listener) error {
	limits := s.Limits.orDefault()
	s.web.Handler = tighten(s.byHost())
	s.web.MaxHeaderBytes = maxHeadBytes
	s.web.IdleTimeout = limits.Idle
	s.web.ConnState = connState
	s.web.ConnContext = withTLS
	s.web.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams: maxStreams,
		SendPingTimeout:      limits.Idle,
		PingTimeout:          15 * time.Second,
		WriteByteTimeout:     limits.Stall,
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.web.ErrorLog = slog.NewLogLogger(s.Log.Handler(), slog.LevelInfo)
	site, _ := s.Handler.(replier)
	s.h2.log = s.Log
	ours := &listener{Listener: l, limits: limits, site: site, hosts: s.Hosts, h1: &s.h1, h2: &s.h2}
	if s.TLS != nil {
		s.web.TLSConfig = s.TLS.Clone()
		s.web.TLSConfig.NextProtos = []string{"h2", "http/1.1"}
		ours.start(s.web.TLSConfig)
	} else {
		s.web.Protocols = new(http.Protocols)
		s.web.Protocols.SetHTTP1(true)
	}
	if err := s.web.Serve(ours); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// byHost is the Handler that looks for one in Hosts first.
func (s *Server) byHost() http.Handler {
	if len(s.Hosts) == 0 {
		return s.Handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h, ok := s.Hosts[canonicalHost(r.Host)]; ok {
			h.ServeHTTP(w, r)
			return
		}
		s.Handler.ServeHTTP(w, r)
	})
}

// Shutdown stops accepting and waits for requests that are being answered.
func (s *Server) Shutdown(ctx context.Context) error {
	s.web.RegisterOnShutdown(s.h1.shut) // runs when nothing is accepted any more
	h2 := make(chan error, 1)
	go func() { h2 <- s.h2.shutdown(ctx) }()
	err := s.web.Shutdown(ctx)
	return errors.Join(err, s.h1.drained(ctx), <-h2)
}

// Close ends all connections.
func (s *Server) Close() error {
	s.h1.cut()
	err := s.web.Close()
	s.h1.cut() // those that came meanwhile
	s.h2.close()
	return err
}

type tlsKey struct{}

// withTLS remembers what net/http cannot see through a conn.
func withTLS(ctx context.Context, nc net.Conn) context.Context {
	if c, ok := nc.(*conn); ok {
		if state := c.encrypted(); state != nil {
			return context.WithValue(ctx, tlsKey{}, state)
		}
	}
	return ctx
}

// tighten refuses what net/http lets through over HTTP/2 too: more fields than
// over HTTP/1.
func tighten(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 0
		for _, values := range r.Header {
			n += len(values)
		}
		if n > maxHeadFields {
			http.Error(w, http.StatusText(http.StatusRequestHeaderFieldsTooLarge), http.StatusRequestHeaderFieldsTooLarge)
			return
		}
		if r.TLS == nil {
			r.TLS, _ = r.Context().Value(tlsKey{}).(*tls.ConnectionState)
		}
		h.ServeHTTP(w, r)
	})
}
