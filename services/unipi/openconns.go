package unipi

import (
	"context"
	"crypto/tls"
	"sync"
	"time"
)

// openConns are the HTTP/1 connections of a Server.
type openConns struct {
	mu  sync.Mutex
	set map[*conn]struct{}
}

func (o *openConns) add(c *conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.set == nil {
		o.set = map[*conn]struct{}{}
	}
	o.set[c] = struct{}{}
}

func (o *openConns) remove(c *conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.set, c)
}

// shut ends those that wait for a request.
func (o *openConns) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.set {
		c.shut()
	}
}

// drained waits until there is none, or ctx ends.
func (o *openConns) drained(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		o.mu.Lock()
		n := len(o.set)
		o.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// cut ends all of them at once.
func (o *openConns) cut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.set {
		nc := c.Conn
		if t, ok := nc.(*tls.Conn); ok {
			nc = t.NetConn() // TLS would say farewell to each, for up to 5 s
		}
		_ = nc.Close() // whoever uses it will see
	}
}
