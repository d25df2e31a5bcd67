package unipi

import (
	"time"
)

// readWithin lets Reads wait that long from now, for ever with 0. A deadline that
// is nearly as late as wanted is left alone: setting one costs more than
// the rest of a small request.
func (c *conn) readWithin(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aborted || c.closing {
		return
	}
	var by time.Time
	if d > 0 {
		by = time.Now().Add(d)
		if early := by.Sub(c.readBy); early >= 0 && early < d/8 {
			return
		}
	}
	c.readBy = by
	_ = c.Conn.SetReadDeadline(by) // a closed connection says so when it is read
}

// SetReadDeadline obeys net/http only when it wants a pending Read back, which
// it says with a time that is past; the other deadlines are the conn's own.
func (c *conn) SetReadDeadline(t time.Time) error {
	past := !t.IsZero() && t.Before(time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = time.Time{}
	c.aborted = past
	if past {
		return c.Conn.SetReadDeadline(t)
	}
	return nil
}

// SetWriteDeadline does nothing: Write keeps a deadline that moves along.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline is SetReadDeadline.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// Write sends p. The client must take each piece of 256 KiB within
// Limits.Stall.
func (c *conn) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		c.writeWithin(c.limits.Stall)
		m, err := c.Conn.Write(p[:min(len(p), pieceBytes)])
		n += m
		p = p[m:]
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

func (c *conn) writeWithin(d time.Duration) {
	by := time.Now().Add(d)
	if by.Sub(c.writeBy) < d/8 {
		return
	}
	c.writeBy = by
	_ = c.Conn.SetWriteDeadline(by) // a closed connection says so when it is written
}
