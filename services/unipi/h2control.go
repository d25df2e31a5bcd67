package unipi

import (
	"io"
	"slices"
	"time"

	"golang.org/x/net/http2"
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

// goAway says why the connection ends.
func (c *h2conn) goAway(code http2.ErrCode) {
	c.append(func(b []byte) []byte { return appendGoAway(b, c.last, code) })
	if c.flush() == nil && c.nc.CloseWrite() == nil {
		_ = c.nc.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		_, _ = io.CopyN(io.Discard, c.nc, 8<<20) // so that what we said arrives
	}
}

func (c *h2conn) reset(stream uint32, code http2.ErrCode) {
	c.resets[c.nextReset%len(c.resets)] = stream
	c.nextReset++
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
		c.mu.Lock()
		defer c.mu.Unlock()
		if s.ID == http2.SettingHeaderTableSize && s.Val < 4096 && c.table == tableUntouched {
			c.table = tableToEmpty
		}
		if s.ID != http2.SettingInitialWindowSize {
			return nil // the rest does not concern what we send
		}
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
	if c.credit--; c.credit < 0 {
		if err := c.noise.add(); err != nil {
			return err
		}
	}
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

// Window updates are noise unless they answer what was sent: h2Credit of them are
// free, h2PerRequest for each request, one for each h2Worth bytes of a body.
const (
	h2Credit     = 1000
	h2PerRequest = 4
	h2Worth      = 256
)

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
