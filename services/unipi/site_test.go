package unipi

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
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
