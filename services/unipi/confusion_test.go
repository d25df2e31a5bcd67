package unipi

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestHostsBounded asks under many names of loopback: none of them is kept for
// ever.
func TestHostsBounded(t *testing.T) {
	s := wireSites(t, nil)
	for i := range 2000 {
		for _, host := range []string{fmt.Sprintf("[::1%%x%d]", i), fmt.Sprintf("127.0.%d.%d", i/250, i%250), fmt.Sprintf("[0:0:0:0:0:0:0:%04x]:80", i), fmt.Sprintf("x%d.www.localhost", i), fmt.Sprintf("x%d--www.localhost", i)} {
			get(t, s, "/", "Host: "+host)
		}
	}
	if n := len(s.hosts); n > 20 {
		t.Errorf("%d host names are kept", n)
	}
	for _, host := range []string{"localhost", "LOCALHOST.:80", "127.0.0.1:8080", "[::1]:80"} {
		if r := get(t, s, "/", "Host: "+host); r.StatusCode != 200 {
			t.Errorf("%s: got %d, want 200", host, r.StatusCode)
		}
	}
}

// TestGuardSpellings asks for what is guarded in every way that leads to it or
// might.
func TestGuardSpellings(t *testing.T) {
	s, _ := newSite(t, files{
		"index.html": "open", "secret.html": "SECRET", "secret.html.br": "SECRET", "secret.html.gz.br": "SECRET", "secret.html.br.gz": "SECRET", "club/index.html": "SECRET", "club/a.txt": "SECRET", "club/404.html": "SECRET",
		"page.html": strings.Repeat("open ", 500), "page.html.gz": "→club/a.txt", "page.html.br": "→secret.html", "to": "→club", "deep/to.html": "→../to/a.txt", "404.html": "→club/404.html",
		"_redirects": "/r/* /:splat 200\n/f/* /club/:splat 404\n/q p=:p /:p 200\n/g/* /club/404.html 410\n", "club/_redirects": "SECRET", "club/.hidden": "SECRET",
	})
	s.Guards = []Guard{{Path: "/secret"}, {Path: "/club/"}}
	for i := range s.Guards {
		s.Guards[i].Check = func(context.Context, netip.Addr, string, string) (bool, time.Duration, error) { return false, 0, nil }
	}
	addr := listen(t, &Server{Handler: s})
	secure := listen(t, &Server{Handler: s, TLS: testTLS()})
	clients := map[string]*http.Client{"http://" + addr: h1client(t), "https://" + secure: h2client(t)}
	for _, path := range []string{
		"/secret", "/secret/", "/secret.html", "/secret.html.br", "/secret.html.gz.br", "/secret.html.br.gz", "/secret.html/", "/Secret", "/secret.", "/secret%2ehtml", "/%73ecret", "/secret%00", "/secret%20", "//secret", "/./secret", "/x/../secret", "/secret;x", "/secret.html?x", "/secret%2f", "/SECRET.HTML",
		"/club", "/club/", "/club//", "/club/a.txt", "/club//a.txt", "/club%2fa.txt", "/club%2Fa.txt", "/club%5ca.txt", "/%63lub/a.txt", "/CLUB/a.txt", "/club/nothing", "/club/index", "/club/index.html", "/to", "/to/", "/to/a.txt", "/to/index", "/deep/to", "/deep/to.html",
		"/r/secret", "/r/club/a.txt", "/r//club/a.txt", "/r/../club/a.txt", "/f/a.txt", "/q?p=secret", "/q?p=club/a.txt", "/q?p=/club/a.txt", "/q?p=x/../club/a.txt", "/g/x", "/page", "/page.html", "/page.html.gz", "/page.html.br", "/nothing", "/club/.hidden", "/club/_redirects", "/404", "/404.html", "/club/404",
	} {
		for base, client := range clients {
			for _, fields := range []string{"", "Accept-Encoding: br", "Accept-Encoding: gzip", "If-None-Match: *", "Range: bytes=0-3", "Authorization: Basic YTpi", "Authorization: Bearer x"} {
				r, err := http.NewRequest("GET", base+"/", nil)
				if err != nil {
					t.Fatal(err)
				}
				if r.URL.Opaque = path; strings.HasPrefix(path, "//") {
					r.URL.Opaque, r.URL.Path = "", path
				}
				r.Header.Set("Accept-Encoding", "identity")
				if name, value, ok := strings.Cut(fields, ": "); ok {
					r.Header.Set(name, value)
				}
				client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				res, err := client.Do(r)
				if err != nil {
					t.Fatalf("%s: %v", path, err)
				}
				text, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if strings.Contains(string(text), "SECR") || res.StatusCode == 304 && !strings.HasPrefix(path, "/page") {
					t.Errorf("%s %s %s: got %d %q", res.Proto, path, fields, res.StatusCode, text)
				}
			}
		}
	}
}

// TestManyRangesOfLarge asks for many parts of a file that is not in memory: it is
// not read from its beginning for each.
func TestManyRangesOfLarge(t *testing.T) {
	b := newBranch()
	push(t, b, files{"large.bin": strings.Repeat("0123456789abcdef", 1<<16)})
	s := &Site{Tree: Follow(b), Cache: &Cache{Bytes: 1 << 20}}
	get(t, s, "/large.bin")
	var opened atomic.Int64
	s.current.Load().maxBody = 1 << 10
	rt, _ := s.Cache.routes.load(routeKey{s.current.Load(), "/large.bin"})
	if rt == nil || rt.page.content.open == nil {
		t.Fatal("the file is in memory")
	}
	open := rt.page.content.open
	rt.page.content.open = func() (fs.File, error) { opened.Add(1); return open() }
	r := get(t, s, "/large.bin", "Range: bytes=9-9,19-19,29-29,39-39,49-49,99-99,999999-999999,1000005-")
	n, _ := io.Copy(io.Discard, r.Body)
	if opened.Load() != 1 || r.StatusCode != 206 {
		t.Errorf("got %d: the file was opened %d times for %d bytes", r.StatusCode, opened.Load(), n)
	}
	if r := get(t, s, "/large.bin", "Range: bytes=-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1,-1"); r.StatusCode != 200 {
		t.Errorf("to ranges that go back: got %d, want all of it", r.StatusCode)
	}
}
