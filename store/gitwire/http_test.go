package gitwire

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/mem"
)

// request sends a request and returns the response with its body read.
func request(t *testing.T, method, url string, header http.Header, body io.Reader) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(data)
}

func TestHTTPStatus(t *testing.T) {
	b := newDisk(t)
	twoHouses(t, b)
	base := serveHandler(t, &HTTPHandler{Open: func(w http.ResponseWriter, r *http.Request, repo string, write bool) (*View, error) {
		switch repo {
		case "house":
			if write {
				return nil, fmt.Errorf("push: %w", fs.ErrPermission)
			}
			return onlyMine(b), nil
		case "private":
			return nil, ErrUnauthorized
		case "away":
			return nil, store.ErrTemporary
		case "broken":
			return nil, errors.New("secret detail")
		case "busy":
			return nil, &StatusError{Status: http.StatusTooManyRequests, Text: "slow down", After: 1500 * time.Millisecond}
		}
		return nil, fs.ErrNotExist
	}})
	for _, test := range []struct {
		method, path, contentType, encoding string
		status                              int
		header, value, body                 string
	}{
		{method: "GET", path: "/house", status: 200, body: "git clone " + base + "/house\n"},
		{method: "GET", path: "/house/", status: 200, body: "git clone " + base + "/house\n"},
		{method: "HEAD", path: "/house", status: 200},
		{method: "POST", path: "/house", status: 405, header: "Allow", value: "GET, HEAD"},
		{method: "GET", path: "/", status: 404},
		{method: "GET", path: "/none", status: 404},
		{method: "GET", path: "/x/../house/info/refs?service=git-upload-pack", status: 404},
		{method: "GET", path: "/house//x/info/refs?service=git-upload-pack", status: 404},
		{method: "GET", path: "/house/info/refs?service=git-upload-pack", status: 200, header: "Content-Type", value: "application/x-git-upload-pack-advertisement"},
		{method: "GET", path: "/house/info/refs?service=git-upload-pack", status: 200, header: "Cache-Control", value: "no-cache, max-age=0, must-revalidate"},
		{method: "HEAD", path: "/house/info/refs?service=git-upload-pack", status: 200},
		{method: "POST", path: "/house/info/refs?service=git-upload-pack", status: 405, header: "Allow", value: "GET, HEAD"},
		{method: "GET", path: "/house/info/refs", status: 403, body: "smart HTTP"},
		{method: "GET", path: "/house/HEAD", status: 403, body: "smart HTTP"},
		{method: "GET", path: "/house/objects/info/packs", status: 403, body: "smart HTTP"},
		{method: "GET", path: "/house/info/refs?service=git-upload-archive", status: 403, body: "unknown service"},
		{method: "GET", path: "/house/info/refs?service=git-receive-pack", status: 403},
		{method: "GET", path: "/private/info/refs?service=git-upload-pack", status: 401, header: "WWW-Authenticate", value: `Basic realm="cairn", charset="UTF-8"`},
		{method: "GET", path: "/away/info/refs?service=git-upload-pack", status: 503, header: "Retry-After", value: "10"},
		{method: "GET", path: "/busy/info/refs?service=git-upload-pack", status: 429, header: "Retry-After", value: "2", body: "slow down"},
		{method: "GET", path: "/broken/info/refs?service=git-upload-pack", status: 500, body: "internal error\n"},
		{method: "GET", path: "/none/info/refs?service=git-upload-pack", status: 404},
		{method: "GET", path: "/house/git-upload-pack", status: 405, header: "Allow", value: "POST"},
		{method: "POST", path: "/house/git-upload-pack", status: 415},
		{method: "POST", path: "/house/git-upload-pack", contentType: "text/plain", status: 415},
		{method: "POST", path: "/house/git-upload-pack", contentType: "application/x-git-upload-pack-request", encoding: "zstd", status: 415},
		{method: "POST", path: "/house/git-upload-pack", contentType: "application/x-git-upload-pack-request", encoding: "gzip", status: 200, body: "ERR the request"},
		{method: "POST", path: "/house/git-upload-pack", contentType: "application/x-git-upload-pack-request", status: 200, header: "Content-Type", value: "application/x-git-upload-pack-result"},
		{method: "POST", path: "/house/git-receive-pack", contentType: "application/x-git-receive-pack-request", status: 403},
		{method: "POST", path: "/private/git-receive-pack", contentType: "application/x-git-receive-pack-request", status: 401},
	} {
		header := http.Header{}
		if test.contentType != "" {
			header.Set("Content-Type", test.contentType)
		}
		if test.encoding != "" {
			header.Set("Content-Encoding", test.encoding)
		}
		resp, body := request(t, test.method, base+test.path, header, strings.NewReader("00"))
		if resp.StatusCode != test.status {
			t.Errorf("%s %s: status got %d, want %d\n%s", test.method, test.path, resp.StatusCode, test.status, body)
		}
		if got := resp.Header.Get(test.header); got != test.value {
			t.Errorf("%s %s: %s got %q, want %q", test.method, test.path, test.header, got, test.value)
		}
		if !strings.Contains(body, test.body) {
			t.Errorf("%s %s: body got %q, want %q in it", test.method, test.path, body, test.body)
		}
	}
}

