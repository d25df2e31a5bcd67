package gitwire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"cairn/store"
)

// A host is a remote repository for the client: stock git's or ours.
type host struct {
	url    string
	client *Client
	repo   *gitRepo // bare, to look into and to change

	http *requests     // of hosts over HTTP
	disk store.Backend // of our own: repo, open
}

// push has stock git push from g into the host's repository, beside whoever serves it. Our
// own server may take a moment to notice what another process has done (store.Backend).
func (h host) push(t testing.TB, g *gitRepo, specs ...string) {
	t.Helper()
	g.git(t, append([]string{"push", "-q", h.repo.dir}, specs...)...)
	if h.disk == nil {
		return
	}
	want := h.repo.refs(t)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		var got strings.Builder
		for ref, err := range h.disk.Refs(t.Context(), "refs/") {
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&got, "%s %s\n", ref.Hash, ref.Name)
		}
		if got.String() == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("refs a minute after a push: got %q, want %q", got.String(), want)
		}
	}
}

// kinds are the hosts that every test of the client runs against: stock git over
// HTTP and SSH, with and without protocol v2, and as a daemon; our own servers.
var kinds = map[string]func(t testing.TB) host{
	"git-http":    func(t testing.TB) host { return stockHost(t, true) },
	"git-http-v0": func(t testing.TB) host { return stockHost(t, false) },
	"git-ssh":     func(t testing.TB) host { return stockSSH(t, true) },
	"git-ssh-v0":  func(t testing.TB) host { return stockSSH(t, false) },
	"git-daemon":  stockDaemon,
	"http":        func(t testing.TB) host { return ownHost(t, false) },
	"ssh":         func(t testing.TB) host { return ownHost(t, true) },
}

// overHosts runs a test against every kind of host; in short runs against one of
// each nature: with and without state between questions, v2 and v0, theirs and ours.
func overHosts(t *testing.T, test func(t *testing.T, h host)) {
	for name, open := range kinds {
		if !long() && !slices.Contains([]string{"git-http", "git-http-v0", "git-daemon", "ssh"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// requests notes what a host is asked over HTTP, and may keep its answers from
// whoever asks.
type requests struct {
	handler http.Handler

	mu      sync.Mutex
	methods []string
	lose    func(*http.Request) bool // run the request and cut the connection instead of answering
}

func (r *requests) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.methods = append(r.methods, req.Method)
	lose := r.lose != nil && r.lose(req)
	r.mu.Unlock()
	if !lose {
		r.handler.ServeHTTP(w, req)
		return
	}
	r.handler.ServeHTTP(httptest.NewRecorder(), req)
	panic(http.ErrAbortHandler)
}

// take returns the methods of the requests since it was last called.
func (r *requests) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.methods
	r.methods = nil
	return list
}

// losing makes the answers to some requests get lost; nil: none.
func (r *requests) losing(f func(*http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lose = f
}

// posts is a request that asks something.
func posts(r *http.Request) bool { return r.Method == http.MethodPost }

// newBare is a repository for stock git to serve.
func newBare(t testing.TB) *gitRepo {
	t.Helper()
	repo := newGitRepo(t)
	repo.git(t, "init", "-q", "--bare", repo.dir)
	for _, key := range []string{
		"http.receivepack", "receive.advertisePushOptions", "receive.fsckObjects",
		"uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant",
	} {
		repo.git(t, "config", key, "true")
	}
	return repo
}

// stockHost serves a new repository with git http-backend.
func stockHost(t testing.TB, v2 bool) host {
	t.Helper()
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	repo := newBare(t)
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env: []string{
			"GIT_PROJECT_ROOT=" + filepath.Dir(repo.dir), "GIT_HTTP_EXPORT_ALL=1",
			"GIT_CONFIG_NOSYSTEM=1", "HOME=" + filepath.Dir(repo.dir),
		},
	}
	seen := &requests{handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !v2 {
			r.Header.Del("Git-Protocol")
		}
		body, err := io.ReadAll(r.Body) // CGI takes no chunks
		if err != nil {
			return // the client has left
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		backend.ServeHTTP(flushing{w}, r)
	})}
	server := httptest.NewServer(seen)
	t.Cleanup(server.Close)
	return host{url: server.URL + "/r", client: httpClient(t), repo: repo, http: seen}
}

// A flushing response is sent as it is written, as nginx does where it does not buffer.
type flushing struct{ http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	if flusher, ok := f.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
	return n, err
}

// httpClient is a client with connections of its own.
func httpClient(t testing.TB) *Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &Client{HTTP: transport}
}

