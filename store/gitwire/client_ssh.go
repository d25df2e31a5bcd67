package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"cairn/store"
)

// An sshCarrier runs git's command at the remote and speaks with it.
type sshCarrier struct {
	ctx     context.Context // of one call of Client, which the carrier does not outlive
	release func() bool
	conn    net.Conn
	client  *ssh.Client
	session *ssh.Session
	in      io.WriteCloser
	out     *pktReader
	stderr  complaint
}

func (c *Client) openSSH(ctx context.Context, u *url.URL, service string, proto int) (carrier, error) {
	if c.Dial == nil || c.SSH == nil {
		return nil, errors.New("URLs of scheme ssh are not allowed here")
	}
	port := u.Port()
	if port == "" {
		port = "22"
	}
	addr := net.JoinHostPort(u.Hostname(), port)
	conn, err := c.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrTemporary, err)
	}
	s := &sshCarrier{ctx: ctx, conn: conn}
	s.release = context.AfterFunc(ctx, func() { conn.Close() })
	config := *c.SSH
	if name := u.User.Username(); name != "" {
		config.User = name
	}
	path := u.Path
	if u.Opaque != "" {
		path = u.Opaque
	}
	if err := s.start(addr, &config, service+" "+quote(path), proto); err != nil {
		err = s.wrong(err)
		s.close()
		return nil, err
	}
	return s, nil
}

// start logs in and runs the command.
func (s *sshCarrier) start(addr string, config *ssh.ClientConfig, command string, proto int) error {
	conn, channels, requests, err := ssh.NewClientConn(s.conn, addr, config)
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	s.client = ssh.NewClient(conn, channels, requests)
	if s.session, err = s.client.NewSession(); err != nil {
		return fmt.Errorf("open session: %w", err)
	}
	if proto > 0 {
		// A server that refuses it speaks the protocol that all know.
		_ = s.session.Setenv("GIT_PROTOCOL", fmt.Sprintf("version=%d", proto))
	}
	s.session.Stderr = &s.stderr
	if s.in, err = s.session.StdinPipe(); err != nil {
		return err
	}
	out, err := s.session.StdoutPipe()
	if err != nil {
		return err
	}
	s.out = newPktReader(out)
	if err := s.session.Start(command); err != nil {
		return fmt.Errorf("run %s: %w", command, err)
	}
	return nil
}

func (s *sshCarrier) hello() *pktReader { return s.out }

func (s *sshCarrier) ask(write func(io.Writer) error) (*pktReader, error) {
	if err := write(s.in); err != nil {
		return nil, err
	}
	return s.out, nil
}

// wrong prefers, to an early end, what the remote said on standard error.
func (s *sshCarrier) wrong(err error) error {
	if ctxErr := s.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if errors.Is(err, io.ErrUnexpectedEOF) && s.session != nil {
		s.in.Close()
		// Its own error says no more than that the command went wrong.
		_ = s.session.Wait()
		if text := s.stderr.text(); text != "" {
			return &RemoteError{text}
		}
	}
	return err
}

func (s *sshCarrier) close() {
	s.release()
	if s.client != nil {
		s.client.Close()
	}
	s.conn.Close()
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
