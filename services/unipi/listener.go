package unipi

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// A listener makes conns of what it accepts. With TLS it shakes hands first,
// so that net/http gets HTTP/2 connections as they are and HTTP/1 through a
// conn.
type listener struct {
	net.Listener
	limits *Limits
	site   replier
	hosts  map[string]http.Handler // that site does not answer for
	h1     *openConns
	h2     *h2conns

	ready  chan net.Conn // with TLS: shaken hands
	failed chan error
	stop   context.CancelFunc
	wg     sync.WaitGroup
}

// handshakesAtOnce bounds connections that have not shaken hands yet.
const handshakesAtOnce = 4096

// start accepts connections and shakes hands until Close.
func (l *listener) start(config *tls.Config) {
	l.ready = make(chan net.Conn)
	l.failed = make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	slots := make(chan struct{}, handshakesAtOnce)
	l.wg.Go(func() {
		for {
			slots <- struct{}{}
			nc, err := l.Listener.Accept()
			if err != nil {
				<-slots
				if !errors.Is(err, net.ErrClosed) && pause(ctx) { // too many open files, perhaps
					continue
				}
				l.failed <- err
				return
			}
			l.wg.Go(func() {
				tc := l.shake(ctx, tls.Server(nc, config))
				<-slots
				if tc != nil {
					l.hand(ctx, tc)
				}
			})
		}
	})
}

// pause waits before the next try; false: the listener is closed.
func pause(ctx context.Context) bool {
	t := time.NewTimer(50 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// shake shakes hands; nil: it did not succeed.
func (l *listener) shake(ctx context.Context, tc *tls.Conn) *tls.Conn {
	limited, cancel := context.WithTimeout(ctx, l.limits.Handshake)
	defer cancel()
	if tc.HandshakeContext(limited) != nil {
		_ = tc.Close() // it has failed already
		return nil
	}
	return tc
}

// hand gives a connection to whoever speaks its protocol.
func (l *listener) hand(ctx context.Context, tc *tls.Conn) {
	var nc net.Conn = tc
	state := tc.ConnectionState()
	_, other := l.hosts[canonicalHost(state.ServerName)]
	switch h2 := state.NegotiatedProtocol == "h2"; {
	case h2 && l.site != nil && !other:
		l.h2.run(newH2Conn(tc, l.site, l.limits))
		return
	case !h2:
		nc = l.wrap(tc)
	}
	select {
	case l.ready <- nc:
	case <-ctx.Done():
		_ = nc.Close() // nobody will take it
	}
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	if l.ready == nil {
		nc, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		return l.wrap(nc), nil
	}
	select {
	case nc := <-l.ready:
		return nc, nil
	case err := <-l.failed:
		return nil, err
	}
}

func (l *listener) wrap(nc net.Conn) *conn {
	c := &conn{Conn: nc, limits: l.limits, open: l.h1}
	l.h1.add(c)
	if l.site != nil {
		c.fast = &responder{site: l.site, hosts: l.hosts, remote: nc.RemoteAddr().String(), tls: c.encrypted()}
	}
	return c
}

// Close stops accepting, and waits for handshakes to end.
func (l *listener) Close() error {
	err := l.Listener.Close()
	if l.ready != nil {
		l.stop()
		l.wg.Wait()
	}
	return err
}
