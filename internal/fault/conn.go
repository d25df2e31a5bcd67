package fault

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A conn is one connection through the proxy.
type conn struct {
	proxy        *Proxy
	number       int
	client, host *net.TCPConn

	once    sync.Once
	gone    chan struct{} // closed with both connections
	stalled atomic.Bool

	mu    sync.Mutex
	turn  *turn
	heard bool // the host has spoken in this turn
}

// A turn is a request and its answer, as far as the proxy can tell them.
type turn struct {
	fault   Fault
	up      int // bytes that have passed; of the goroutine that relays them
	down    int
	begun   bool   // the fault has been noted, or the pause is over
	request []byte // what is to be sent again
}

// end closes both connections.
func (c *conn) end(closing func(*net.TCPConn)) {
	c.once.Do(func() {
		closing(c.client)
		closing(c.host)
		close(c.gone)
	})
}

func (c *conn) reset() { c.end(reset) }
func (c *conn) close() { c.end(func(t *net.TCPConn) { t.Close() }) }

// relay returns when both directions have ended.
func (c *conn) relay() {
	defer c.close()
	var down sync.WaitGroup
	down.Go(func() { c.copy(c.client, c.host, true) })
	c.copy(c.host, c.client, false)
	down.Wait()
}

// copy relays one direction until it ends, by itself or by a fault.
func (c *conn) copy(to, from *net.TCPConn, back bool) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && !c.stalled.Load() && !c.pass(c.spoken(back), to, from, buf[:n], back) {
			return
		}
		switch {
		case err == io.EOF && c.stalled.Load():
			c.close()
			return
		case err == io.EOF:
			_ = to.CloseWrite() // it may be gone
			return
		case err != nil:
			c.reset()
			return
		}
	}
}

// spoken returns the turn that bytes belong to. The client begins one.
func (c *conn) spoken(back bool) *turn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turn == nil || !back && c.heard {
		c.turn = &turn{fault: c.proxy.next()}
	}
	c.heard = back
	return c.turn
}

// pass relays what has been read, unless it is to go wrong; then it says
// whether the direction goes on.
func (c *conn) pass(t *turn, to, from *net.TCPConn, data []byte, back bool) bool {
	f := t.fault
	switch f.Kind {
	case Drop:
		if back {
			c.swallow(t, data)
			return false
		}
		t.keep(data)
	case DoubleFirst:
		if !back && !t.begun {
			return c.doubleFirst(t, to, from, data)
		}
	case DoubleLater:
		if !back {
			t.keep(data)
		} else if !t.begun {
			c.doubleLater(t)
		}
	case "":
	default:
		if f.Back == back {
			return c.passUntil(t, to, from, data, back)
		}
	}
	return c.write(to, data)
}

func (c *conn) write(to *net.TCPConn, data []byte) bool {
	if _, err := to.Write(data); err != nil {
		c.reset()
		return false
	}
	return true
}

// passUntil relays up to where the fault is.
func (c *conn) passUntil(t *turn, to, from *net.TCPConn, data []byte, back bool) bool {
	passed := &t.up
	if back {
		passed = &t.down
	}
	if left := t.fault.After - *passed; left >= len(data) {
		*passed += len(data)
		return c.write(to, data)
	} else if left > 0 {
		if !c.write(to, data[:left]) {
			return false
		}
		*passed, data = t.fault.After, data[left:]
	}
	return c.wrong(t, to, from, data)
}

// wrong makes the fault happen, before data.
func (c *conn) wrong(t *turn, to, from *net.TCPConn, data []byte) bool {
	if !t.begun {
		c.proxy.note(c, t.fault)
	}
	switch t.fault.Kind {
	case Cut:
		c.close()
	case Reset:
		c.reset()
	case Truncate:
		_ = to.CloseWrite() // it may be gone
		c.drain(from)
	case Stall:
		c.stalled.Store(true)
		c.drain(from)
		c.close()
	case Delay:
		if t.begun {
			return c.write(to, data)
		}
		t.begun = true
		return c.wait(t.fault.Pause) && c.write(to, data)
	case Trickle:
		t.begun = true
		return c.trickle(to, data)
	}
	return false
}

// drain reads what nobody gets, until the sender ends.
func (c *conn) drain(from *net.TCPConn) {
	_, _ = io.Copy(io.Discard, from)
}

// wait pauses, and says whether the connection is still there.
func (c *conn) wait(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.gone:
		return false
	}
}

// maxPieces bounds how long a trickle takes.
const maxPieces = 32

// trickle sends the beginning of data in small pieces.
func (c *conn) trickle(to *net.TCPConn, data []byte) bool {
	for range maxPieces {
		if len(data) == 0 {
			return true
		}
		n := min(7, len(data))
		if !c.write(to, data[:n]) || !c.wait(time.Millisecond) {
			return false
		}
		data = data[n:]
	}
	return c.write(to, data)
}
