package unipi

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestFollower watches when a follower fetches: at once, when woken, every five
// minutes, and after errors with growing pauses.
func TestFollower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var times []time.Duration
		var fail atomic.Bool
		began := time.Now()
		f := NewFollower(func(context.Context) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Since(began))
			if fail.Load() {
				return false, errors.New("remote is away")
			}
			return true, nil
		}, slog.New(slog.DiscardHandler))
		fetched := func() []time.Duration {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(times)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { f.Run(ctx); close(done) }()
		if at := fetched(); len(at) != 1 || at[0] != 0 {
			t.Errorf("fetched at %v, want at once", at)
		}
		time.Sleep(5*time.Minute + time.Second)
		if at := fetched(); len(at) != 2 || at[1] != 5*time.Minute {
			t.Errorf("fetched at %v, want again after five minutes", at)
		}
		for range 100 {
			f.Wake()
		}
		time.Sleep(3 * time.Second)
		if at := fetched(); len(at) != 3 {
			t.Errorf("fetched at %v, want one fetch for a hundred wakes", at)
		}
		fail.Store(true)
		f.Wake()
		time.Sleep(8 * time.Hour)
		retries := fetched()[3:]
		if n := len(retries); n < 15 || n > 30 {
			t.Errorf("fetched %d times in eight hours without success", n)
		}
		for i, pause := 1, time.Duration(0); i < len(retries); i++ {
			gap := retries[i] - retries[i-1]
			if gap > 2*time.Hour || gap < pause/2 {
				t.Errorf("pause %d is %v after %v", i, gap, pause)
			}
			pause = min(gap, 30*time.Minute)
		}
		cancel()
		<-done
	})
}

func TestWebhook(t *testing.T) {
	const report = `{"ref":"refs/heads/main"}`
	sign := func(key, text string) string {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(text))
		return hex.EncodeToString(mac.Sum(nil))
	}
	var woken []string
	h := &Webhook{
		Secret: func(site string) ([]byte, bool) { return []byte("key"), site == "www" },
		Pushed: func(site string) { woken = append(woken, site) },
	}
	for _, c := range []struct {
		name, site, method, header, body string
		status                           int
	}{
		{"GitHub", "www", "POST", "X-Hub-Signature-256: sha256=" + sign("key", report), report, 204},
		{"Gitea", "www", "POST", "X-Gitea-Signature: " + sign("key", report), report, 204},
		{"Forgejo", "www", "POST", "X-Forgejo-Signature: " + sign("key", report), report, 204},
		{"upper case", "www", "POST", "X-Gitea-Signature: " + strings.ToUpper(sign("key", report)), report, 204},
		{"no signature", "www", "POST", "X-A: b", report, 403},
		{"wrong key", "www", "POST", "X-Hub-Signature-256: sha256=" + sign("other", report), report, 403},
		{"changed body", "www", "POST", "X-Hub-Signature-256: sha256=" + sign("key", report), report + " ", 403},
		{"SHA-1", "www", "POST", "X-Hub-Signature: sha1=00", report, 403},
		{"cut short", "www", "POST", "X-Hub-Signature-256: sha256=" + sign("key", report)[:32], report, 403},
		{"unknown site", "other", "POST", "X-Hub-Signature-256: sha256=" + sign("key", report), report, 403},
		{"GET", "www", "GET", "X-Hub-Signature-256: sha256=" + sign("key", ""), "", 405},
		{"too large", "www", "POST", "X-Gitea-Signature: " + sign("key", report), strings.Repeat("x", maxHookBody+1), 413},
	} {
		woken = nil
		r := httptest.NewRequest(c.method, WebhookPath, bytes.NewReader([]byte(c.body)))
		r.SetPathValue("site", c.site)
		name, value, _ := strings.Cut(c.header, ": ")
		r.Header.Set(name, value)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || (len(woken) == 1) != (c.status == http.StatusNoContent) {
			t.Errorf("%s: got %d, woken %v; want %d", c.name, w.Code, woken, c.status)
		}
	}
}
