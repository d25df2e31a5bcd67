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
		if err := c.dropStalled(time.Now()); err != nil {
			return err
		}
		if !c.patient(time.Now()) {
			c.goAway(http2.ErrCodeNo)
			return errH2Gone
		}
		_, err := c.in.Peek(1)
		c.mu.Lock()
		c.waiting = false
		c.mu.Unlock()
		if err == nil {
			c.readBy = time.Time{}
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

// hurry gives the rest of a frame that has begun Limits.Head to come.
func (c *h2conn) hurry() {
	now := time.Now()
	if c.readBy.Sub(now) < c.limits.Head/2 {
		c.readBy = now.Add(c.limits.Head)
		_ = c.nc.SetReadDeadline(c.readBy) // a closed connection says so when it is read
	}
}

// nudge ends the reader's wait for a frame, so that it looks around. A
// frame that is being read is not disturbed. c.mu is held.
func (c *h2conn) nudge() {
	if c.waiting {
		_ = c.nc.SetReadDeadline(time.Unix(1, 0)) // a closed connection is as good
	}
}

func (c *h2conn) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.sending)+len(c.bodies) == 0
}

// dropStalled resets the streams that the client has neither taken anything of for
// too long nor let us send, and those whose body does not come. The others,
// and those to come, do not suffer.
func (c *h2conn) dropStalled(now time.Time) error {
	var list []uint32
	c.mu.Lock()
	for _, s := range c.sending {
		if s.window <= 0 && now.Sub(s.moved) > c.limits.Stall ||
			c.window <= 0 && !s.queued && now.Sub(s.moved) > c.limits.Stall && now.Sub(c.moved) > c.limits.Stall {
			list = append(list, s.stream)
		}
	}
	c.mu.Unlock()
	for id, b := range c.bodies {
		if now.After(b.until) {
			list = append(list, id)
		}
	}
	for _, id := range list {
		c.reset(id, http2.ErrCodeCancel)
	}
	if list == nil {
		return nil
	}
	return c.flush()
}

// patient begins a wait for the client: until it has taken some of what is being
// sent, or asks for something. It is false when the connection is closing and all
// is sent, or when nothing can be.
func (c *h2conn) patient(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	wait := c.limits.Stall
	if len(c.sending)+len(c.bodies) == 0 {
		wait = c.limits.Idle
		if c.closing {
			return false
		}
	}
	if c.dead != nil {
		return false
	}
	c.waiting = true
	_ = c.nc.SetReadDeadline(now.Add(wait)) // a closed connection says so when it is read
	return true
}

// shut asks the client to come back on another connection. What is being sent is
// sent; the connection ends when nothing is.
func (c *h2conn) shut() {
	c.append(func(b []byte) []byte { return appendGoAway(b, maxWindow, http2.ErrCodeNo) })
	_ = c.flush() // it ends anyway
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	if len(c.sending) == 0 {
		c.nudge()
	}
}
