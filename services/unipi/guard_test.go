package unipi

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestGuards(t *testing.T) {
	s, _ := newSite(t, files{
		"index.html": "open", "members.html": "list", "members.html.gz": "packed list", "members/index.html": "inside", "members/x.txt": "secret", "membership.html": "join",
		"alias": "→members", "way.html": "→members/x.txt", "404.html": "no", "_redirects": "/in/* /members/:splat 200\n/m /members 301\n/gone/* /members/x.txt 404\n",
		"_headers": "/*\n  Cache-Control: public, max-age=3600\n", "members/app.8e2f1a9c.js": "code",
	})
	var asked atomic.Int32
	s.Guards = []Guard{{Path: "/members", Realm: `The "club"`, Attempts: &Attempts{}, Check: func(_ context.Context, user, password string) (bool, error) {
		asked.Add(1)
		return user == "ann" && password == "ä secret", nil
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
		if cc := r.Header.Get("Cache-Control"); r.StatusCode == 401 || !strings.Contains(cc, "private") || strings.Contains(cc, "public") {
			t.Errorf("%s with the password: got %d, Cache-Control %q; want private", path, r.StatusCode, cc)
		}
	}
	for _, path := range []string{"/", "/membership", "/nothing", "/m"} {
		if r := get(t, s, path); r.StatusCode == 401 || strings.Contains(r.Header.Get("Cache-Control"), "private") {
			t.Errorf("%s: got %d %q, want it open", path, r.StatusCode, r.Header.Get("Cache-Control"))
		}
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("the password was checked %d times, want once", got)
	}
	if r := get(t, s, "/members/x.txt", "If-None-Match: *"); r.StatusCode != 401 {
		t.Errorf("a condition passes the guard: %d", r.StatusCode)
	}
}

func TestGuessing(t *testing.T) {
	s, _ := newSite(t, files{"index.html": "secret"})
	users := map[string]string{"ann": "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$" + strings.Repeat("A", 43)}
	check, err := CheckList(users)
	if err != nil {
		t.Fatal(err)
	}
	s.Guards = []Guard{{Path: "/", Attempts: &Attempts{}, Check: check}}
	var last *http.Response
	statuses := map[int]int{}
	for range 15 {
		last = get(t, s, "/", basic("ann", "guess"))
		statuses[last.StatusCode]++
	}
	if statuses[401] != freeAttempts || statuses[429] != 15-freeAttempts || last.Header.Get("Retry-After") == "" {
		t.Errorf("15 guesses: got %v, Retry-After %q; want %d times 401, then 429", statuses, last.Header.Get("Retry-After"), freeAttempts)
	}
}

func TestPasswordHash(t *testing.T) {
	hash := HashPassword("correct horse")
	check, err := CheckList(map[string]string{"ann": hash})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		user, password string
		want           bool
	}{{"ann", "correct horse", true}, {"ann", "wrong", false}, {"bob", "correct horse", false}} {
		if got, err := check(t.Context(), c.user, c.password); got != c.want || err != nil {
			t.Errorf("%s %s: got %v %v, want %v", c.user, c.password, got, err, c.want)
		}
	}
	for _, bad := range []string{"", "plain", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$AAAA", "$argon2id$v=19$m=9999999999,t=1,p=1$c2FsdHNhbHQ$AAAA", "$argon2id$v=19$m=64,t=1$c2FsdHNhbHQ$AAAA", hash[:60]} {
		if _, err := CheckList(map[string]string{"ann": bad}); err == nil {
			t.Errorf("hash %q was accepted", bad)
		}
	}
}
