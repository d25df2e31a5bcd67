package unipi

import (
	"io"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/net/http2"
)

// send sends bodies as the windows allow, a frame of each in turn, until the
// connection ends.
func (c *h2conn) send() {
	for {
		c.mu.Lock()
		for c.dead == nil && !c.fill() && !c.ended {
			c.wake.Wait()
		}
		c.ended = false
		dead := c.dead
		c.mu.Unlock()
		if dead != nil || c.flush() != nil {
			return
		}
		c.mu.Lock()
		if c.closing && len(c.sending) == 0 {
			c.nudge() // all is done
		}
		c.mu.Unlock()
	}
}

// fill moves up to a batch of the bodies that are in memory into out. It
// reports whether there was any. c.mu is held.
func (c *h2conn) fill() bool {
	now := time.Now()
	moved := int64(0)
	for round := int64(-1); moved < h2Batch && round != moved; {
		round = moved
		for i := 0; i < len(c.sending); i++ {
			s := c.sending[i]
			n := min(int64(len(s.body)), s.window, c.window, h2FrameData)
			if n <= 0 {
				continue
			}
			part := s.body[:n]
			s.body = s.body[n:]
			s.window -= n
			c.window -= n
			s.moved = now
			moved += n
			c.credit += n / h2Worth
			end := len(s.body) == 0 && !s.more
			c.out = appendBody(c.out, s.stream, part, end)
			if end {
				c.sending = slices.Delete(c.sending, i, i+1)
				i--
			}
		}
	}
	if moved > 0 {
		c.moved = now
		c.wake.Broadcast() // a writer may have been waiting for that
	}
	return moved > 0
}

// h2Opened is how many bodies that are not in memory one connection reads at a
// time: each holds a buffer and a file, even when its stream has been reset.
const h2Opened = 16

// bring writes the body of a response that is not in memory, and hands it to the
// sender piece by piece.
func (c *h2conn) bring(s *h2send, p *prepared) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.opened == h2Opened && !s.stopped && c.dead == nil {
		c.wake.Wait()
	}
	if s.stopped || c.dead != nil {
		return
	}
	c.opened++
	s.queued, s.moved = false, time.Now()
	c.mu.Unlock()
	err := c.copyBody(s, p)
	c.mu.Lock()
	c.opened--
	c.wake.Broadcast()
	if s.stopped || c.dead != nil {
		return
	}
	c.sending = slices.DeleteFunc(c.sending, func(other *h2send) bool { return other == s })
	if err != nil {
		c.out = appendReset(c.out, s.stream, http2.ErrCodeInternal)
	} else {
		c.out = appendFrame(c.out, http2.FrameData, http2.FlagDataEndStream, s.stream, 0)
	}
	c.ended = true
}

// copyBody returns an error when the body is not whole.
func (c *h2conn) copyBody(s *h2send, p *prepared) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.log.Error("panic while sending", "client", c.remote, "panic", v, "stack", string(debug.Stack()))
			err = io.ErrUnexpectedEOF
		}
	}()
	_, err = p.writeBody(&h2writer{c, s})
	return err
}

// An h2writer is the body of one stream. A Write returns when the sender has
// taken all of it.
type h2writer struct {
	c *h2conn
	s *h2send
}

func (w *h2writer) Write(b []byte) (int, error) {
	c, s := w.c, w.s
	c.mu.Lock()
	defer c.mu.Unlock()
	s.body = b
	s.moved = time.Now()
	c.wake.Broadcast()
	for len(s.body) > 0 && !s.stopped && c.dead == nil {
		c.wake.Wait()
	}
	if n := len(b) - len(s.body); n < len(b) {
		s.body = nil
		return n, errH2Gone
	}
	return len(b), nil
}
