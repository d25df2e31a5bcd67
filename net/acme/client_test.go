package acme

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// An authority that misbehaves: what it answers to requests for the directory,
// for a nonce and for anything else. Its directory has an address that no other
// server has had: acmez remembers.
func misbehaving(t *testing.T, dir func(base string) map[string]string, other http.HandlerFunc) *Manager {
	t.Helper()
	var base string
	directory := "/" + rand.Text()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case directory:
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(dir(base))
		case "/nonce":
			w.Header().Set("Replay-Nonce", "AAAA")
		default:
			other(w, r)
		}
	}))
	t.Cleanup(s.Close)
	base = s.URL
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	m, err := New(t.Context(), Options{
		Net: loopbackNet{}, Directory: base + directory, Roots: roots, Names: []string{"example.org"},
		Storage: &Memory{}, HTTP01: true, Log: testLog(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// trouble runs m until it has failed, and returns how it is then.
func trouble(t *testing.T, m *Manager) Status {
	t.Helper()
	stop := (&lab{t: t}).run(m)
	eventually(t, "trouble", func() bool { return m.Status()[0].Err != nil })
	stop()
	return m.Status()[0]
}

func goodDirectory(base string) map[string]string {
	return map[string]string{"newNonce": base + "/nonce", "newAccount": base + "/account", "newOrder": base + "/order"}
}

// The authority's wish not to be asked is heard.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	m := misbehaving(t, goodDirectory, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.Header().Set("Replay-Nonce", "AAAA")
		w.Header().Set("Retry-After", "36000")
		w.WriteHeader(http.StatusTooManyRequests)
		w.Write([]byte(`{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many","status":429}`))
	})
	s := trouble(t, m)
	if wait := time.Until(s.Next); wait < 9*time.Hour {
		t.Errorf("asks again in %v, want ten hours", wait)
	}
	if e, ok := errors.AsType[*Error](s.Err); !ok || !e.Refused || e.Advice == "" {
		t.Errorf("got %v, want a refusal with advice", s.Err)
	}
}

// An authority cannot fill the memory.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	m := misbehaving(t, goodDirectory, func(w http.ResponseWriter, r *http.Request) {
		chunk := bytes.Repeat([]byte("x"), 1<<16)
		for r.Context().Err() == nil {
			w.Write(chunk)
		}
	})
	if s := trouble(t, m); !errors.Is(s.Err, errTooMuch) {
		t.Errorf("got %v, want errTooMuch", s.Err)
	}
}

// Nothing is sent in the clear, whatever the directory says.
func TestOnlyTLS(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s in the clear", r.Method, r.URL)
	}))
	t.Cleanup(plain.Close)
	m := misbehaving(t, func(base string) map[string]string {
		dir := goodDirectory(base)
		dir["newAccount"] = plain.URL + "/account"
		return dir
	}, http.NotFound)
	trouble(t, m)
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Time{
		"":                              {},
		"soon":                          {},
		"-1":                            {},
		"99999999999999":                {},
		"0":                             now,
		"90":                            now.Add(90 * time.Second),
		"2000000000":                    now.Add(7 * 24 * time.Hour),
		"Fri, 02 Jan 2026 04:00:00 GMT": time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC),
		"Fri, 02 Jan 2099 04:00:00 GMT": now.Add(7 * 24 * time.Hour),
	} {
		if got := retryAfter(value, now); !got.Equal(want) {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

// What fails is tried again ever more seldom, and not before the authority allows.
func TestPace(t *testing.T) {
	refused := &Error{Refused: true, Err: errTooMuch}
	later := &Error{Refused: true, NotBefore: time.Now().Add(24 * time.Hour), Err: errTooMuch}
	for _, c := range []struct {
		n           int
		err         error
		least, most time.Duration
	}{
		{1, errTooMuch, 5 * time.Second, 6 * time.Second},
		{3, errTooMuch, 20 * time.Second, 22 * time.Second},
		{1000, errTooMuch, 10 * time.Minute, 11 * time.Minute},
		{1, refused, time.Minute, 66 * time.Second},
		{3, refused, 9 * time.Minute, 10 * time.Minute},
		{1000, refused, 6 * time.Hour, 7 * time.Hour},
		{1, later, 23 * time.Hour, 24 * time.Hour},
	} {
		if got := defaultPace.after(c.n, c.err); got < c.least || got > c.most {
			t.Errorf("failure %d (%v): got %v, want %v to %v", c.n, c.err, got, c.least, c.most)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "0", "120", "Fri, 02 Jan 2026 04:00:00 GMT", "4294967296"} {
		f.Add(s)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		if got := retryAfter(value, now); got.After(now.Add(7 * 24 * time.Hour)) {
			t.Errorf("%q: got %v", value, got)
		}
	})
}
