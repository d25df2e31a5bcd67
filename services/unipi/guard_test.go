package unipi

import (
	"context"
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestGuards(t *testing.T) {
	s, _ := newSite(t, files{
		"index.html": "open", "members.html": "list", "members.html.gz": "packed list", "members/index.html": "inside", "members/x.txt": "secret", "membership.html": "join",
		"alias": "→members", "way.html": "→members/x.txt", "404.html": "no", "_redirects": "/in/* /members/:splat 200\n/m /members 301\n/gone/* /members/x.txt 404\n",
		"_headers": "/*\n  Cache-Control: public, max-age=3600\n  CDN-Cache-Control: public\n", "members/app.8e2f1a9c.js": "code",
	})
	s.Guards = []Guard{{Path: "/members", Realm: `The "club"`, Check: func(_ context.Context, _ netip.Addr, user, password string) (bool, time.Duration, error) {
		return user == "ann" && password == "ä secret", 0, nil
	}}}
	for _, path := range []string{
		"/members", "/members/", "/members.html", "/members.html.gz", "/members/index.html", "/members/x.txt", "/members/nothing", "/alias/x.txt", "/way", "/way.html", "/alias/", "/in/x.txt", "/gone/x", "/members/app.8e2f1a9c.js", "/members//x.txt",
	} {
		r := get(t, s, path)
		if r.StatusCode == 301 && path == "/members//x.txt" {
			continue // to where it is asked for
		}
		text := body(t, r)
		if r.StatusCode != 401 || r.Header.Get("Www-Authenticate") != `Basic realm="The club", charset="UTF-8"` || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %d %v, want 401", path, r.StatusCode, r.Header)
		}
		for _, word := range []string{"secret", "inside", "packed"} {
			if strings.Contains(text, word) {
				t.Errorf("%s shows %q", path, word)
			}
		}
		r = get(t, s, path, basic("ann", "ä secret"))
		if cc := r.Header.Get("Cache-Control") + r.Header.Get("CDN-Cache-Control"); r.StatusCode == 401 || !strings.Contains(cc, "private") || strings.Contains(cc, "public") {
			t.Errorf("%s with the password: got %d, Cache-Control %q; want private", path, r.StatusCode, cc)
		}
	}
	for _, path := range []string{"/", "/membership", "/nothing", "/m"} {
		if r := get(t, s, path); r.StatusCode == 401 || strings.Contains(r.Header.Get("Cache-Control"), "private") {
			t.Errorf("%s: got %d %q, want it open", path, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
	if r := get(t, s, "/members/x.txt", "If-None-Match: *"); r.StatusCode != 401 {
		t.Errorf("a condition passes the guard: %d", r.StatusCode)
	}
}

func TestGuessing(t *testing.T) {
	s, _ := newSite(t, files{"index.html": "secret"})
	s.Guards = []Guard{{Path: "/", Check: func(_ context.Context, from netip.Addr, _, _ string) (bool, time.Duration, error) {
		if !from.IsValid() {
			t.Error("the guard is not told where the request comes from")
		}
		return false, 1500 * time.Millisecond, nil
	}}}
	r := get(t, s, "/", basic("ann", "guess"))
	if got := r.Header.Get("Retry-After"); r.StatusCode != 429 || got != "2" || strings.Contains(body(t, r), "secret") {
		t.Errorf("after too many guesses: got %d, Retry-After %q; want 429, 2", r.StatusCode, got)
	}
	s.Guards[0].Check = func(context.Context, netip.Addr, string, string) (bool, time.Duration, error) {
		return true, 0, errors.New("accounts cannot be read")
	}
	if r := get(t, s, "/", basic("ann", "guess")); r.StatusCode != 503 {
		t.Errorf("when nobody can be asked: got %d, want 503", r.StatusCode)
	}
}
