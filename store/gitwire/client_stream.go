package gitwire

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// A stream is a connection to a service that has said its greeting: a session
// over SSH, or a connection of git's own protocol.
type stream struct {
	rw       io.ReadWriteCloser // Close is prompt and ends Read and Write
	said     func() string      // what the remote said beside the protocol; it may wait a moment for that
	pulse    *pulse
	r        *pktReader
	greeting *greeting
	born     time.Time

	// Of a spare: watched is closed when the remote has spoken or hung up, with
	// watchErr then. Nobody else reads from r before that.
	watched  chan struct{}
	watchErr error
}

// greet reads the greeting of a stream that has just been opened.
func greet(ctx context.Context, rw io.ReadWriteCloser, said func() string, service string, limit time.Duration) (*stream, error) {
	s := &stream{rw: rw, said: said, born: time.Now()}
	s.pulse = &pulse{limit: limit, abort: func() { rw.Close() }}
	s.pulse.arm()
	s.r = newPktReader(pulseReader{rw, s.pulse})
	defer context.AfterFunc(ctx, func() { rw.Close() })()
	var err error
	if s.greeting, err = readGreeting(s.r, service); err != nil {
		err = s.wrong(ctx, err)
		rw.Close()
		return nil, err
	}
	return s, nil
}

// wrong finds the cause of an error of reading.
func (s *stream) wrong(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case s.pulse.isStalled():
		return away(errStalled)
	}
	var broken net.Error
	if endsEarly(err) {
		if text := s.said(); text != "" {
			return remoteRefuses(text)
		}
	}
	if errors.As(err, &broken) || endsEarly(err) || errors.Is(err, net.ErrClosed) {
		return away(err)
	}
	return err
}

// watch finds out when a spare is of no use any more: nothing is expected to come.
func (s *stream) watch() {
	s.pulse.mu.Lock()
	s.pulse.armed = false
	s.pulse.set()
	s.pulse.mu.Unlock()
	s.watched = make(chan struct{})
	go func() {
		defer close(s.watched)
		_, s.watchErr = s.r.r.Peek(1)
	}()
}

// idle reports whether a spare has been silent.
func (s *stream) idle() bool {
	select {
	case <-s.watched:
		return false
	default:
		return true
	}
}

// A streamCarrier is a conversation over a stream.
type streamCarrier struct {
	s       *stream
	ctx     context.Context // of one call of Remote
	release func() bool
	out     *outgoing
	done    func(*streamCarrier) // tells the transport
}

func (c *streamCarrier) stateless() bool { return false }
func (c *streamCarrier) detach()         { c.release() }
func (c *streamCarrier) abort()          { c.s.rw.Close() }
func (c *streamCarrier) finish()         {}

// ask writes in the background, so that a remote that talks before it has heard
// all is listened to.
func (c *streamCarrier) ask(write func(io.Writer) error) (*pktReader, error) {
	c.s.pulse.arm()
	if c.out != nil {
		c.out.wg.Wait()
	}
	out := new(outgoing)
	c.out = out
	out.wg.Go(func() {
		if err := out.write(pulseWriter{c.s.rw, c.s.pulse}, write); err != nil {
			c.s.rw.Close() // the remote waits for what is not to come
		}
	})
	if c.s.watched != nil {
		<-c.s.watched
		if c.s.watchErr != nil {
			return nil, noEOF(c.s.watchErr)
		}
		c.s.watched = nil
	}
	return c.s.r, nil
}

func (c *streamCarrier) began() bool {
	if c.out == nil {
		return false
	}
	some, _ := c.out.state()
	return some
}

func (c *streamCarrier) sent() bool {
	if c.out == nil {
		return false
	}
	_, whole := c.out.state()
	return whole
}

func (c *streamCarrier) wrong(err error) error {
	if c.out != nil && (endsEarly(err) || errors.Is(err, net.ErrClosed)) {
		if c.ctx.Err() == nil && !c.s.pulse.isStalled() {
			c.s.rw.Close() // nothing more comes: the writer ends
			if fault := c.out.fault(); fault != nil {
				return fault
			}
		}
	}
	return c.s.wrong(c.ctx, err)
}

func (c *streamCarrier) close() {
	c.release()
	c.done(c)
	if c.out != nil {
		c.out.wg.Wait()
	}
}
