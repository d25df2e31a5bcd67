package githost

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/gitwire"
)

// An ownHost is our own server in this process, over a repository on disk. Its
// one user may do everything.
type ownHost struct {
	h     *Host
	serve func(ctx context.Context, l net.Listener, view *gitwire.View) error

	cancel context.CancelFunc
	done   sync.WaitGroup
	dir    *gitdir.Dir
}

func newOwnHTTP(h *Host) *ownHost { return newOwn(h, h.serveHTTP) }
func newOwnSSH(h *Host) *ownHost  { return newOwn(h, h.serveSSH) }

func newOwn(h *Host, serve func(context.Context, net.Listener, *gitwire.View) error) *ownHost {
	if err := gitdir.Init(h.Dir); err != nil {
		h.t.Fatal(err)
	}
	return &ownHost{h: h, serve: serve}
}

func (o *ownHost) start() error {
	var err error
	if o.dir, err = gitdir.Open(o.h.Dir, gitdir.Options{NoMaintenance: true}); err != nil {
		return err
	}
	l, err := o.h.port.Listen()
	if err != nil {
		return errors.Join(err, o.dir.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	o.cancel = cancel
	o.done.Go(func() {
		if err := o.serve(ctx, l, o.view()); err != nil {
			o.h.t.Errorf("serve %s: %v", o.h.Kind, err)
		}
	})
	return nil
}

func (o *ownHost) stop() error {
	o.cancel()
	o.done.Wait()
	return o.dir.Close()
}

// view is the whole repository, with the host's hooks.
func (o *ownHost) view() *gitwire.View {
	return &gitwire.View{
		Backend: o.dir,
		User:    User,
		Head:    "refs/heads/main",
		Refs:    o.refs,
		Real:    func(shown string) (string, error) { return shown, nil },
		Accept: func(context.Context, *gitwire.Push) error {
			if words := o.h.hooksNow().Decline; words != "" {
				return errors.New(words)
			}
			return nil
		},
		Allow: func(_ context.Context, _ *gitwire.Push, c gitwire.Command) error {
			if c.Name == o.h.hooksNow().DeclineRef {
				return errors.New(words)
			}
			return nil
		},
		Done: func(ctx context.Context, _ *gitwire.Push) {
			select {
			case <-time.After(o.h.hooksNow().Linger):
			case <-ctx.Done():
			}
		},
	}
}

// Log is where our own servers say what went wrong: it is printed when the
// test fails.
func (h *Host) Log() *slog.Logger { return slog.New(slog.NewTextHandler((*hostLog)(h), nil)) }

// maxLog bounds what is kept of a log, in bytes.
const maxLog = 64 << 10

type hostLog Host

func (l *hostLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.log) < maxLog {
		l.log = append(l.log, line...)
	}
	return len(line), nil
}

func (h *Host) printLog() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.t.Failed() && len(h.log) > 0 {
		h.t.Logf("what %s said:\n%s", h.Kind, h.log)
	}
}

func (o *ownHost) refs(ctx context.Context) ([]store.Ref, error) {
	var refs []store.Ref
	for ref, err := range o.dir.Refs(ctx, "refs/") {
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// serveHTTP serves until ctx ends, and returns when no request is being served.
func (h *Host) serveHTTP(ctx context.Context, l net.Listener, view *gitwire.View) error {
	var serving sync.RWMutex // held for reading by each request
	wire := &gitwire.HTTPHandler{Open: func(_ http.ResponseWriter, r *http.Request, repo string, _ bool) (*gitwire.View, error) {
		return openOwn(r, repo, view)
	}, Log: h.Log()}
	server := &http.Server{
		BaseContext: func(net.Listener) context.Context { return ctx },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			serving.RLock()
			defer serving.RUnlock()
			if ctx.Err() == nil {
				wire.ServeHTTP(w, r)
			}
		}),
	}
	defer serving.Lock()
	defer context.AfterFunc(ctx, func() { server.Close() })()
	err := server.Serve(l)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func openOwn(r *http.Request, repo string, view *gitwire.View) (*gitwire.View, error) {
	if name, password, ok := r.BasicAuth(); !ok || name != User || password != Password {
		return nil, gitwire.ErrUnauthorized
	}
	return openRepo(repo, view)
}

var errNoRepo = fmt.Errorf("no such repository: %w", fs.ErrNotExist)

func openRepo(repo string, view *gitwire.View) (*gitwire.View, error) {
	if repo != "r.git" {
		return nil, errNoRepo
	}
	return view, nil
}

// knows says whether a key may log in.
func (h *Host) knows(key ssh.PublicKey) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	wire := string(key.Marshal())
	return wire == string(h.keys.client.PublicKey().Marshal()) || h.guests[wire]
}

// Authorize lets a key log in at a CairnSSH, given as authorized_keys takes it.
func (h *Host) Authorize(line string) {
	h.t.Helper()
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.guests[string(key.Marshal())] = true
}

// HostKeyLine is the host's key over SSH, as ssh-keyscan prints it.
func (h *Host) HostKeyLine() string { return strings.TrimSpace(h.keys.host.line()) }

// serveSSH serves until ctx ends.
func (h *Host) serveSSH(ctx context.Context, l net.Listener, view *gitwire.View) error {
	config := &ssh.ServerConfig{PublicKeyCallback: func(conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if conn.User() != User || !h.knows(key) {
			return nil, errors.New("not known here")
		}
		return &ssh.Permissions{}, nil
	}}
	config.AddHostKey(h.keys.host)
	server := &gitwire.SSHServer{Config: config, Open: func(_ context.Context, _ *ssh.Permissions, repo string, _ bool) (*gitwire.View, error) {
		return openRepo(repo, view)
	}, Log: h.Log()}
	return server.Serve(ctx, l)
}
