package gitwire

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"cairn/store"
)

// A bearer token goes in the place of a password, and to its host only.
func TestBearerToken(t *testing.T) {
	h := stockHost(t, true)
	var seen []string
	h.http.losing(func(r *http.Request) bool { seen = append(seen, r.Header.Get("Authorization")); return false })
	h.client.Token, h.client.User, h.client.Password = "t0ken", "alice", "secret"
	if _, err := refsOnce(t, h.client, h.url); err != nil {
		t.Fatal(err)
	}
	for _, got := range seen {
		if want := "Bearer t0ken"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	seen = nil
	named := strings.Replace(h.url, "://", "://bob:pw@", 1)
	if _, err := refsOnce(t, h.client, named); err != nil {
		t.Fatal(err)
	}
	for _, got := range seen {
		if want := "Basic Ym9iOnB3"; got != want {
			t.Errorf("a user in the URL: got %q, want %q", got, want)
		}
	}
}

// A host whose key nobody checks is not spoken to.
func TestHostKeyIsChecked(t *testing.T) {
	l := labOver(t, "mem")
	for what, callback := range map[string]ssh.HostKeyCallback{"none": nil, "any": ssh.InsecureIgnoreHostKey()} {
		client := l.sshClient()
		client.SSH.HostKeyCallback = callback
		if r, err := client.Remote(l.ssh); err == nil {
			r.Close()
			t.Errorf("%s: got no error, want one", what)
		}
	}
	client := l.sshClient()
	client.SSH.HostKeyCallback = ssh.FixedHostKey(l.newKey("other").PublicKey())
	_, err := refsOnce(t, client, l.ssh)
	if err == nil || errors.Is(err, store.ErrTemporary) || errors.Is(err, ErrUnauthorized) {
		t.Errorf("another key: got %v, want an error that stays", err)
	}
	client = l.sshClient()
	client.SSH.Auth = []ssh.AuthMethod{ssh.Password("wrong")}
	if _, err := refsOnce(t, client, l.ssh); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("wrong password: got %v, want %v", err, ErrUnauthorized)
	}
}

// What hosts say of repositories that are not there, or may not be pushed to.
func TestHostsRefuse(t *testing.T) {
	daemon, overSSH := stockDaemon(t), stockSSH(t, true)
	for _, h := range []host{daemon, overSSH} {
		if _, err := refsOnce(t, h.client, h.url+"x"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%sx: got %v, want %v", h.url, err, fs.ErrNotExist)
		}
	}
	daemon.repo.git(t, "config", "daemon.receivepack", "false")
	objs, tip := chain(100, "1")
	p := moves(store.Hash{}, tip)
	p.Objects = objs
	if err := pushOnce(t, daemon.client, daemon.url, p); !errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrInDoubt) {
		t.Errorf("a daemon that takes no pushes: got %v, want %v", err, fs.ErrPermission)
	}
	r := remoteOf(t, daemon.client, daemon.url)
	able, err := r.Able(t.Context())
	if want := (Abilities{Filter: true, Shallow: true, WantAny: true}); err != nil || able != want {
		t.Errorf("abilities: got %+v, %v, want %+v", able, err, want)
	}
}

// A host that has moved sends what is asked elsewhere. A push is not sent after it,
// and the next one finds the way.
func TestHostMoves(t *testing.T) {
	h := stockHost(t, true)
	target, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	moved := false
	front := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path, ok := strings.CutPrefix(r.URL.RequestURI(), "/old"); ok && moved {
			http.Redirect(w, r, "/new"+path, http.StatusPermanentRedirect)
			return
		}
		r.URL.Path = strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/old"), "/new")
		r.URL.Scheme, r.URL.Host, r.RequestURI = target.Scheme, target.Host, ""
		forward(w, r)
	}))
	r := remoteOf(t, httpClient(t), front+"/old/r")
	first := grow(t, r, store.Hash{}, 1)
	moved = true
	h.http.take()
	objs, second := chain(3000, "2", first)
	p := moves(first, second)
	p.Objects = objs
	if err := r.Push(t.Context(), p); !errors.Is(err, store.ErrTemporary) || errors.Is(err, ErrInDoubt) {
		t.Errorf("while it moves: got %v, want %v without doubt", err, store.ErrTemporary)
	}
	if got := h.http.take(); len(got) > 0 {
		t.Errorf("requests at the host: got %q, want none", got)
	}
	if err := r.Push(t.Context(), p); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	h.wantRefs(t, "main", second)
}

// Close ends what is under way, whoever waits for it.
func TestRemoteClose(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client := labOver(t, "mem").sshClient()
	client.HTTP = httpClient(t).HTTP
	for _, scheme := range []string{"http", "git", "ssh"} {
		ctx, cancel := context.WithCancel(t.Context())
		r := remoteOf(t, client, scheme+"://x@"+l.Addr().String()+"/r")
		done := make(chan error, 1)
		go func() {
			_, err := r.Refs(ctx)
			done <- err
		}()
		if scheme != "http" {
			cancel() // there is nothing to close before the greeting
		}
		r.Close()
		if err := <-done; err == nil {
			t.Errorf("%s: got no error, want one", scheme)
		}
		cancel()
	}
}

// A connection whose other end is no longer there is found out and replaced.
func TestHalfDeadConnection(t *testing.T) {
	l := labOver(t, "mem")
	tap := &wireTap{}
	client := l.sshClient()
	client.Dial = tap.dial
	u, err := parseRemote(l.ssh)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newSSHDialer(client, u)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	d.every = 20 * time.Millisecond
	first, fresh, err := d.link(t.Context())
	if err != nil || !fresh {
		t.Fatalf("got %v, fresh = %v, want a new connection", err, fresh)
	}
	tap.mu.Lock()
	tap.deaf = true
	tap.mu.Unlock()
	<-first.dead
	d.every = time.Minute
	tap.mu.Lock()
	tap.deaf = false
	tap.mu.Unlock()
	s, err := d.dial(t.Context(), fetchService)
	if err != nil {
		t.Fatal(err)
	}
	s.rw.Close()
}
