package gitwire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// Of a connection over SSH:
const (
	sshProbe  = 15 * time.Second // between two probes for whether the host is there, and for how long it may think
	sshUnused = 15 * time.Minute // after which a connection is closed
)

// An sshDialer keeps one connection to a host and opens sessions on it.
type sshDialer struct {
	client  *Client
	config  ssh.ClientConfig
	addr    string
	path    string
	every   time.Duration // sshProbe
	probing sync.WaitGroup

	making chan struct{} // holds one token: who has it may make a connection

	mu     sync.Mutex
	live   *sshLink // nil when there is none
	closed bool
}

// An sshLink is a connection that has logged in.
type sshLink struct {
	conn   *linkConn
	client *ssh.Client
	dead   chan struct{} // closed when the connection has ended
	used   atomic.Int64  // when a session was last opened, in nanoseconds since 1970
}

func newSSHTransport(c *Client, u *url.URL) (*streamTransport, error) {
	d, err := newSSHDialer(c, u)
	if err != nil {
		return nil, err
	}
	return newStreamTransport(c, d.dial, d.close), nil
}

func newSSHDialer(c *Client, u *url.URL) (*sshDialer, error) {
	if c.Dial == nil || c.SSH == nil {
		return nil, errors.New("URLs of scheme ssh are not allowed here")
	}
	if believesAnyHost(c.SSH.HostKeyCallback) {
		return nil, errors.New("the host's key is not checked: give the key that it has to have")
	}
	d := &sshDialer{
		client: c, config: *c.SSH, addr: address(u), path: remotePath(u),
		every: sshProbe, making: make(chan struct{}, 1),
	}
	if name := u.User.Username(); name != "" {
		d.config.User = name
	}
	return d, nil
}

// believesAnyHost reports whether a callback is known to accept every key. To ask it about
// a made-up key would teach one to those that learn; so it is known by its name, which it
// keeps where it is inlined.
func believesAnyHost(f ssh.HostKeyCallback) bool {
	return f == nil || strings.Contains(runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name(), "InsecureIgnoreHostKey")
}

// dial opens a session and reads the greeting.
func (d *sshDialer) dial(ctx context.Context, service string) (*stream, error) {
	for {
		link, fresh, err := d.link(ctx)
		if err != nil {
			return nil, err
		}
		s, err := link.session(ctx, service+" "+quote(d.path), service == fetchService)
		if err == nil {
			return greet(ctx, s, s.said, service, d.client.stall())
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var refused *ssh.OpenChannelError
		switch {
		case errors.As(err, &refused):
			return nil, away(fmt.Errorf("%w: %w", errNoRoom, err))
		case errors.Is(err, errNoExec):
			return nil, err
		}
		d.drop(link)
		if fresh {
			return nil, away(fmt.Errorf("open session: %w", err))
		}
		// The connection had died before anything was asked on it.
	}
}

// link returns the connection, and makes it where there is none.
func (d *sshDialer) link(ctx context.Context) (l *sshLink, fresh bool, err error) {
	select {
	case d.making <- struct{}{}:
		defer func() { <-d.making }()
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	d.mu.Lock()
	l = d.live
	d.mu.Unlock()
	if l != nil {
		l.used.Store(time.Now().UnixNano())
		return l, false, nil
	}
	if l, err = d.connect(ctx); err != nil {
		return nil, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		l.conn.Close()
		return nil, false, net.ErrClosed
	}
	d.live = l
	every := d.every
	d.probing.Go(func() {
		l.probe(every)
		d.drop(l)
	})
	return l, true, nil
}

// A linkConn knows how much has gone out, and whether it has broken: package ssh
// does not tell who writes to a channel.
type linkConn struct {
	net.Conn
	bytes  atomic.Int64
	broken atomic.Bool
}

func (c *linkConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.bytes.Add(int64(n))
	if err != nil {
		c.broken.Store(true)
	}
	return n, err
}

// connect dials and logs in.
func (d *sshDialer) connect(ctx context.Context) (*sshLink, error) {
	dialled, err := d.client.Dial(ctx, "tcp", d.addr)
	if err != nil {
		return nil, dialError(ctx, err)
	}
	nc := &linkConn{Conn: dialled}
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	p := &pulse{limit: d.client.stall(), abort: func() { nc.Close() }}
	p.arm()
	defer p.wait()()

	config := d.config
	var known atomic.Bool // the host has proved to be the right one
	config.HostKeyCallback = func(name string, addr net.Addr, key ssh.PublicKey) error {
		err := d.config.HostKeyCallback(name, addr, key)
		known.Store(err == nil)
		return err
	}
	conn, channels, requests, err := ssh.NewClientConn(nc, d.addr, &config)
	if err != nil {
		nc.Close()
		var broken net.Error
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case p.isStalled():
			return nil, away(errStalled)
		case errors.As(err, &broken), endsEarly(err), errors.Is(err, net.ErrClosed):
			return nil, away(fmt.Errorf("log in: %w", err))
		case known.Load():
			return nil, fmt.Errorf("%w: %w", ErrUnauthorized, err)
		}
		return nil, fmt.Errorf("log in: %w", err)
	}
	l := &sshLink{conn: nc, client: ssh.NewClient(conn, channels, requests), dead: make(chan struct{})}
	l.used.Store(time.Now().UnixNano())
	go func() {
		defer close(l.dead)
		l.client.Wait()
	}()
	return l, nil
}

// probe returns when the connection has ended. It ends it when the host no
// longer answers, or nobody has used it for long.
func (l *sshLink) probe(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-l.dead:
			return
		case <-tick.C:
		}
		if time.Since(time.Unix(0, l.used.Load())) > sshUnused {
			return
		}
		late := time.AfterFunc(every, func() { l.conn.Close() })
		_, _, err := l.client.SendRequest("keepalive@openssh.com", true, nil)
		late.Stop()
		if err != nil {
			return
		}
	}
}

// drop closes a connection and forgets it.
func (d *sshDialer) drop(l *sshLink) {
	l.conn.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.live == l {
		d.live = nil
	}
}

func (d *sshDialer) close() {
	d.mu.Lock()
	d.closed = true
	l := d.live
	d.mu.Unlock()
	if l != nil {
		d.drop(l)
	}
	d.probing.Wait()
}