// stockDaemon serves a new repository with git daemon.
func stockDaemon(t testing.TB) host {
	t.Helper()
	repo := newBare(t)
	repo.git(t, "config", "daemon.receivepack", "true")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { l.Close() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { daemonOn(repo, conn.(*net.TCPConn)) })
		}
	})
	client := &Client{Dial: new(net.Dialer).DialContext}
	return host{url: "git://" + l.Addr().String() + "/r", client: client, repo: repo}
}

// daemonOn runs git daemon on one connection.
func daemonOn(repo *gitRepo, conn *net.TCPConn) {
	defer conn.Close()
	f, err := conn.File()
	if err != nil {
		return
	}
	defer f.Close()
	cmd := exec.Command("git", "daemon", "--inetd", "--export-all", "--informative-errors", "--base-path="+filepath.Dir(repo.dir))
	cmd.Env = repo.env
	cmd.Stdin, cmd.Stdout = f, f
	_ = cmd.Run() // the client may leave at any time
}

// stockSSH serves a new repository with git's commands over SSH, as sshd does.
func stockSSH(t testing.TB, v2 bool) host {
	t.Helper()
	repo := newBare(t)
	l := newLab(t, newMemory(t))
	config := l.sshServer().Config
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { listener.Close() })
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { sshdOn(repo, conn, config, v2) })
		}
	})
	return host{url: "ssh://alice@" + listener.Addr().String() + repo.dir, client: l.sshClient(), repo: repo}
}

// sshdOn runs commands for one connection.
func sshdOn(repo *gitRepo, nc net.Conn, config *ssh.ServerConfig, v2 bool) {
	defer nc.Close()
	conn, channels, requests, err := ssh.NewServerConn(nc, config)
	if err != nil {
		return
	}
	defer conn.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for r := range requests {
			r.Reply(r.WantReply, nil)
		}
	})
	for nch := range channels {
		ch, requests, err := nch.Accept()
		if err != nil {
			return
		}
		wg.Go(func() { sshdSession(repo, ch, requests, v2) })
	}
}

func sshdSession(repo *gitRepo, ch ssh.Channel, requests <-chan *ssh.Request, v2 bool) {
	defer ch.Close()
	env := slices.Clone(repo.env)
	for r := range requests {
		var pair struct{ Name, Value string }
		var command struct{ Line string }
		switch {
		case r.Type == "env" && ssh.Unmarshal(r.Payload, &pair) == nil:
			if v2 {
				env = append(env, pair.Name+"="+pair.Value)
			}
		case r.Type == "exec" && ssh.Unmarshal(r.Payload, &command) == nil:
			r.Reply(true, nil)
			go ssh.DiscardRequests(requests)
			cmd := exec.Command("sh", "-c", command.Line)
			cmd.Env, cmd.Stdout, cmd.Stderr = env, ch, ch.Stderr()
			in, err := cmd.StdinPipe()
			if err != nil || cmd.Start() != nil {
				return
			}
			go func() {
				io.Copy(in, ch)
				in.Close()
			}()
			status := uint32(0)
			if cmd.Wait() != nil {
				status = 128
			}
			ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
			return
		}
		if r.WantReply {
			r.Reply(true, nil)
		}
	}
}

// ownHost serves a gitdir with our own servers. Its one user sees all of it.
func ownHost(t testing.TB, overSSH bool) host {
	t.Helper()
	disk, dir := backends["gitdir"](t)
	l := newLab(t, disk)
	view := showAll(disk)
	view.Real = func(name string) (string, error) { return name, nil }
	view.Allow = func(context.Context, *Push, Command) error { return nil }
	repo := newGitRepo(t)
	repo.dir = dir
	if !overSSH {
		seen := &requests{handler: &HTTPHandler{
			Open: func(http.ResponseWriter, *http.Request, string, bool) (*View, error) { return view, nil },
		}}
		return host{url: serveHandler(t, seen) + "/r", client: httpClient(t), repo: repo, http: seen, disk: disk}
	}
	server := l.sshServer()
	server.Open = func(context.Context, *ssh.Permissions, string, bool) (*View, error) { return view, nil }
	port := serveSSH(t, server)
	return host{url: "ssh://alice@127.0.0.1:" + port + "/r", client: l.sshClient(), repo: repo, disk: disk}
}

// install puts a hook into the host's repository.
func (h host) install(t testing.TB, hook, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.repo.dir, "hooks", hook), []byte("#!/bin/sh\n"+script), 0o777); err != nil {
		t.Fatal(err)
	}
}
