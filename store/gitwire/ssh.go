package gitwire

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// An SSHServer serves fetches and pushes over SSH, to git and nothing else: no
// shell, no forwarding, no subsystems. The fields are not changed while it serves.
type SSHServer struct {
	// Config says who may log in and holds the host keys. What its callbacks
	// return as Permissions is handed to Open. The shell greeting calls a user by
	// Permissions.Extensions[ExtensionUser], or else by the name given to SSH.
	Config *ssh.ServerConfig

	// Open returns the view of a repository. repo is the path that the client asks
	// for, without slashes around it; write says that it wants to push.
	// fs.ErrNotExist and fs.ErrPermission are told to the client as such.
	Open func(ctx context.Context, perms *ssh.Permissions, repo string, write bool) (*View, error)

	Log *slog.Logger // of failed sessions; nil: nowhere

	MaxConns         int           // further connections are closed at once; 0 means 256
	HandshakeTimeout time.Duration // from connecting to being logged in; 0 means 30 s
	// IdleTimeout is how long a client may take to ask for something, to
	// send the next byte or to take one; 0 means 2 min.
	IdleTimeout time.Duration
	KeepAlive   time.Duration // between probes for whether the client is there; 0 means 30 s

	searches keptSearches
	waits    waitRoom
}

// ExtensionUser is the key of the user's name in ssh.Permissions.Extensions.
const ExtensionUser = "user"

// maxSessions is how many sessions one connection may have at a time.
const maxSessions = 8

// Serve accepts connections until ctx ends or the listener is closed. It closes
// the listener, and returns when all sessions have ended; nil when ctx was
// what ended it.
func (s *SSHServer) Serve(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { l.Close() })

	slots := make(chan struct{}, orDefault(s.MaxConns, 256))
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil:
			s.log().Warn("accept ssh connection", "err", err)
			pause(ctx, 100*time.Millisecond) // out of descriptors, most likely
			continue
		}
		select {
		case slots <- struct{}{}:
			wg.Go(func() {
				defer func() { <-slots }()
				s.serveConn(ctx, conn)
			})
		default:
			conn.Close()
		}
	}
}

func (s *SSHServer) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// An sshConn is one connection that has logged in.
type sshConn struct {
	server *SSHServer
	conn   *ssh.ServerConn
	idle   time.Duration

	mu       sync.Mutex
	sessions int
	unused   *time.Timer // closes the connection when it has no session for long
}

// serveConn serves one connection to its end.
func (s *SSHServer) serveConn(ctx context.Context, nc net.Conn) {
	defer nc.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { nc.Close() })()

	nc.SetDeadline(time.Now().Add(orDefault(s.HandshakeTimeout, 30*time.Second)))
	conn, channels, requests, err := ssh.NewServerConn(nc, s.Config)
	if err != nil {
		s.log().Info("ssh handshake", "from", nc.RemoteAddr(), "err", err)
		return
	}
	nc.SetDeadline(time.Time{})

	c := &sshConn{server: s, conn: conn, idle: orDefault(s.IdleTimeout, 2*time.Minute)}
	c.unused = time.AfterFunc(c.idle, c.close)
	defer c.unused.Stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer c.close()
	wg.Go(func() { ssh.DiscardRequests(requests) })
	wg.Go(func() { c.keepAlive(ctx) })
	for nch := range channels {
		c.accept(ctx, nch, &wg)
	}
	cancel() // the client has gone: nobody waits for what the sessions do
}

// close ends the connection; what is read from or written to it fails then.
func (c *sshConn) close() { c.conn.Close() }

// accept opens a session, if that is what is asked for.
func (c *sshConn) accept(ctx context.Context, nch ssh.NewChannel, wg *sync.WaitGroup) {
	if nch.ChannelType() != "session" {
		nch.Reject(ssh.UnknownChannelType, "this server has sessions only")
		return
	}
	if !c.begin() {
		nch.Reject(ssh.ResourceShortage, "too many sessions")
		return
	}
	ch, requests, err := nch.Accept()
	if err != nil {
		c.end()
		return
	}
	wg.Go(func() {
		defer c.end()
		c.session(ctx, ch, requests, wg)
	})
}

func (c *sshConn) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions == maxSessions {
		return false
	}
	c.sessions++
	c.unused.Stop()
	return true
}

func (c *sshConn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions--; c.sessions == 0 {
		c.unused.Reset(c.idle)
	}
}

// keepAlive finds out when the client is no longer there.
func (c *sshConn) keepAlive(ctx context.Context) {
	tick := time.NewTicker(orDefault(c.server.KeepAlive, 30*time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		late := time.AfterFunc(c.idle, c.close)
		_, _, err := c.conn.SendRequest("keepalive@openssh.com", true, nil)
		late.Stop()
		if err != nil {
			return
		}
	}
}
