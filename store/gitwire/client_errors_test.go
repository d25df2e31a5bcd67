package gitwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"cairn/store"
	"cairn/store/object"
)

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
		if _, err := refsOnce(t, &Client{HTTP: http.DefaultTransport}, url); !errors.Is(err, want) {
			t.Errorf("%d: got %v, want %v", status, err, want)
		}
	}
	if _, err := refsOnce(t, &Client{}, "https://example.org/x"); err == nil {
		t.Error("no transport: got no error, want one")
	}
	if _, err := refsOnce(t, &Client{HTTP: http.DefaultTransport}, "http://127.0.0.1:1/x"); !errors.Is(err, store.ErrTemporary) {
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
	err = pushOnce(t, h.client, guarded+"/r", request)
	if !errors.Is(err, ErrUnauthorized) {
		t.Errorf("anonymous: got %v, want %v", err, ErrUnauthorized)
	}
	h.client.User, h.client.Password = "alice", "secret"
	if err := pushOnce(t, h.client, guarded+"/r", request); err != nil {
		t.Errorf("alice: %v", err)
	}
	h.wantRefs(t, "main", tip)
	withUser := strings.Replace(guarded, "://", "://alice:wrong@", 1)
	_, err = refsOnce(t, h.client, withUser+"/r")
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
	if err := pushOnce(t, h.client, first+"/here/r", request); err == nil {
		t.Error("to another host: got no error, want one")
	}
	h.wantRefs(t)
	h.client.Redirect = func(from, to *url.URL) error { return nil }
	if err := pushOnce(t, h.client, first+"/here/r", request); err != nil {
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
	if _, err := fetchOnce(t, client, "http://example.org/r", request); err == nil {
		t.Error("a delta on a private object: got no error, want one")
	}
	if _, err := h.b.Object(t.Context(), c.Hash()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the commit: got %v, want it not to be there", err)
	}
	request.Have = append(request.Have, store.Ref{Name: "refs/heads/bob", Hash: h.bobs.Hash()})
	if _, err := fetchOnce(t, client, "http://example.org/r", request); err != nil {
		t.Errorf("a delta on what may be leaned on: %v", err)
	}
	// The same pack without the file that the tree names.
	remote.pack = packOf(t, tree, c)
	empty := FetchRequest{Into: newMemory(t)}
	if _, err := fetchOnce(t, client, "http://example.org/r", empty); err == nil {
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
		"git://example.org/x.git":         "git example.org /x.git ",
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
	for _, raw := range []string{"", "/srv/repo", "./a:b", "file:///srv/x", "https:///x", "git://h/a\x00b", "@:x"} {
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
	_, err := refsOnce(t, client, "ssh://alice@127.0.0.1:"+l.sshPort+"/nowhere")
	if want := "cairn: repository 'nowhere' not found"; !errors.As(err, &said) || said.Text != want {
		t.Errorf("no repository: got %v, want %q", err, want)
	}
	client.SSH.HostKeyCallback = ssh.FixedHostKey(l.newKey("other").PublicKey())
	if _, err := refsOnce(t, client, l.ssh); err == nil {
		t.Error("unknown host key: got no error, want one")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := remoteOf(t, l.sshClient(), l.ssh).Refs(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want %v", err, context.Canceled)
	}
}
