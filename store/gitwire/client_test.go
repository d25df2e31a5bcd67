package gitwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/object"
)

// A host is a remote repository for the client: stock git's or ours.
type host struct {
	url    string
	client *Client
	repo   *gitRepo // bare, to look into and to change
}

// overHosts runs a test against stock git over HTTP, with and without protocol
// v2, and against our own servers over HTTP and SSH.
func overHosts(t *testing.T, test func(t *testing.T, h host)) {
	for name, open := range map[string]func(t *testing.T) host{
		"git-v2": func(t *testing.T) host { return stockHost(t, true) },
		"git-v0": func(t *testing.T) host { return stockHost(t, false) },
		"http":   func(t *testing.T) host { return ownHost(t, false) },
		"ssh":    func(t *testing.T) host { return ownHost(t, true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// stockHost serves a new repository with git http-backend.
func stockHost(t *testing.T, v2 bool) host {
	t.Helper()
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		t.Fatal(err)
	}
	repo := newBare(t)
	repo.git(t, "config", "http.receivepack", "true")
	repo.git(t, "config", "receive.advertisePushOptions", "true")
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env: []string{
			"GIT_PROJECT_ROOT=" + filepath.Dir(repo.dir), "GIT_HTTP_EXPORT_ALL=1",
			"GIT_CONFIG_NOSYSTEM=1", "HOME=" + filepath.Dir(repo.dir),
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !v2 {
			r.Header.Del("Git-Protocol")
		}
		body, err := io.ReadAll(r.Body) // CGI takes no chunks
		if err != nil {
			t.Error(err)
		}
		r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return host{server.URL + "/r", &Client{HTTP: http.DefaultTransport}, repo}
}

func newBare(t testing.TB) *gitRepo {
	t.Helper()
	repo := newGitRepo(t)
	repo.git(t, "init", "-q", "--bare", repo.dir)
	return repo
}

// ownHost serves a gitdir with our own servers. Its one user sees all of it.
func ownHost(t *testing.T, overSSH bool) host {
	t.Helper()
	disk, dir := backends["gitdir"](t)
	l := newLab(t, disk)
	view := showAll(disk)
	view.Real = func(name string) (string, error) { return name, nil }
	view.Allow = func(context.Context, *Push, Command) error { return nil }
	repo := newGitRepo(t)
	repo.dir = dir
	if !overSSH {
		return host{serveView(t, view), &Client{HTTP: http.DefaultTransport}, repo}
	}
	server := l.sshServer()
	server.Open = func(context.Context, *ssh.Permissions, string, bool) (*View, error) { return view, nil }
	port := serveSSH(t, server)
	return host{"ssh://alice@127.0.0.1:" + port + "/r", l.sshClient(), repo}
}

// sshClient is a client that logs in with the lab's password.
func (l *lab) sshClient() *Client {
	return &Client{
		Dial: new(net.Dialer).DialContext,
		SSH: &ssh.ClientConfig{
			Auth:            []ssh.AuthMethod{ssh.Password("correct horse")},
			HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		},
	}
}

// A lastPack is a backend that remembers how many objects the last pack brought.
type lastPack struct {
	receivingBackend
	objects int
}

func (b *lastPack) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	q, err := b.receivingBackend.Receive(ctx, r, base, lim)
	if err == nil {
		b.objects = 0
		for range q.All() {
			b.objects++
		}
	}
	return q, err
}

func TestClientFetch(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		g := newHistory(t)
		g.git(t, "push", "-q", h.repo.dir, "refs/*:refs/*")
		local := &lastPack{receivingBackend: newMemory(t)}
		ctx := t.Context()

		refs, err := h.client.Fetch(ctx, h.url, FetchRequest{Into: local})
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, ref := range refs {
			if ref.Name != "HEAD" {
				fmt.Fprintf(&got, "%s %s\n", ref.Hash, ref.Name)
			} else if want := "refs/heads/main"; ref.Target != want {
				t.Errorf("HEAD: got %q, want %q", ref.Target, want)
			}
		}
		if want := g.refs(t); got.String() != want {
			t.Errorf("refs: got %q, want %q", got.String(), want)
		}
		if got, want := local.objects, len(g.objects(t)); got != want {
			t.Errorf("objects: got %d, want %d", got, want)
		}

		// One commit more, of which only what is new comes.
		last := g.at(8*24*60*60).commit(t, "c7", "top", "top once more")
		g.git(t, "push", "-q", h.repo.dir, "main")
		_, err = h.client.Fetch(ctx, h.url, FetchRequest{
			Into: local, Have: refs, Prefixes: []string{"refs/heads/main"},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := local.Object(ctx, hashOf(t, last)); err != nil {
			t.Errorf("the new commit: %v", err)
		}
		if local.objects > 8 {
			t.Errorf("objects of the second pack: got %d, want at most 8", local.objects)
		}

		// Nothing new: nothing is asked for.
		local.objects = -1
		refs, err = h.client.Fetch(ctx, h.url, FetchRequest{
			Into: local, Have: []store.Ref{{Name: "x", Hash: hashOf(t, last)}},
			Prefixes: []string{"refs/heads/main", "refs/heads/side"},
		})
		if err != nil || local.objects != -1 {
			t.Errorf("nothing new: got %v and %d objects, want no pack", err, local.objects)
		}
		if got, want := len(refs), 2; got != want {
			t.Errorf("refs with the prefixes: got %d, want %d", got, want)
		}
	})
}

// chain makes a commit with one file on a parent, and all its objects.
func chain(date int, text string, parents ...store.Hash) (objs []object.Object, tip store.Hash) {
	file := blob(text)
	tree := folder(map[string]object.Object{"file": file})
	c := commitOf(date, tree.Hash(), parents...)
	return []object.Object{file, tree, c}, c.Hash()
}

func TestClientPush(t *testing.T) {
	overHosts(t, func(t *testing.T, h host) {
		ctx := t.Context()
		push := func(p PushRequest) error { return h.client.Push(ctx, h.url, p) }
		firstObjs, first := chain(100, "1")
		if err := push(PushRequest{Commands: []Command{{Name: "refs/heads/main", New: first}}, Objects: firstObjs}); err != nil {
			t.Fatal(err)
		}
		secondObjs, second := chain(200, incompressible(3<<20), first)
		err := push(PushRequest{
			Commands: []Command{{Name: "refs/heads/main", Old: first, New: second}, {Name: "refs/heads/x", New: first}},
			Objects:  append(secondObjs, secondObjs...),
		})
		if err != nil {
			t.Fatal(err)
		}
		h.wantRefs(t, "main", second, "x", first)

		// The loser of a race learns it, and an atomic push moves nothing.
		thirdObjs, third := chain(300, "3", first)
		err = push(PushRequest{
			Commands: []Command{{Name: "refs/heads/main", Old: first, New: third}, {Name: "refs/heads/y", New: first}},
			Objects:  thirdObjs,
		})
		var rejected *RejectedError
		if !errors.As(err, &rejected) || rejected.Ref != "refs/heads/main" {
			t.Errorf("wrong old value: got %v, want a RejectedError for main", err)
		}
		h.wantRefs(t, "main", second, "x", first)

		if err := push(PushRequest{Commands: []Command{{Name: "refs/heads/x", Old: first}}}); err != nil {
			t.Errorf("delete: %v", err)
		}
		h.wantRefs(t, "main", second)

		// Without the objects it needs, a push is refused.
		_, lacking := chain(400, "4", second)
		err = push(PushRequest{Commands: []Command{{Name: "refs/heads/main", Old: second, New: lacking}}})
		if !errors.As(err, &rejected) {
			t.Errorf("lacking objects: got %v, want a RejectedError", err)
		}
		h.wantRefs(t, "main", second)
		h.repo.git(t, "fsck", "--strict")
	})
}

// wantRefs checks all the branches of the host: name, hash, …
func (h host) wantRefs(t *testing.T, want ...any) {
	t.Helper()
	var list strings.Builder
	for i := 0; i < len(want); i += 2 {
		fmt.Fprintf(&list, "%s refs/heads/%s\n", want[i+1], want[i])
	}
	if got := h.repo.refs(t); got != list.String() {
		t.Errorf("refs: got %q, want %q", got, list.String())
	}
}

func TestClientHonoursEveryLine(t *testing.T) {
	h := stockHost(t, true)
	hook := "#!/bin/sh\necho talking >&2\ncase $1 in */no) exit 1;; esac\n"
	if err := os.WriteFile(filepath.Join(h.repo.dir, "hooks", "update"), []byte(hook), 0o777); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	h.client.Progress = &said
	objs, tip := chain(100, "1")
	commands := []Command{{Name: "refs/heads/no", New: tip}, {Name: "refs/heads/yes", New: tip}}
	err := h.client.Push(t.Context(), h.url, PushRequest{Commands: commands, Objects: objs})
	if got, want := rejections(err), []string{"refs/heads/no", "refs/heads/yes"}; !slices.Equal(got, want) {
		t.Errorf("atomic: rejected %q, want %q (%v)", got, want, err)
	}
	h.wantRefs(t)
	if !strings.Contains(said.String(), "talking") {
		t.Errorf("progress: got %q, want what the hook says", said.String())
	}

	h.repo.git(t, "config", "receive.advertiseAtomic", "false")
	err = h.client.Push(t.Context(), h.url, PushRequest{Commands: commands, Objects: objs})
	if !errors.Is(err, ErrNotAtomic) {
		t.Errorf("not atomic: got %v, want %v", err, ErrNotAtomic)
	}
	h.wantRefs(t)
	err = h.client.Push(t.Context(), h.url, PushRequest{Commands: commands, Objects: objs, Partial: true})
	if got, want := rejections(err), []string{"refs/heads/no"}; !slices.Equal(got, want) {
		t.Errorf("partial: rejected %q, want %q (%v)", got, want, err)
	}
	h.wantRefs(t, "yes", tip)
}

// rejections are the refs that an error says were rejected.
func rejections(err error) []string {
	var refs []string
	switch e := err.(type) {
	case *RejectedError:
		refs = append(refs, e.Ref)
	case interface{ Unwrap() error }:
		refs = rejections(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			refs = append(refs, rejections(err)...)
		}
	}
	return refs
}

func TestClientStatus(t *testing.T) {
	for status, want := range map[int]error{
		http.StatusUnauthorized:        ErrUnauthorized,
		http.StatusForbidden:           fs.ErrPermission,
		http.StatusNotFound:            fs.ErrNotExist,
		http.StatusServiceUnavailable:  store.ErrTemporary,
		http.StatusTooManyRequests:     store.ErrTemporary,
		http.StatusInternalServerError: store.ErrTemporary,
	} {
		url := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		if _, err := (&Client{HTTP: http.DefaultTransport}).Refs(t.Context(), url); !errors.Is(err, want) {
			t.Errorf("%d: got %v, want %v", status, err, want)
		}
	}
	if _, err := (&Client{}).Refs(t.Context(), "https://example.org/x"); err == nil {
		t.Error("no transport: got no error, want one")
	}
	if _, err := (&Client{HTTP: http.DefaultTransport}).Refs(t.Context(), "http://127.0.0.1:1/x"); !errors.Is(err, store.ErrTemporary) {
		t.Errorf("nobody there: got %v, want %v", err, store.ErrTemporary)
	}
}

func TestClientLogsIn(t *testing.T) {
	h := stockHost(t, true)
	target, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	guarded := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "alice" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.URL.Scheme, r.URL.Host, r.RequestURI = target.Scheme, target.Host, ""
		forward(w, r)
	}))
	objs, tip := chain(100, "1")
	request := PushRequest{Commands: []Command{{Name: "refs/heads/main", New: tip}}, Objects: objs}
	err = h.client.Push(t.Context(), guarded+"/r", request)
	if !errors.Is(err, ErrUnauthorized) {
		t.Errorf("anonymous: got %v, want %v", err, ErrUnauthorized)
	}
	h.client.User, h.client.Password = "alice", "secret"
	if err := h.client.Push(t.Context(), guarded+"/r", request); err != nil {
		t.Errorf("alice: %v", err)
	}
	h.wantRefs(t, "main", tip)
	withUser := strings.Replace(guarded, "://", "://alice:wrong@", 1)
	_, err = h.client.Refs(t.Context(), withUser+"/r")
	if !errors.Is(err, ErrUnauthorized) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong password in the URL: got %v, want %v without it", err, ErrUnauthorized)
	}
}

