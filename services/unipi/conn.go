package unipi

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A conn stands between an HTTP/1 client and net/http. It reads each request's
// head strictly before net/http sees it, keeps its own deadlines, and answers plain
// GETs and HEADs with prepared responses itself, at a fraction of what they
// cost through net/http. Everything else passes through.
type conn struct {
	net.Conn
	limits *Limits
	open   *openConns
	fast   *responder // nil: everything passes through

	in      []byte // what the client sent is in[r:w]
	r, w    int
	passing int   // of these, bytes that net/http may have now
	body    int64 // bytes of body that follow them; -1: chunked
	chunks  chunkReader
	refused bool // nothing more is read

	handed   atomic.Int64 // requests that net/http has got
	finished atomic.Int64 // of them, answered

	mu        sync.Mutex
	answering bool      // the responder is writing
	closing   bool      // no more requests
	aborted   bool      // net/http wants its pending Read back
	readBy    time.Time // the read deadline that is set; zero: not known
	writeBy   time.Time // the write deadline that is set; the writer's alone
}

const (
	connBuffer = 4 << 10
	// pieceBytes is how much of a response is written under one deadline.
	pieceBytes = 256 << 10
)

// Read gives net/http what it may see.
func (c *conn) Read(p []byte) (int, error) {
	for {
		switch {
		case c.passing > 0:
			n := copy(p, c.in[c.r:c.r+c.passing])
			c.r += n
			c.passing -= n
			return n, nil
		case c.refused:
			return 0, io.EOF
		case c.body > 0 && c.r == c.w:
			return c.readBody(p)
		case c.body > 0:
			c.passing = int(min(c.body, int64(c.w-c.r)))
			c.body -= int64(c.passing)
		case c.body < 0 && c.r < c.w:
			c.passChunks()
		case c.body < 0:
			c.readWithin(c.limits.Stall)
			if err := c.fill(); err != nil {
				return 0, err
			}
		default:
			if err := c.nextHead(); err != nil {
				return 0, err
			}
		}
	}
}

// readBody reads a body of known length straight into net/http's buffer.
func (c *conn) readBody(p []byte) (int, error) {
	c.readWithin(c.limits.Stall)
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.body)])
	c.body -= int64(n)
	return n, err
}

// passChunks lets net/http have what has come of a chunked body. Where it is
// malformed it ends too soon, and net/http says so.
func (c *conn) passChunks() {
	n, done, err := c.chunks.advance(c.in[c.r:c.w])
	c.passing = n
	if done {
		c.body = 0
	}
	c.refused = err != nil
}

// nextHead waits for the head of a request, and answers it or lets it pass.
func (c *conn) nextHead() error {
	if c.r == c.w {
		if c.busy() {
			c.readWithin(0)
		} else {
			c.readWithin(c.limits.Idle)
		}
		if err := c.fill(); err != nil {
			return err
		}
	}
	seen := 0
	h, err := parseHead(c.in[c.r:c.w], seen)
	for err == errHeadMore {
		if seen == 0 {
			c.readWithin(c.limits.Head)
		}
		seen = c.w - c.r
		if err := c.fill(); err != nil {
			return err
		}
		h, err = parseHead(c.in[c.r:c.w], seen)
	}
	if err != nil {
		return c.refuse(err)
	}
	if c.fast != nil && !c.busy() && h.plain() && c.begin() {
		done, err := c.answer(&h)
		if done || err != nil {
			c.r += h.size
			return err
		}
	}
	c.handed.Add(1)
	c.passing, c.body = h.size, h.length
	return nil
}

// busy reports whether net/http is at work on a request, so that nobody else
// may write.
func (c *conn) busy() bool { return c.handed.Load() != c.finished.Load() }

// fill reads more of what the client sends behind what is there.
func (c *conn) fill() error {
	switch {
	case c.in == nil:
		c.in = make([]byte, connBuffer)
	case c.r == c.w:
		c.r, c.w = 0, 0
	case c.w == len(c.in) && c.r > 0:
		c.w = copy(c.in, c.in[c.r:c.w])
		c.r = 0
	case c.w == len(c.in):
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
	n, err := c.Conn.Read(c.in[c.w:])
	c.w += n
	if n > 0 {
		return nil
	}
	return err
}

// refuse answers a head that cannot be accepted, and ends the connection.
// While net/http is writing an earlier answer, it is given something that it will
// refuse in turn.
func (c *conn) refuse(err error) error {
	c.refused = true
	if c.busy() {
		c.in, c.r = append(c.in[:0], "refused\r\n\r\n"...), 0
		c.w, c.passing = len(c.in), len(c.in)
		return nil
	}
	status := "400 Bad Request"
	switch err {
	case errHeadTooLarge:
		status = "431 Request Header Fields Too Large"
	case errHeadVersion:
		status = "505 HTTP Version Not Supported"
	}
	if _, err := io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"+status+"\n"); err != nil {
		return err
	}
	return io.EOF
}

// encrypted returns the state of TLS, nil without.
func (c *conn) encrypted() *tls.ConnectionState {
	if t, ok := c.Conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		return &state
	}
	return nil
}

// connState hears from net/http when a request is answered.
func connState(nc net.Conn, state http.ConnState) {
	if c, ok := nc.(*conn); ok && state == http.StateIdle {
		c.finished.Add(1)
	}
}
