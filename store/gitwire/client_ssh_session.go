package gitwire

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// An sshSession is a command that runs at the remote, as a stream that can be
// closed at any time. The ends of an ssh.Channel cannot: a Read waits for what
// the host sends, a Write for what it takes. So goroutines stand between, which end
// with the channel or at the latest with its connection.
type sshSession struct {
	conn    *linkConn
	ch      ssh.Channel
	out     *io.PipeReader // what comes
	in      chan []byte    // what goes: one piece at a time,
	written chan error     // and what became of it
	once    sync.Once
	closed  chan struct{} // this side has closed it
	ended   chan struct{} // closed when the host has

	stderr complaint
}

// errNoExec says that a host does not run the command.
var errNoExec = errors.New("the remote does not run git's commands")

// session runs a command.
func (l *sshLink) session(ctx context.Context, command string, v2 bool) (*sshSession, error) {
	type result struct {
		s   *sshSession
		err error
	}
	opened := make(chan result, 1)
	go func() {
		s, err := l.start(command, v2)
		opened <- result{s, err}
	}()
	select {
	case r := <-opened:
		return r.s, r.err
	case <-ctx.Done():
		// The host may answer yet, or the connection end.
		go func() {
			if r := <-opened; r.err == nil {
				r.s.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

func (l *sshLink) start(command string, v2 bool) (*sshSession, error) {
	ch, requests, err := l.client.OpenChannel("session", nil)
	if err != nil {
		return nil, err
	}
	outR, outW := io.Pipe()
	s := &sshSession{
		conn: l.conn, ch: ch, out: outR, in: make(chan []byte), written: make(chan error, 1),
		closed: make(chan struct{}), ended: make(chan struct{}),
	}
	var said sync.WaitGroup
	said.Go(func() { io.Copy(&s.stderr, ch.Stderr()) })
	said.Go(func() { ssh.DiscardRequests(requests) })
	go func() {
		said.Wait()
		close(s.ended)
	}()
	go func() {
		io.Copy(outW, ch)
		outW.Close()
	}()
	go s.send()
	if v2 {
		// A server that refuses it speaks the protocol that all know.
		_, err = ch.SendRequest("env", false, ssh.Marshal(struct{ Name, Value string }{"GIT_PROTOCOL", "version=2"}))
	}
	if err == nil {
		var ok bool
		ok, err = ch.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{command}))
		if err == nil && !ok {
			err = errNoExec
		}
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// send writes to the channel until the session is closed.
func (s *sshSession) send() {
	for {
		select {
		case p := <-s.in:
			before := s.conn.bytes.Load()
			_, err := s.ch.Write(p)
			if err == nil && s.conn.broken.Load() && s.conn.bytes.Load() == before {
				err = net.ErrClosed // it has not gone out, and nothing will any more
			}
			s.written <- err
		case <-s.closed:
			return
		}
	}
}

func (s *sshSession) Read(p []byte) (int, error) { return s.out.Read(p) }

// Write reports nothing as written only when nothing of p has gone out. One goroutine
// calls it at a time.
func (s *sshSession) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		piece := bytes.Clone(p[n:min(len(p), n+maxPiece)])
		select {
		case s.in <- piece:
		case <-s.ended:
			return n, io.ErrClosedPipe
		case <-s.closed:
			return n, net.ErrClosed
		}
		ok, err := s.outcome()
		if ok {
			n += len(piece)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// outcome reports whether the last piece has gone out, or may have.
func (s *sshSession) outcome() (bool, error) {
	select {
	case err := <-s.written:
		return err == nil, err
	case <-s.closed:
	}
	// Where the connection has ended, it is known at once.
	late := time.NewTimer(time.Second)
	defer late.Stop()
	select {
	case err := <-s.written:
		return err == nil, cmp.Or(err, net.ErrClosed)
	case <-late.C:
		return true, net.ErrClosed
	}
}

// maxPiece is at most what one packet carries (RFC 4253 §6.1), so that a piece that is
// not written is not written in part.
const maxPiece = 32 << 10

func (s *sshSession) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.out.CloseWithError(net.ErrClosed)
		go s.ch.Close() // which waits for room on the connection
	})
	return nil
}

// said is what came on standard error, once the command has ended; it is not waited
// for long.
func (s *sshSession) said() string {
	select {
	case <-s.ended:
	case <-time.After(time.Second):
	}
	return s.stderr.text()
}

// A complaint keeps the beginning of what comes on standard error.
type complaint struct {
	mu   sync.Mutex
	kept []byte
}

const maxComplaint = 1 << 10

func (c *complaint) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = append(c.kept, p[:min(len(p), maxComplaint-len(c.kept))]...)
	return len(p), nil
}

func (c *complaint) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return oneLine(string(c.kept))
}

// quote makes a path one word for the remote's shell, as git does.
func quote(path string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(path) + "'"
}