// forward sends a request on and its answer back.
func forward(w http.ResponseWriter, r *http.Request) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.WriteHeader(resp.StatusCode)
	io.Copy(w, resp.Body)
}

func TestClientRedirects(t *testing.T) {
	h := stockHost(t, true)
	target, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	var asked, told string // Authorization that each of the two hosts saw
	second := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told += r.Header.Get("Authorization")
		r.URL.Scheme, r.URL.Host, r.RequestURI = target.Scheme, target.Host, ""
		forward(w, r)
	}))
	first := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("Authorization")
		if to, ok := strings.CutPrefix(r.URL.RequestURI(), "/here"); ok {
			http.Redirect(w, r, to, http.StatusMovedPermanently)
			return
		}
		http.Redirect(w, r, second+r.URL.RequestURI(), http.StatusFound)
	}))
	h.client.User, h.client.Password = "alice", "secret"
	objs, tip := chain(100, "1")
	request := PushRequest{Commands: []Command{{Name: "refs/heads/main", New: tip}}, Objects: objs}
	if err := h.client.Push(t.Context(), first+"/here/r", request); err == nil {
		t.Error("to another host: got no error, want one")
	}
	h.wantRefs(t)
	h.client.Redirect = func(from, to *url.URL) error { return nil }
	if err := h.client.Push(t.Context(), first+"/here/r", request); err != nil {
		t.Errorf("to another host, allowed: %v", err)
	}
	h.wantRefs(t, "main", tip)
	if asked == "" || told != "" {
		t.Errorf("Authorization: first host got %q, second %q, want some and none", asked, told)
	}
}

