package unipi

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// An h2conn serves one HTTP/2 connection (RFC 9113) from prepared responses.
// net/http takes four or five goroutine switches for a small page, which is most
// of its cost; here the goroutine that reads a request answers it. Bodies
// that do not fit the peer's window, or 64 KiB, are sent by a second goroutine, in
// turn, as the windows allow.
type h2conn struct {
	nc     *tls.Conn
	site   replier
	limits *Limits
	remote string
	tls    *tls.ConnectionState
	log    *slog.Logger

	in        *bufio.Reader
	frame     allowance
	framer    *http2.Framer
	bodies    map[uint32]*h2body // requests that are still coming; the reader's alone
	readBy    time.Time          // the deadline for a frame; the reader's alone
	last      uint32             // the highest stream that the client has opened
	begun     bool               // the client's first SETTINGS have come
	resets    [8]uint32          // the latest streams that we have reset, in turn
	nextReset int
	noise     noise

	flushing sync.Mutex // held while out is being written; before mu
	spare    []byte

	mu      sync.Mutex
	wake    sync.Cond // something for the sender to do
	out     []byte    // frames that wait to be written
	window  int64     // of the connection
	initial int64     // of a new stream
	sending []*h2send // bodies that are being sent, in turn
	moved   time.Time // when some of any body was sent last
	credit  int64     // window updates that what has been sent is worth
	table   tableSize
	opened  int   // bodies that are being read and are not in memory
	ended   bool  // out holds the end of a body, which nobody has flushed
	closing bool  // no new streams
	waiting bool  // the reader, for a frame to begin
	dead    error // why nothing can be written any more

	senders sync.WaitGroup
}

// An h2send is a body on its way. mu of its connection guards it.
type h2send struct {
	stream  uint32
	body    []byte
	more    bool // a stream's: its writer brings the rest
	window  int64
	moved   time.Time // when some of it was sent last
	queued  bool      // nobody reads it yet
	stopped bool      // reset, by either side
}

const (
	// h2Batch is about how much is written at once, in bytes.
	h2Batch = 128 << 10
	// h2Inline is up to where a body is sent by the goroutine that reads.
	h2Inline = 64 << 10
)

var errH2Gone = errors.New("connection is closing")

func newH2Conn(nc *tls.Conn, site replier, limits *Limits) *h2conn {
	state := nc.ConnectionState()
	c := &h2conn{
		nc: nc, site: site, limits: limits, remote: nc.RemoteAddr().String(), tls: &state,
		in: bufio.NewReaderSize(nc, 4<<10), bodies: map[uint32]*h2body{}, window: 65535, initial: 65535, credit: h2Credit,
	}
	c.wake.L = &c.mu
	c.frame.r = c.in
	c.framer = http2.NewFramer(nil, &c.frame)
	c.framer.SetMaxReadFrameSize(h2FrameData)
	c.framer.SetReuseFrames()
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.framer.MaxHeaderListSize = maxHeadBytes
	return c
}

// serve speaks until the connection ends.
func (c *h2conn) serve() {
	defer c.end()
	_ = c.nc.SetReadDeadline(time.Now().Add(c.limits.Head)) // a closed connection says so when it is read
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.in, preface); err != nil || !bytes.Equal(preface, []byte(http2.ClientPreface)) {
		return
	}
	c.out = appendSettings(c.out,
		http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: maxStreams},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: maxHeadBytes})
	c.senders.Go(c.send)
	for {
		err := c.next()
		var stream http2.StreamError
		var conn http2.ConnectionError
		switch {
		case err == nil:
		case errors.As(err, &stream):
			c.reset(stream.StreamID, stream.Code)
			err = c.noise.add()
		case errors.Is(err, http2.ErrFrameTooLarge):
			err = http2.ConnectionError(http2.ErrCodeFrameSize)
		}
		if errors.As(err, &conn) {
			c.goAway(http2.ErrCode(conn))
			return
		}
		if err != nil {
			return
		}
	}
}

// end closes the connection and waits for those who were writing to it.
func (c *h2conn) end() {
	c.mu.Lock()
	broken := c.dead != nil
	c.dead = errH2Gone
	c.wake.Broadcast()
	c.mu.Unlock()
	if broken {
		_ = c.nc.NetConn().Close() // who takes nothing takes no farewell
	}
	_ = c.nc.Close() // which ends a write that is under way
	c.senders.Wait()
}

func (c *h2conn) append(f func([]byte) []byte) {
	c.mu.Lock()
	c.out = f(c.out)
	c.mu.Unlock()
}

// flush writes the frames that wait.
func (c *h2conn) flush() error {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	c.mu.Lock()
	out := c.out
	c.out = c.spare[:0]
	err := c.dead
	c.mu.Unlock()
	for rest := out; len(rest) > 0 && err == nil; {
		_ = c.nc.SetWriteDeadline(time.Now().Add(c.limits.Stall)) // a closed connection says so when it is written
		part := rest[:min(len(rest), pieceBytes)]
		rest = rest[len(part):]
		_, err = c.nc.Write(part)
	}
	if c.spare = out; cap(out) > 2*h2Batch {
		c.spare = nil
	}
	if err != nil {
		c.mu.Lock()
		c.dead = err
		c.nudge()
		c.wake.Broadcast()
		c.mu.Unlock()
	}
	return err
}