// TestHTTPBodies sends one request in the ways that clients have: whole, in
// chunks, packed, and with HTTP/1.0 or Expect: 100-continue.
func TestHTTPBodies(t *testing.T) {
	b := newDisk(t)
	mine, _ := twoHouses(t, b)
	url := serveView(t, onlyMine(b)) + "/git-upload-pack"
	var plain bytes.Buffer
	w := newPktWriter(&plain)
	w.line("command=fetch\n")
	w.delim()
	w.line("want " + mine[0].String() + "\n")
	w.line("done\n")
	w.flush()
	w.send()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(plain.Bytes())
	z.Close()

	header := http.Header{
		"Content-Type": {"application/x-git-upload-pack-request"},
		"Git-Protocol": {"version=2"},
	}
	_, want := request(t, "POST", url, header, bytes.NewReader(plain.Bytes()))
	if !strings.HasPrefix(want, "000dpackfile\n") || !strings.HasSuffix(want, "0000") {
		t.Fatalf("answer: got %q", want)
	}
	// Without a length that the client knows, it sends chunks.
	if _, got := request(t, "POST", url, header, io.MultiReader(bytes.NewReader(plain.Bytes()))); got != want {
		t.Errorf("chunked: got %q, want %q", got, want)
	}
	header.Set("Expect", "100-continue")
	if _, got := request(t, "POST", url, header, bytes.NewReader(plain.Bytes())); got != want {
		t.Errorf("100-continue: got %q, want %q", got, want)
	}
	header.Del("Expect")
	header.Set("Content-Encoding", "gzip")
	if _, got := request(t, "POST", url, header, &packed); got != want {
		t.Errorf("gzip: got %q, want %q", got, want)
	}

	address, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /%s HTTP/1.0\r\nContent-Type: application/x-git-upload-pack-request\r\nGit-Protocol: version=2\r\nContent-Length: %d\r\n\r\n%s",
		path, plain.Len(), plain.Bytes())
	got, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(got), "\r\n\r\n"+want) {
		t.Errorf("HTTP/1.0: got %q, %v, want %q", got, err, want)
	}
}

