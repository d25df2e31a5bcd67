package unipi

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
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

	in     *bufio.Reader
	frame  allowance
	framer *http2.Framer
	bodies map[uint32]*h2body // requests that are still coming; the reader's alone
	last   uint32             // the highest stream that the client has opened
	noise  noise

	flushing sync.Mutex // held while out is being written; before mu
	spare    []byte

	mu      sync.Mutex
	wake    sync.Cond // something for the sender to do
	out     []byte    // frames that wait to be written
	window  int64     // of the connection
	initial int64     // of a new stream
	sending []*h2send // bodies that are being sent, in turn
	ended   bool      // out holds the end of a body, which nobody has flushed
	closing bool      // no new streams
	dead    error     // why nothing can be written any more

	senders sync.WaitGroup
}

// An h2send is a body on its way. mu of its connection guards it.
type h2send struct {
	stream  uint32
	body    []byte
	more    bool // a stream's: its writer brings the rest
	window  int64
	moved   time.Time // when some of it was sent last
	stopped bool      // reset, by either side
}

const (
	// h2Batch is about how much is written at once, in bytes.
	h2Batch = 128 << 10
	// h2Inline is up to where a body is sent by the goroutine that reads.
	h2Inline = 64 << 10
)

// h2FrameBytes is the most that a frame takes, or a header with all its
// CONTINUATIONs.
const h2FrameBytes = 64 << 10

// An allowance reads so many bytes and no more: http2.Framer would follow empty
// CONTINUATIONs for ever.
type allowance struct {
	r    io.Reader
	left int
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left == 0 {
		return 0, http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	n, err := a.r.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

var errH2Gone = errors.New("connection is closing")

func newH2Conn(nc *tls.Conn, site replier, limits *Limits) *h2conn {
	state := nc.ConnectionState()
	c := &h2conn{
		nc: nc, site: site, limits: limits, remote: nc.RemoteAddr().String(), tls: &state,
		in: bufio.NewReaderSize(nc, 4<<10), bodies: map[uint32]*h2body{}, window: 65535, initial: 65535,
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
			c.last = max(c.last, stream.StreamID)
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
	c.dead = errH2Gone
	c.wake.Broadcast()
	c.mu.Unlock()
	_ = c.nc.Close() // which ends a write that is under way
	c.senders.Wait()
}

// next reads one frame and does what it says. Before it waits for the client, all
// that has been answered is written.
func (c *h2conn) next() error {
	if c.in.Buffered() == 0 {
		if err := c.flush(); err != nil {
			return err
		}
		if err := c.await(); err != nil {
			return err
		}
	}
	c.frame.left = h2FrameBytes
	f, err := c.framer.ReadFrame()
	if err != nil {
		return err
	}
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return c.headers(f)
	case *http2.DataFrame:
		return c.data(f)
	case *http2.WindowUpdateFrame:
		return c.widen(f.StreamID, int64(f.Increment))
	case *http2.SettingsFrame:
		return c.settings(f)
	case *http2.PingFrame:
		if !f.IsAck() {
			c.append(func(b []byte) []byte {
				return append(appendFrame(b, http2.FramePing, http2.FlagPingAck, 0, 8), f.Data[:]...)
			})
		}
		return c.noise.add()
	case *http2.RSTStreamFrame:
		if f.StreamID > c.last {
			return http2.ConnectionError(http2.ErrCodeProtocol)
		}
		c.forget(f.StreamID)
		return c.noise.add()
	case *http2.GoAwayFrame:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closing = true
		return nil
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return c.noise.add() // PRIORITY and what is not known
}

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
	if len(out) > 0 && err == nil {
		_ = c.nc.SetWriteDeadline(time.Now().Add(c.limits.Stall)) // a closed connection says so when it is written
		_, err = c.nc.Write(out)
	}
	if c.spare = out; cap(out) > 2*h2Batch {
		c.spare = nil
	}
	if err != nil {
		c.mu.Lock()
		c.dead = err
		c.wake.Broadcast()
		c.mu.Unlock()
	}
	return err
}

// goAway says why the connection ends.
func (c *h2conn) goAway(code http2.ErrCode) {
	c.append(func(b []byte) []byte { return appendGoAway(b, c.last, code) })
	if c.flush() == nil && c.nc.CloseWrite() == nil {
		_ = c.nc.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		_, _ = io.CopyN(io.Discard, c.nc, 8<<20) // so that what we said arrives
	}
}

func (c *h2conn) reset(stream uint32, code http2.ErrCode) {
	c.forget(stream)
	c.append(func(b []byte) []byte { return appendReset(b, stream, code) })
}

// forget ends a stream on our side.
func (c *h2conn) forget(stream uint32) {
	delete(c.bodies, stream)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sending = slices.DeleteFunc(c.sending, func(s *h2send) bool {
		s.stopped = s.stopped || s.stream == stream
		return s.stream == stream
	})
	c.wake.Broadcast()
}

// settings obeys the client's (RFC 9113, section 6.5.2).
func (c *h2conn) settings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return c.noise.add()
	}
	err := f.ForeachSetting(func(s http2.Setting) error {
		if err := s.Valid(); err != nil {
			return err
		}
		if s.ID != http2.SettingInitialWindowSize {
			return nil // the rest does not concern what we send
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, out := range c.sending {
			if out.window += int64(s.Val) - c.initial; out.window > maxWindow {
				return http2.ConnectionError(http2.ErrCodeFlowControl)
			}
		}
		c.initial = int64(s.Val)
		c.wake.Broadcast()
		return nil
	})
	if err != nil {
		return err
	}
	c.append(func(b []byte) []byte { return appendFrame(b, http2.FrameSettings, http2.FlagSettingsAck, 0, 0) })
	return c.noise.add()
}

const maxWindow = 1<<31 - 1

// widen adds to the window of the connection (stream 0) or of a stream.
func (c *h2conn) widen(stream uint32, n int64) error {
	if stream > c.last {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.wake.Broadcast()
	if stream == 0 {
		if c.window += n; c.window > maxWindow {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		return nil
	}
	for _, s := range c.sending {
		if s.stream == stream {
			if s.window += n; s.window > maxWindow {
				return http2.StreamError{StreamID: stream, Code: http2.ErrCodeFlowControl}
			}
			return nil
		}
	}
	return nil // the stream has ended meanwhile
}

// Noise is frames that make work and ask for nothing: a client may send so
// many in a minute.
type noise struct {
	count int
	since time.Time
}

const maxNoise = 2000

func (n *noise) add() error {
	if n.count++; n.count < maxNoise {
		return nil
	}
	if now := time.Now(); now.Sub(n.since) > time.Minute {
		n.count, n.since = 0, now
		return nil
	}
	return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
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