// A remote must not make a private object public by sending a delta on it.
func TestClientLeansOnlyOnHave(t *testing.T) {
	h := newHouse(t)
	made := append(slices.Clone(h.secret.Data), "and a line\n"...)
	tree := folder(map[string]object.Object{"x": blob(string(made))})
	c := commitOf(300, tree.Hash())
	remote := &fakeRemote{
		hello:  fmt.Sprintf("%s refs/heads/main\x00side-band-64k ofs-delta\n", c.Hash()),
		answer: "NAK\n",
		pack:   thinPackOf(t, h.secret.Hash(), h.secret.Data, made, tree, c),
	}
	request := FetchRequest{Into: h.b, Have: []store.Ref{{Name: "refs/heads/main", Hash: h.second.Hash()}}}
	client := &Client{HTTP: remote}
	if _, err := client.Fetch(t.Context(), "http://example.org/r", request); err == nil {
		t.Error("a delta on a private object: got no error, want one")
	}
	if _, err := h.b.Object(t.Context(), c.Hash()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the commit: got %v, want it not to be there", err)
	}
	request.Have = append(request.Have, store.Ref{Name: "refs/heads/bob", Hash: h.bobs.Hash()})
	if _, err := client.Fetch(t.Context(), "http://example.org/r", request); err != nil {
		t.Errorf("a delta on what may be leaned on: %v", err)
	}
	// The same pack without the file that the tree names.
	remote.pack = packOf(t, tree, c)
	empty := FetchRequest{Into: newMemory(t)}
	if _, err := client.Fetch(t.Context(), "http://example.org/r", empty); err == nil {
		t.Error("an incomplete pack: got no error, want one")
	}
}

