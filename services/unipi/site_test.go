package unipi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"

	br "github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// files is a site's content by path; a value that begins with "→" is a symlink.
type files map[string]string

var author = object.Signature{Name: "Ann", Email: "ann@example.org"}

// push makes files the content of a branch.
func push(t testing.TB, b *store.Branch, fs files) *store.Tree {
	t.Helper()
	ctx := context.Background()
	err := b.Update(ctx, store.Change{Author: author, Message: "push"}, func(tx *store.Tx) error {
		for d, err := range tx.Tree().Diff(ctx, nil) {
			if err != nil {
				return err
			}
			if err := tx.Remove(d.Path); err != nil {
				return err
			}
		}
		for path, content := range fs {
			mode := object.ModeFile
			if target, ok := strings.CutPrefix(content, "→"); ok {
				mode, content = object.ModeSymlink, target
			}
			if err := tx.PutMode(path, mode, []byte(content)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := b.Tree(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func newBranch() *store.Branch {
	return store.New(mem.New(), store.Options{}).Branch("site/www/main")
}

func newSite(t testing.TB, fs files) (*Site, *store.Branch) {
	t.Helper()
	b := newBranch()
	push(t, b, fs)
	return &Site{Tree: Follow(b)}, b
}

// get asks h for a target; headers are "Name: value".
func get(t testing.TB, h http.Handler, target string, headers ...string) *http.Response {
	t.Helper()
	return do(t, h, http.MethodGet, target, headers...)
}

func do(t testing.TB, h http.Handler, method, target string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://www.example.org/", nil)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatal(err)
	}
	r.URL, r.RequestURI = u, target
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t testing.TB, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPaths(t *testing.T) {
	s, _ := newSite(t, files{
		"index.html": "home", "about.html": "about", "a/index.html": "a", "both.html": "both page", "both/index.html": "both folder",
		"img/x.png": "png", "sp ace/ä.html": "umlaut", "_redirects": "/r /about", "_headers": "/x\n  X-A: b", ".env": "secret", "a/.hidden": "secret",
		".well-known/security.txt": "contact", ".well-known/.x": "secret", "404.html": "not here", "a/404.html": "not in a", "sub/_redirects": "plain",
		"link.html": "→about.html", "deep/up": "→../a", "out": "→../../etc/passwd", "abs": "→/etc/passwd", "loop": "→loop", "loop1": "→loop2", "loop2": "→loop1",
		"todot": "→.env", "torules": "→_redirects", "chain0": "→chain1", "chain1": "→chain2", "chain2": "→img/x.png", "self/again": "→../self", "climb": "→a/../../index.html",
		"dirlink": "→a", "gone": "→nothing", "README": "read me",
	})
	for _, c := range []struct {
		target string
		status int
		want   string // body, or Location for a redirect
	}{
		{"/", 200, "home"}, {"/index.html", 200, "home"}, {"/about", 200, "about"}, {"/about.html", 200, "about"},
		{"/about/", 301, "/about"}, {"/a", 301, "/a/"}, {"/a?x=1&y=%2f", 301, "/a/?x=1&y=%2f"}, {"/a/", 200, "a"}, {"/a/index.html", 200, "a"},
		{"/both", 200, "both page"}, {"/both/", 200, "both folder"}, {"/img/x.png", 200, "png"}, {"/README", 200, "read me"},
		{"/img", 404, "not here"}, {"/img/", 404, "not here"}, {"/a/nothing", 404, "not in a"}, {"/index.html/", 404, "not here"}, {"/x/y/z", 404, "not here"},
		{"/sp%20ace/%C3%A4", 200, "umlaut"}, {"/sp%20ace", 404, "not here"},
		{"/a//index.html", 301, "/a/index.html"}, {"//evil.example/", 301, "/evil.example/"}, {"//evil.example", 301, "/evil.example"}, {"///a", 301, "/a"},

		{"/_redirects", 404, "not here"}, {"/_headers", 404, "not here"}, {"/.env", 404, "not here"}, {"/a/.hidden", 404, "not in a"}, {"/.git/config", 404, "not here"},
		{"/.GIT/config", 404, "not here"}, {"/.Git", 404, "not here"}, {"/.well-known/security.txt", 200, "contact"}, {"/.well-known/.x", 404, "not here"}, {"/sub/_redirects", 200, "plain"},

		{"/link", 200, "about"}, {"/link.html", 200, "about"}, {"/deep/up/", 200, "a"}, {"/deep/up", 301, "/deep/up/"}, {"/deep/up/index.html", 200, "a"}, {"/dirlink/", 200, "a"},
		{"/chain0", 200, "png"}, {"/out", 404, "not here"}, {"/abs", 404, "not here"}, {"/loop", 404, "not here"}, {"/loop1", 404, "not here"}, {"/todot", 404, "not here"},
		{"/torules", 404, "not here"}, {"/self/again/again/again/again", 404, "not here"}, {"/climb", 404, "not here"}, {"/gone", 404, "not here"},

		{"/%00", 400, ""}, {"/a%00b", 400, ""}, {"/%2e%2e/etc/passwd", 400, ""}, {"/..%2fetc", 400, ""}, {"/a%2findex.html", 400, ""}, {"/a%2Findex.html", 400, ""},
		{"/a/../about", 400, ""}, {"/./about", 400, ""}, {"/a%5cb", 400, ""}, {"/%c0%ae%c0%ae/", 400, ""}, {"/%ff", 400, ""}, {"/%0d%0aX:%20y", 400, ""},
		{"/" + strings.Repeat("x", 300), 404, ""}, {"/" + strings.Repeat("x/", 3000), 414, ""}, {"/%7f", 400, ""},
	} {
		for range 2 { // from the tree, and from the cache
			r := get(t, s, c.target)
			got := body(t, r)
			if c.status == 301 {
				got = r.Header.Get("Location")
			}
			if r.StatusCode != c.status || c.want != "" && got != c.want {
				t.Errorf("GET %.60s: got %d %q, want %d %q", c.target, r.StatusCode, got, c.status, c.want)
			}
		}
	}
}

func TestMethods(t *testing.T) {
	s, _ := newSite(t, files{"index.html": "home"})
	for _, c := range []struct {
		method string
		status int
	}{{"GET", 200}, {"HEAD", 200}, {"OPTIONS", 204}, {"POST", 405}, {"PUT", 405}, {"DELETE", 405}, {"PATCH", 405}, {"TRACE", 405}, {"CONNECT", 405}, {"BREW", 405}} {
		r := do(t, s, c.method, "/")
		if r.StatusCode != c.status {
			t.Errorf("%s: got %d, want %d", c.method, r.StatusCode, c.status)
		}
		if want := "GET, HEAD, OPTIONS"; c.status != 200 && r.Header.Get("Allow") != want {
			t.Errorf("%s: Allow is %q, want %q", c.method, r.Header.Get("Allow"), want)
		}
	}
	g, h := get(t, s, "/"), do(t, s, "HEAD", "/")
	if body(t, h) != "" || fmt.Sprint(h.Header) != fmt.Sprint(g.Header) || h.Header.Get("Content-Length") != "4" {
		t.Errorf("HEAD: header %v, want that of GET %v", h.Header, g.Header)
	}
}

func TestConditions(t *testing.T) {
	page := strings.Repeat("<p>text", 1000)
	s, b := newSite(t, files{"index.html": page})
	tree, err := b.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entry, err := tree.Lookup("index.html")
	if err != nil {
		t.Fatal(err)
	}
	tag := `"` + entry.Hash.String() + `"`
	first := get(t, s, "/")
	if got := first.Header.Get("Etag"); got != tag {
		t.Errorf("ETag is %s, want the blob's hash %s", got, tag)
	}
	modified := first.Header.Get("Last-Modified")
	if modified == "" {
		t.Error("no Last-Modified")
	}
	coded := tag[:41] + `-gz"`
	for _, c := range []struct {
		header string
		status int
		etag   string
	}{
		{"If-None-Match: " + tag, 304, tag},
		{"If-None-Match: " + coded, 304, coded}, // the client has it compressed
		{`If-None-Match: "other", W/` + tag, 304, tag},
		{"If-None-Match: *", 304, tag},
		{`If-None-Match: "other"`, 200, tag},
		{"If-Modified-Since: " + modified, 304, tag},
		{"If-Match: " + tag, 200, tag},
		{`If-Match: "other"`, 412, ""},
		{"If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT", 412, ""},
	} {
		r := get(t, s, "/", c.header)
		if r.StatusCode != c.status || r.Header.Get("Etag") != c.etag {
			t.Errorf("%s: got %d %s, want %d %s", c.header, r.StatusCode, r.Header.Get("Etag"), c.status, c.etag)
		}
		if text := body(t, r); c.status == 304 && (text != "" || r.Header.Get("Cache-Control") == "" || r.Header.Get("Vary") == "" || r.Header.Get("Content-Type") != "") {
			t.Errorf("%s: 304 with body %q, header %v", c.header, text, r.Header)
		}
	}
	gz := get(t, s, "/", "Accept-Encoding: gzip")
	if got := gz.Header.Get("Etag"); got != coded {
		t.Errorf("ETag of gzip is %s, want %s", got, coded)
	}
	if r := get(t, s, "/", "Accept-Encoding: gzip", "If-None-Match: "+coded); r.StatusCode != 304 || r.Header.Get("Etag") != coded {
		t.Errorf("gzip revalidated: got %d %s", r.StatusCode, r.Header.Get("Etag"))
	}
	push(t, b, files{"index.html": page + "!"})
	if r := get(t, s, "/", "If-None-Match: "+tag); r.StatusCode != 200 {
		t.Errorf("after a push: got %d, want 200", r.StatusCode)
	}
}

// TestRollbackDate moves a branch to a commit with an older date: what a
// client got meanwhile, though newer, must not count as current.
func TestRollbackDate(t *testing.T) {
	now := time.Now()
	repo := store.New(mem.New(), store.Options{Now: func() time.Time { return now }})
	var trees []*store.Tree
	for i := range 2 {
		now = now.Add(-time.Hour)
		trees = append(trees, push(t, repo.Branch(fmt.Sprint("b", i)), files{"index.html": fmt.Sprint(i)}))
	}
	current := trees[0]
	s := &Site{Tree: func(context.Context) (*store.Tree, error) { return current, nil }}
	modified := get(t, s, "/").Header.Get("Last-Modified")
	current = trees[1]
	if r := get(t, s, "/", "If-Modified-Since: "+modified); r.StatusCode != 200 || body(t, r) != "1" {
		t.Errorf("after going back: got %d, want 200", r.StatusCode)
	}
}

func TestRanges(t *testing.T) {
	for _, size := range []string{"in memory", "streamed"} {
		content := strings.Repeat("0123456789", 1000)
		s, _ := newSite(t, files{"a.bin": content, "a.txt": content})
		if size == "streamed" {
			s.Cache = &Cache{Bytes: 32 << 10} // files above 1 KiB are not kept
		}
		whole := get(t, s, "/a.bin")
		tag, modified := whole.Header.Get("Etag"), whole.Header.Get("Last-Modified")
		if got := body(t, whole); got != content || whole.Header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%s: got %d bytes, want %d", size, len(got), len(content))
		}
		for _, c := range []struct {
			headers string
			status  int
			rng     string
			want    string
		}{
			{"Range: bytes=2-5", 206, "bytes 2-5/10000", "2345"},
			{"Range: bytes=-3", 206, "bytes 9997-9999/10000", "789"},
			{"Range: bytes=9999-", 206, "bytes 9999-9999/10000", "9"},
			{"Range: bytes=10000-", 416, "bytes */10000", ""},
			{"Range: bytes=x", 200, "", content},
			{"Range: bytes=2-5\nIf-Range: " + tag, 206, "bytes 2-5/10000", "2345"},
			{"Range: bytes=2-5\nIf-Range: " + modified, 206, "bytes 2-5/10000", "2345"},
			{"Range: bytes=2-5\nIf-Range: W/" + tag, 200, "", content},
			{"Range: bytes=2-5\nIf-Range: \"other\"", 200, "", content},
			{"Range: bytes=2-5\nIf-Range: Sat, 01 Jan 2000 00:00:00 GMT", 200, "", content},
			{"Range: bytes=2-5\nIf-None-Match: " + tag, 304, "", ""},
			{"Range: bytes=2-5\nAccept-Encoding: gzip", 206, "bytes 2-5/10000", "2345"},
		} {
			r := get(t, s, "/a.bin", strings.Split(c.headers, "\n")...)
			got := body(t, r)
			if r.StatusCode != c.status || r.Header.Get("Content-Range") != c.rng || c.status != 416 && got != c.want {
				t.Errorf("%s: %q: got %d %q %.20q, want %d %q %.20q", size, c.headers, r.StatusCode, r.Header.Get("Content-Range"), got, c.status, c.rng, c.want)
			}
			if want := fmt.Sprint(len(got)); c.status != 304 && r.Header.Get("Content-Length") != want {
				t.Errorf("%s: %q: Content-Length %s, want %s", size, c.headers, r.Header.Get("Content-Length"), want)
			}
		}
		if r := do(t, s, "HEAD", "/a.bin", "Range: bytes=2-5"); r.StatusCode != 200 {
			t.Errorf("%s: HEAD with Range: got %d, want 200", size, r.StatusCode)
		}
		r := get(t, s, "/a.txt", "Range: bytes=0-1,5-6,-2")
		mediatype, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || mediatype != "multipart/byteranges" || r.StatusCode != 206 {
			t.Fatalf("%s: got %d %s %v", size, r.StatusCode, r.Header.Get("Content-Type"), err)
		}
		whole206 := body(t, r)
		if want := fmt.Sprint(len(whole206)); r.Header.Get("Content-Length") != want {
			t.Errorf("%s: multipart Content-Length %s, want %s", size, r.Header.Get("Content-Length"), want)
		}
		parts := multipart.NewReader(strings.NewReader(whole206), params["boundary"])
		for _, want := range []string{"01 bytes 0-1/10000", "56 bytes 5-6/10000", "89 bytes 9998-9999/10000"} {
			p, err := parts.NextPart()
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(p)
			if got := string(b) + " " + p.Header.Get("Content-Range"); got != want || p.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s: part %q %v, want %q", size, got, p.Header, want)
			}
		}
	}
}

func decode(t *testing.T, r *http.Response) string {
	t.Helper()
	b := body(t, r)
	var in io.Reader = strings.NewReader(b)
	var err error
	switch r.Header.Get("Content-Encoding") {
	case "br":
		in = br.NewReader(in)
	case "gzip":
		in, err = gzip.NewReader(in)
	case "zstd":
		in, err = zstd.NewReader(in)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestCodings(t *testing.T) {
	text := strings.Repeat("compress me ", 500)
	random := string(bytes.Repeat([]byte{0x89, 0x1f}, 3000))
	s, _ := newSite(t, files{
		"a.html": text, "small.html": "tiny", "photo.jpg": random,
		"pre.css": text, "pre.css.br": "sibling br", "pre.css.gz": "sibling gz", "pre.css.zst": "sibling zst",
	})
	for _, c := range []struct{ path, accept, coding, content, vary string }{
		{"/a", "", "", text, "Accept-Encoding"},
		{"/a", "gzip", "gzip", text, "Accept-Encoding"},
		{"/a", "br", "br", text, "Accept-Encoding"},
		{"/a", "zstd", "zstd", text, "Accept-Encoding"},
		{"/a", "gzip, deflate, br, zstd", "br", text, "Accept-Encoding"},
		{"/a", "br;q=0.1, gzip", "gzip", text, "Accept-Encoding"},
		{"/a", "br;q=0", "", text, "Accept-Encoding"},
		{"/a", "gzip, identity;q=0", "gzip", text, "Accept-Encoding"},
		{"/small", "gzip", "", "tiny", ""},
		{"/photo.jpg", "gzip", "", random, ""},
		{"/pre.css", "br", "br", "sibling br", "Accept-Encoding"},
		{"/pre.css", "gzip", "gzip", "sibling gz", "Accept-Encoding"},
		{"/pre.css", "zstd", "zstd", "sibling zst", "Accept-Encoding"},
		{"/pre.css", "", "", text, "Accept-Encoding"},
	} {
		r := get(t, s, c.path, "Accept-Encoding: "+c.accept)
		got := ""
		if strings.HasPrefix(c.content, "sibling") {
			got = body(t, r)
		} else {
			got = decode(t, r)
		}
		if r.Header.Get("Content-Encoding") != c.coding || got != c.content || r.Header.Get("Vary") != c.vary {
			t.Errorf("%s, accept %q: got coding %q, Vary %q, %.20q; want %q, %q", c.path, c.accept, r.Header.Get("Content-Encoding"), r.Header.Get("Vary"), got, c.coding, c.vary)
		}
	}
	tags := map[string]bool{}
	for _, accept := range []string{"", "br", "gzip", "zstd"} {
		tags[get(t, s, "/a", "Accept-Encoding: "+accept).Header.Get("Etag")] = true
		tags[get(t, s, "/pre.css", "Accept-Encoding: "+accept).Header.Get("Etag")] = true
	}
	if len(tags) != 7 {
		t.Errorf("got entity tags %v, want seven: the plain files are one blob", tags)
	}
}

// TestSqueezeOnce asks for one page from many clients at once: it is
// compressed once a coding, and everybody gets an answer.
func TestSqueezeOnce(t *testing.T) {
	var q squeezer
	q.done.limit = 1 << 20
	text := []byte(strings.Repeat("compress me ", 20000))
	key := codedKey{object.Object{Type: object.TypeBlob, Data: text}.Hash(), brotli}
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[*byte]bool{}
	for i := range 64 {
		wg.Go(func() {
			coded, ready := q.squeeze(key, text, i%2 == 0)
			if !ready {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			made[&coded[0]] = true
		})
	}
	wg.Wait()
	if len(made) != 1 {
		t.Errorf("compressed %d times, want once", len(made))
	}
}

func TestCachingHeaders(t *testing.T) {
	s, _ := newSite(t, files{"index.html": "x", "js/app.8e2f1a9c.js": "x", "style.css": "x", "f.css": "x",
		"_headers": "/f.css\n  Cache-Control: public, max-age=60\n"})
	for path, want := range map[string]string{
		"/":                   "public, max-age=0, must-revalidate",
		"/style.css":          "public, max-age=0, must-revalidate",
		"/js/app.8e2f1a9c.js": "public, max-age=31536000, immutable",
		"/f.css":              "public, max-age=60",
	} {
		r := get(t, s, path)
		if got := r.Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", path, got, want)
		}
		if got := r.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options %q, want nosniff", path, got)
		}
	}
}

func TestRulesOfSite(t *testing.T) {
	s, b := newSite(t, files{
		"index.html": "home", "app/index.html": "app", "here.html": "here", "gone.html": "it is gone", "oops.html": "oops",
		"_redirects": "/old/* /new/:splat 302\n/here /elsewhere\n/forced /x 307!\n/app/* /app/index.html 200\n/g /gone.html 410\n/n/* /oops.html 404\n" +
			"/q id=:id /blog/:id\n/proxy/* https://internal.example/:splat 200\n/self /_redirects 200\n/up /../x 200\nnonsense\n",
		"_headers": "/*\n  X-Site: yes\n/app/*\n  X-App: :splat\n",
	})
	for _, c := range []struct {
		target string
		status int
		want   string
	}{
		{"/old/a/b?x=1", 302, "/new/a/b?x=1"}, {"/here", 200, "here"}, {"/forced", 307, "/x"}, {"/app/deep/link", 200, "app"},
		{"/g", 410, "it is gone"}, {"/n/x", 404, "oops"}, {"/q?id=7", 301, "/blog/7?id=7"}, {"/q", 404, ""}, {"/q?id=8", 301, "/blog/8?id=8"},
		{"/proxy/x", 404, ""}, {"/self", 404, ""}, {"/up", 404, ""},
	} {
		r := get(t, s, c.target)
		got := body(t, r)
		if l := r.Header.Get("Location"); l != "" {
			got = l
		}
		if r.StatusCode != c.status || c.want != "" && got != c.want {
			t.Errorf("%s: got %d %q, want %d %q", c.target, r.StatusCode, got, c.status, c.want)
		}
	}
	if r := get(t, s, "/app/z"); r.Header.Get("X-Site") != "yes" || r.Header.Get("X-App") != "z" {
		t.Errorf("headers by _headers: %v", r.Header)
	}
	push(t, b, files{"index.html": "home", "new/x.html": "x"})
	if r := get(t, s, "/old/x"); r.StatusCode != 404 || r.Header.Get("X-Site") != "" {
		t.Errorf("rules outlive the push that removed them: %d %v", r.StatusCode, r.Header)
	}
}

// TestOneCommit pushes while it reads: every answer is of one commit, and once
// a push has been acknowledged nobody sees the one before.
func TestOneCommit(t *testing.T) {
	s, b := newSite(t, files{"index.html": "0 0", "_headers": "/*\n  X-N: 0\n"})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r := get(t, s, "/", "Accept-Encoding: identity")
				n := r.Header.Get("X-N")
				if got := body(t, r); got != n+" "+n {
					t.Errorf("page %q with the header of %q", got, n)
				}
			}
		})
	}
	for i := 1; i < 50; i++ {
		push(t, b, files{"index.html": fmt.Sprintf("%d %d", i, i), "_headers": fmt.Sprintf("/*\n  X-N: %d\n", i)})
		if got, want := body(t, get(t, s, "/")), fmt.Sprintf("%d %d", i, i); got != want {
			t.Errorf("after push %d: got %q", i, got)
		}
	}
	close(stop)
	wg.Wait()
}

func TestEmptySite(t *testing.T) {
	b := newBranch()
	s := &Site{Tree: Follow(b), First: &FirstPage{Address: "http://www.localhost:8080/", Steps: []string{"git push http://x/<site> HEAD:main"}}}
	r := get(t, s, "/")
	text := body(t, r)
	if r.StatusCode != 200 || !strings.Contains(text, "http://www.localhost:8080/") || !strings.Contains(text, "git push http://x/&lt;site&gt; HEAD:main") {
		t.Errorf("first page: %d\n%s", r.StatusCode, text)
	}
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("first page: Cache-Control %q, want no-store", got)
	}
	if r := get(t, s, "/other"); r.StatusCode != 404 {
		t.Errorf("other page: got %d, want 404", r.StatusCode)
	}
	push(t, b, files{"index.html": "live"})
	if got := body(t, get(t, s, "/")); got != "live" {
		t.Errorf("after the push: got %q", got)
	}
}

// TestCacheBound reads more than the cache may hold.
func TestCacheBound(t *testing.T) {
	fs := files{}
	for i := range 200 {
		fs[fmt.Sprintf("p%d.txt", i)] = strings.Repeat(fmt.Sprint(i, " "), 2000)
	}
	s, _ := newSite(t, fs)
	s.Cache = &Cache{Bytes: 1 << 20}
	for i := range 400 {
		r := get(t, s, fmt.Sprintf("/p%d.txt", i%200), "Accept-Encoding: gzip")
		if got := decode(t, r); got != fs[fmt.Sprintf("p%d.txt", i%200)] {
			t.Fatalf("p%d.txt differs", i%200)
		}
	}
	c := s.Cache
	if c.routes.bytes > c.Bytes/2 || c.coded.done.bytes > c.Bytes/2 {
		t.Errorf("holds %d + %d bytes, want at most %d", c.routes.bytes, c.coded.done.bytes, c.Bytes)
	}
}

// FuzzRequest sends hostile requests through the whole handler: whatever they
// ask, the answer is no 5xx.
func FuzzRequest(f *testing.F) {
	s, _ := newSite(f, files{
		"index.html": strings.Repeat("home ", 1000), "a/index.html": "a", "404.html": "no", "l": "→a", "loop": "→loop",
		"_redirects": "/r/* /:splat 302\n/:a/:b/c /:b 301\n/q x=:x /:x\n/w/* /:splat 200\n", "_headers": "/*\n  X-P: :splat\n",
	})
	f.Add("GET", "/a/../..", "gzip;q=0.3,*", "bytes=0-1,-2", `"x", *`)
	f.Add("HEAD", "/r//evil.example/%2e", "", "bytes=-", "W/")
	f.Add("OPTIONS", "*", "identity;q=0", "", "")
	f.Add("GET", "/q?x=//a%0a", "br", "bytes=99999999999999999999-", "")
	f.Fuzz(func(t *testing.T, method, target, accept, rng, match string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !isToken(method) {
			return
		}
		r := &http.Request{Method: method, URL: u, Host: "x", RequestURI: target, Header: http.Header{
			"Accept-Encoding": {accept}, "Range": {rng}, "If-None-Match": {match}, "If-Range": {match},
		}}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		res := w.Result()
		if res.StatusCode >= 500 {
			t.Fatalf("%s %q: %d", method, target, res.StatusCode)
		}
		if loc := res.Header.Get("Location"); strings.HasPrefix(loc, "//") || strings.ContainsAny(loc, "\r\n\\") {
			t.Fatalf("%s %q leads to %q", method, target, loc)
		}
		for name, values := range res.Header {
			if !isToken(name) || !isValue(values[0]) {
				t.Fatalf("%s %q: header %q: %q", method, target, name, values)
			}
		}
	})
}
