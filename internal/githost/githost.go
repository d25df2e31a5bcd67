// Package githost runs git hosts for tests: stock git behind nginx, sshd and
// git daemon, and our own servers, each with one bare repository, on loopback,
// for as long as the test runs.
//
//	h := githost.New(t, githost.HTTPBackend)
//	remote, err := h.Client(nil).Remote(h.URL)
//	h.Hooks(githost.Hooks{Decline: "not today"})
//	h.Stop() // away
//	h.Start() // and back, on the same port
//	h.Git("fsck", "--strict")
//
// Debian has what is needed in the packages git, nginx-light, fcgiwrap and
// openssh-server. A test whose host cannot be had is skipped, or fails
// where CAIRN_CI is set.
package githost

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"cairn/internal/loopback"
	"cairn/store/gitwire"
)

// A Kind is a kind of host.
type Kind string

// The kinds of hosts.
const (
	Cairn       Kind = "cairn"        // our own server over HTTP, basic authentication
	CairnSSH    Kind = "cairn-ssh"    // our own server over SSH
	HTTPBackend Kind = "http-backend" // nginx with TLS and HTTP/2, basic authentication, git http-backend
	ClientCert  Kind = "client-cert"  // nginx with TLS 1.3, a client certificate, git http-backend
	PlainHTTP   Kind = "plain-http"   // nginx without TLS, so that a proxy may read along; basic authentication
	SSHD        Kind = "sshd"         // OpenSSH's sshd, a key
	Daemon      Kind = "daemon"       // git daemon, which asks nobody who they are
)

// Kinds are all kinds of hosts.
var Kinds = []Kind{Cairn, CairnSSH, HTTPBackend, ClientCert, PlainHTTP, SSHD, Daemon}

// Stock says whether the host runs stock git, and so heeds its configuration.
func (k Kind) Stock() bool { return k != Cairn && k != CairnSSH }

// The log-in that hosts with basic authentication accept.
const (
	User     = "tester"
	Password = "correct horse"
)

// patience is how long a host may take to come up or to end.
const patience = 60 * time.Second

// A Host is one git host with one repository.
type Host struct {
	Kind Kind
	URL  string // of the repository, without a log-in
	Addr string // host:port, which a proxy dials
	Dir  string // the repository, bare, for stock git to look into and to change

	t    testing.TB
	port *loopback.Port
	home string // of everything the host keeps
	keys *keys

	server server
	up     bool

	mu     sync.Mutex
	hooks  Hooks
	guests map[string]bool // keys that may log in besides the client's, by wire form
	log    []byte
}

// A server is what listens. start returns once it accepts connections, stop
// once its connections are closed.
type server interface {
	start() error
	stop() error
}

// New makes a repository, whose HEAD is main, and starts a host for it.
func New(t testing.TB, kind Kind) *Host {
	t.Helper()
	home, err := os.MkdirTemp("", "githost") // short, for the names of sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	// sshd and nginx may serve as somebody else.
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	h := &Host{Kind: kind, t: t, home: home, Dir: filepath.Join(home, "r.git"), port: loopback.Reserve(t), keys: newKeys(t), guests: map[string]bool{}}
	h.Addr = h.port.Addr()
	scheme := ""
	switch kind {
	case Cairn:
		scheme, h.server = "http", newOwnHTTP(h)
	case CairnSSH:
		scheme, h.server = "ssh", newOwnSSH(h)
	case HTTPBackend, ClientCert:
		scheme, h.server = "https", newNginx(h)
	case PlainHTTP:
		scheme, h.server = "http", newNginx(h)
	case SSHD:
		scheme, h.server = "ssh", newSSHD(h)
	case Daemon:
		scheme, h.server = "git", newDaemon(h)
	default:
		t.Fatalf("no host of kind %q", kind)
	}
	h.URL = scheme + "://" + h.Addr + "/r.git"
	if kind == SSHD {
		h.URL = scheme + "://" + h.Addr + h.Dir
	}
	if kind.Stock() {
		h.initStock()
	}
	t.Cleanup(h.printLog)
	t.Cleanup(h.Stop)
	h.Start()
	return h
}

// Start brings the host back.
func (h *Host) Start() {
	h.t.Helper()
	if h.up {
		return
	}
	if err := h.server.start(); err != nil {
		h.t.Fatalf("start %s: %v", h.Kind, err)
	}
	h.up = true
}

// Stop takes the host away: its connections end, new ones are refused. What it
// was doing is cut off, as by a restart.
func (h *Host) Stop() {
	h.t.Helper()
	if !h.up {
		return
	}
	h.up = false
	if err := errors.Join(h.server.stop(), h.port.Quiet()); err != nil {
		h.t.Errorf("stop %s: %v", h.Kind, err)
	}
}

// A Dialer opens connections.
type Dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// Client returns a client that is logged in and reaches the host over dial, nil
// for the loopback as it is. It has connections of its own, which are closed when the
// test ends.
func (h *Host) Client(dial Dialer) *gitwire.Client {
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	transport := &http.Transport{DialContext: dial, TLSClientConfig: h.keys.clientTLS(h.Kind), ForceAttemptHTTP2: h.Kind == HTTPBackend}
	h.t.Cleanup(transport.CloseIdleConnections)
	c := &gitwire.Client{HTTP: transport, Dial: dial}
	switch h.Kind {
	case CairnSSH, SSHD:
		c.SSH = h.SSHConfig()
	case Cairn, HTTPBackend, PlainHTTP:
		c.User, c.Password = User, Password
	}
	return c
}

// Strangers is a transport that trusts the host and has nothing to show it.
func (h *Host) Strangers(dial Dialer) http.RoundTripper {
	transport := &http.Transport{DialContext: dial, TLSClientConfig: h.keys.clientTLS(HTTPBackend)}
	h.t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// SSHConfig is a log-in with the client's key, and the host key that the host
// has now pinned.
func (h *Host) SSHConfig() *ssh.ClientConfig {
	return &ssh.ClientConfig{
		User:            sshUser(h.Kind),
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(h.keys.client.Signer)},
		HostKeyCallback: ssh.FixedHostKey(h.keys.host.PublicKey()),
		Timeout:         patience,
	}
}

// ChangeHostKey restarts a host of SSH with another host key.
func (h *Host) ChangeHostKey() {
	h.t.Helper()
	h.Stop()
	h.keys.host = newSSHKey(h.t)
	h.Start()
}

// GitURL is the URL with the log-in, for a stock git whose environment is GitEnv.
func (h *Host) GitURL() string {
	u, err := url.Parse(h.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	switch h.Kind {
	case Cairn, HTTPBackend, PlainHTTP:
		u.User = url.UserPassword(User, Password)
	case CairnSSH, SSHD:
		u.User = url.User(sshUser(h.Kind))
	}
	return u.String()
}

// Need finds the program of a Debian package. A test that needs one that is not
// installed is skipped, or fails where CAIRN_CI is set.
func Need(t testing.TB, program, debian string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		// A user's PATH may lack the servers.
		if path, err = exec.LookPath(filepath.Join("/usr/sbin", program)); err == nil {
			return path
		}
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatalf("%s is not installed (Debian: %s)", program, debian)
		}
		t.Skipf("%s is not installed (Debian: %s)", program, debian)
	}
	return path
}

// lines makes a file of lines.
func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }
