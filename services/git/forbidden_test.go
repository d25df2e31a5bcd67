package git

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What is forbidden and what does not exist get the same answer, byte for byte.
func TestForbiddenLooksAbsent(t *testing.T) {
	h := newHidden(t)
	answer := func(user, place, query string) string {
		resp, body := h.send(t, user, http.MethodGet, "/"+place+query, nil, nil)
		resp.Header.Del("Date")
		return fmt.Sprint(resp.StatusCode, resp.Header, body)
	}
	for _, query := range []string{"/info/refs?service=git-upload-pack", "/info/refs?service=git-receive-pack", "/info/refs", "/HEAD", ""} {
		for _, user := range []string{"", "carol"} {
			want := answer(user, "nowhere", query)
			for _, place := range []string{"www", "www.git", "club", "accounts", "config", "secrets", "queue", "all", "dav/alice", "mail/alice", "lists/club", "dav/nobody"} {
				if got := answer(user, place, query); got != want {
					t.Errorf("%q asks for %s%s: got %s, for one that is not there %s", user, place, query, got, want)
				}
			}
			status := map[string]string{"": "401", "carol": "404"}[user]
			if strings.HasPrefix(query, "/info/refs?") && !strings.HasPrefix(want, status) {
				t.Errorf("%q, %s: got %s, want %s", user, query, want, status)
			}
		}
	}
	for _, place := range []string{"www", "accounts", "nowhere"} {
		for _, user := range []string{"", "carol"} {
			want := map[string]int{"": 401, "carol": 404}[user]
			if status, _ := h.fetch2(t, user, place, "want "+h.commit+"\n", "done\n"); status != want {
				t.Errorf("%q posts a fetch to %s: got %d, want %d", user, place, status, want)
			}
			if status, _ := h.push(t, user, place, []string{zero + " " + h.tip + " refs/heads/x"}, nil); status != want {
				t.Errorf("%q posts a push to %s: got %d, want %d", user, place, status, want)
			}
		}
	}
}

// Pushing where one may not.
func TestPushElsewhere(t *testing.T) {
	h := newHidden(t)
	before := allRefs(t, h.kit)
	for _, place := range []string{"www", "club", "accounts", "config", "secrets", "all", "dav/alice", "queue", "nowhere"} {
		wantText(t, h.own.refused("push", h.url("carol", place), "HEAD:refs/heads/main"), "not found")
	}
	wantText(t, h.own.refused("push", h.url("bob", "www"), "HEAD:refs/heads/x"), "403") // he may read it, so he may know
	wantText(t, h.own.refused("push", h.url("", "www"), "HEAD:refs/heads/x"), "could not read Username")
	for name, hash := range before {
		if got := h.real(t, name); got != hash {
			t.Errorf("%s: is at %s, want %s", name, got, hash)
		}
	}
}

func TestGuessingOverHTTP(t *testing.T) {
	k := newKit(t)
	statuses := map[int]int{}
	began := time.Now()
	for i := range 30 {
		resp, _ := k.send(t, "", http.MethodGet, "/www/info/refs?service=git-upload-pack",
			http.Header{"Authorization": {basic("bob", fmt.Sprint("guess ", i))}}, nil)
		statuses[resp.StatusCode]++
		if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	most := 5 // and one more when a wait is over, each of which is twice as long
	for wait, over := time.Second, time.Second; over < time.Since(began); over += wait {
		most++
		wait *= 2
	}
	if statuses[401] < 5 || statuses[401] > most || statuses[401]+statuses[429] != 30 {
		t.Errorf("got %v, want 5 to %d × 401, the rest 429", statuses, most)
	}
	for _, header := range []string{"Basic", "Basic !!!", "Bearer x", "Basic " + strings.Repeat("A", 8000), ":"} {
		resp, _ := k.send(t, "", http.MethodGet, "/www/info/refs?service=git-upload-pack", http.Header{"Authorization": {header}}, nil)
		if resp.StatusCode < 400 || resp.StatusCode >= 500 {
			t.Errorf("Authorization %.20q: got %d, want 4xx", header, resp.StatusCode)
		}
	}
}

const zero = "0000000000000000000000000000000000000000"