// TestGzipBombs sends requests that are small as they come and unpack to more
// than the limits.
func TestGzipBombs(t *testing.T) {
	b := mem.New()
	mine, _ := twoHouses(t, b)
	url := serveView(t, onlyMine(b)) + "/git-upload-pack"
	want := pktLine("want " + mine[0].String() + "\n")
	for name, test := range map[string]struct {
		line  string
		times int
		want  string
	}{
		"wants": {want, maxWants + 1, fmt.Sprintf("ERR upload-pack: more than %d wants\n", maxWants)},
		"bytes": {
			want + pktLine("deepen-since "+strings.Repeat("0", 60000)+"1\n"), maxUploadRequest/60000 + 1,
			fmt.Sprintf("ERR the request is larger than %d bytes\n", maxUploadRequest),
		},
	} {
		var packed bytes.Buffer
		z, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
		for range test.times {
			io.WriteString(z, test.line)
		}
		z.Close()
		_, got := request(t, "POST", url, http.Header{
			"Content-Type":     {"application/x-git-upload-pack-request"},
			"Content-Encoding": {"gzip"},
		}, &packed)
		if want := pktLine(test.want); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestLogIn clones with stock git where a password is asked for.
func TestLogIn(t *testing.T) {
	b := mem.New()
	commitFiles(t, b, "refs/heads/main", nil, "file", "content")
	url := serveHandler(t, &HTTPHandler{Open: func(_ http.ResponseWriter, r *http.Request, _ string, _ bool) (*View, error) {
		if user, password, _ := r.BasicAuth(); user != "alice" || password != "secret" {
			return nil, ErrUnauthorized
		}
		return showAll(b), nil
	}})
	for prefix, ok := range map[string]bool{"": false, "alice:wrong@": false, "alice:secret@": true} {
		clone := newGitRepo(t)
		out, err := clone.try(t, "clone", strings.Replace(url, "://", "://"+prefix, 1)+"/r", clone.dir)
		if (err == nil) != ok {
			t.Errorf("clone with %q: got %v\n%s", prefix, err, out)
		}
	}
}

// TestHTTP2 clones and fetches over TLS and HTTP/2.
func TestHTTP2(t *testing.T) {
	source := newHistory(t)
	b := mem.New()
	load(t, b, source)
	v := showAll(b)
	handler := &HTTPHandler{Open: func(http.ResponseWriter, *http.Request, string, bool) (*View, error) { return v, nil }}
	var versions sync.Map
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		versions.Store(r.Proto, true)
		handler.ServeHTTP(w, r)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	clone := newGitRepo(t)
	clone.git(t, "-c", "http.sslVerify=false", "clone", "-q", "-c", "http.sslVerify=false", s.URL+"/r", clone.dir)
	source.at(800000).commit(t, "new", "top", "new")
	load(t, b, source)
	clone.git(t, "pull", "-q", "--ff-only")
	if got, want := clone.rev(t, "HEAD"), source.rev(t, "main"); got != want {
		t.Errorf("HEAD: got %s, want %s", got, want)
	}
	if _, ok := versions.Load("HTTP/2.0"); !ok {
		t.Skip("this git speaks no HTTP/2")
	}
}

func pktLine(payload string) string { return fmt.Sprintf("%04x%s", len(payload)+4, payload) }

// TestStall lets a client stand still, sending and receiving: the handler
// returns.
func TestStall(t *testing.T) {
	b := mem.New()
	tip := commitFiles(t, b, "refs/heads/main", nil, "big", incompressible(24<<20))
	returned := make(chan struct{}, 2)
	handler := &HTTPHandler{
		Stall: 100 * time.Millisecond,
		Open:  func(http.ResponseWriter, *http.Request, string, bool) (*View, error) { return showAll(b), nil },
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { returned <- struct{}{} }()
		handler.ServeHTTP(w, r)
	}))
	defer s.Close()
	want := pktLine("want " + tip.String() + " side-band-64k\n")
	for name, body := range map[string]string{
		"sending":   want,
		"receiving": want + "0000" + pktLine("done\n"),
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		length := len(body)
		if name == "sending" {
			length++
		}
		fmt.Fprintf(conn, "POST /r/git-upload-pack HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-git-upload-pack-request\r\nContent-Length: %d\r\n\r\n%s", length, body)
		select {
		case <-returned:
		case <-time.After(2 * time.Minute):
			t.Fatalf("%s: the handler still waits", name)
		}
	}
}

// TestClientLeaves closes the connection in the middle of a pack.
func TestClientLeaves(t *testing.T) {
	b := mem.New()
	tip := commitFiles(t, b, "refs/heads/main", nil, "big", incompressible(24<<20))
	returned := make(chan error, 1)
	handler := &HTTPHandler{Open: func(_ http.ResponseWriter, r *http.Request, _ string, _ bool) (*View, error) { return showAll(b), nil }}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		returned <- context.Cause(r.Context())
	}))
	defer s.Close()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	body := pktLine("want "+tip.String()+" side-band-64k\n") + "0000" + pktLine("done\n")
	fmt.Fprintf(conn, "POST /r/git-upload-pack HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-git-upload-pack-request\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	io.CopyN(io.Discard, conn, 1000)
	conn.Close()
	select {
	case <-returned:
	case <-time.After(2 * time.Minute):
		t.Fatal("the handler still works")
	}
}

// incompressible is n bytes of text that zlib cannot shrink.
func incompressible(n int) string {
	b := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return string(b)
}