// A fakeRemote answers over HTTP with what it is told to: one line in a flushed
// advertisement, and one line and a pack to what is asked.
type fakeRemote struct {
	hello, answer string
	pack          []byte
}

func (f *fakeRemote) RoundTrip(r *http.Request) (*http.Response, error) {
	var b bytes.Buffer
	w := newPktWriter(&b)
	service := path.Base(r.URL.Path)
	contentType := "application/x-" + service + "-result"
	if r.Method == http.MethodGet {
		contentType = "application/x-" + r.URL.Query().Get("service") + "-advertisement"
		w.line(f.hello)
		w.flush()
		w.send()
	} else {
		io.Copy(io.Discard, r.Body)
		w.line(f.answer)
		w.send()
		bands := newSideband(&b, false)
		bands.write(bandData, f.pack)
		bands.flush()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(&b),
		Header: http.Header{"Content-Type": {contentType}},
	}, nil
}

func TestParseRemote(t *testing.T) {
	for raw, want := range map[string]string{
		"https://example.org/a/b.git":     "https example.org /a/b.git ",
		"ssh://git@example.org:2222/site": "ssh example.org:2222 /site ",
		"git@example.org:site/x":          "ssh example.org  site/x",
		"example.org:site":                "ssh example.org  site",
	} {
		u, err := parseRemote(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if got := fmt.Sprintf("%s %s %s %s", u.Scheme, u.Host, u.Path, u.Opaque); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
	for _, raw := range []string{"", "/srv/repo", "./a:b", "file:///srv/x", "git://example.org/x", "https:///x", "@:x"} {
		if u, err := parseRemote(raw); err == nil {
			t.Errorf("%q: got %v, want an error", raw, u)
		}
	}
}

// Over SSH, what the remote says on standard error is the error.
func TestClientSSHErrors(t *testing.T) {
	l := labOver(t, "mem")
	client := l.sshClient()
	var said *RemoteError
	_, err := client.Refs(t.Context(), "ssh://alice@127.0.0.1:"+l.sshPort+"/nowhere")
	if want := "cairn: repository 'nowhere' not found"; !errors.As(err, &said) || said.Text != want {
		t.Errorf("no repository: got %v, want %q", err, want)
	}
	client.SSH.HostKeyCallback = ssh.FixedHostKey(l.newKey("other").PublicKey())
	if _, err := client.Refs(t.Context(), l.ssh); err == nil {
		t.Error("unknown host key: got no error, want one")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Refs(ctx, l.ssh); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want %v", err, context.Canceled)
	}
}
