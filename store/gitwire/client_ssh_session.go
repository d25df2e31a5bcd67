package gitwire

import (
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
	ch    ssh.Channel
	out   *io.PipeReader // what comes
	in    *io.PipeWriter // what goes
	once  sync.Once
	ended chan struct{} // closed when the host has closed the channel

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
	inR, inW := io.Pipe()
	s := &sshSession{ch: ch, out: outR, in: inW, ended: make(chan struct{})}
	var said sync.WaitGroup
	said.Go(func() { io.Copy(&s.stderr, ch.Stderr()) })
	said.Go(func() { ssh.DiscardRequests(requests) })
	go func() {
		said.Wait()
		close(s.ended)
		inR.CloseWithError(io.ErrClosedPipe)
	}()
	go func() {
		io.Copy(outW, ch)
		outW.Close()
	}()
	go func() {
		if _, err := io.Copy(ch, inR); err != nil {
			inR.CloseWithError(err)
			return
		}
		ch.CloseWrite()
	}()
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

func (s *sshSession) Read(p []byte) (int, error)  { return s.out.Read(p) }
func (s *sshSession) Write(p []byte) (int, error) { return s.in.Write(p) }

func (s *sshSession) Close() error {
	s.once.Do(func() {
		s.out.CloseWithError(net.ErrClosed)
		s.in.CloseWithError(net.ErrClosed)
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
