package unipi

import (
	"errors"

	"golang.org/x/net/http2"
)

// here reports whether the next frame has come as a whole.
func (c *h2conn) here() bool {
	n := c.in.Buffered()
	if n < frameHead {
		return false
	}
	head, _ := c.in.Peek(frameHead)
	return n-frameHead >= int(head[0])<<16|int(head[1])<<8|int(head[2])
}

// outgrown reports whether what waits to be written is worth writing now.
func (c *h2conn) outgrown() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out) >= h2Batch
}

// read reads one frame. What is wrong with a stream that has never been opened is
// wrong with the connection.
func (c *h2conn) read() (http2.Frame, error) {
	c.frame.left = h2FrameBytes
	head, err := c.framer.ReadFrameHeader()
	if err != nil {
		return nil, err
	}
	if !c.begun && (head.Type != http2.FrameSettings || head.Flags.Has(http2.FlagSettingsAck)) {
		return nil, http2.ConnectionError(http2.ErrCodeProtocol) // RFC 9113, section 3.4
	}
	c.begun = true
	f, err := c.framer.ReadFrameForHeader(head)
	var stream http2.StreamError
	if errors.As(err, &stream) {
		switch id := stream.StreamID; {
		case id > c.last && head.Type == http2.FrameHeaders && id%2 == 1:
			c.last = id
		case id > c.last || id%2 == 0:
			return nil, http2.ConnectionError(http2.ErrCodeProtocol)
		}
	}
	return f, err
}

// next reads one frame and does what it says. Before it waits for the client, all
// that has been answered is written.
func (c *h2conn) next() error {
	if !c.here() || c.outgrown() {
		if err := c.flush(); err != nil {
			return err
		}
		if err := c.await(); err != nil {
			return err
		}
	}
	c.hurry()
	f, err := c.read()
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
