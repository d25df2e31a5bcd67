package unipi

import (
	"io"
	"time"
)

// shut ends the connection as soon as no answer is under way. net/http does so
// for what it has in hand; of the rest it knows nothing.
func (c *conn) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.busy() {
		c.closing = true
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0)) // a closed connection is as good
	}
}

// CloseWrite tells the client that nothing more will come.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// begin says that the responder is at work; false: the connection is closing.
func (c *conn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answering = !c.closing
	return c.answering
}

// answer lets the responder answer, between begin and finish. When that
// panics, net/http is the one to say so.
func (c *conn) answer(h *requestHead) (done bool, err error) {
	defer func() {
		if last := c.finish(); last && err == nil {
			err = io.EOF
		}
	}()
	return c.fast.answer(c, h)
}

// finish says that it is done. It reports whether somebody wanted to close the
// connection meanwhile, and closes it then.
func (c *conn) finish() (last bool) {
	c.mu.Lock()
	c.answering = false
	last = c.closing
	c.mu.Unlock()
	if last {
		_ = c.Close() // nothing is lost: all has been written
	}
	return last
}

// Close closes the connection, or lets the responder do so when it has written
// its answer: to net/http the connection looks idle then. A client that was refused may
// still be sending; without reading some of that, its end would throw our
// answer away.
func (c *conn) Close() error {
	c.mu.Lock()
	c.closing = true
	answering := c.answering
	c.mu.Unlock()
	if answering {
		return nil
	}
	c.open.remove(c)
	if c.refused && c.CloseWrite() == nil {
		_ = c.Conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		_, _ = io.CopyN(io.Discard, c.Conn, 256<<10) // whatever it is
	}
	return c.Conn.Close()
}
