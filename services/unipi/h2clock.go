package unipi

import (
	"errors"
	"net"
	"time"

	"golang.org/x/net/http2"
)

// await waits for the next frame to begin: for Limits.Idle, or as long as the
// client takes what is being sent.
func (c *h2conn) await() error {
	for {
		wait, ok := c.patience(time.Now())
		if !ok {
			return errH2Gone
		}
		_ = c.nc.SetReadDeadline(time.Now().Add(wait))
		_, err := c.in.Peek(1)
		if err == nil {
			// The rest of a frame that has begun must come without delay.
			_ = c.nc.SetReadDeadline(time.Now().Add(c.limits.Head))
			return nil
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			return err
		}
		if c.idle() {
			c.goAway(http2.ErrCodeNo)
			return errH2Gone
		}
	}
}

func (c *h2conn) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sending) == 0
}

// patience returns how long to wait for the client; false when it has been
// waited for long enough, or the connection is closing and all is sent.
func (c *h2conn) patience(now time.Time) (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sending {
		if now.Sub(s.moved) > c.limits.Stall {
			return 0, false
		}
	}
	if len(c.sending) > 0 {
		return c.limits.Stall, true
	}
	return c.limits.Idle, !c.closing && c.dead == nil
}

// shut asks the client to come back on another connection. What is being sent is
// sent; the connection ends when nothing is.
func (c *h2conn) shut() {
	c.append(func(b []byte) []byte { return appendGoAway(b, maxWindow, http2.ErrCodeNo) })
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	_ = c.flush() // it ends anyway
	_ = c.nc.SetReadDeadline(time.Now())
}
