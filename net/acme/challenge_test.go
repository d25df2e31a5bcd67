package acme

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mholt/acmez/v3/acme"
)

// presented returns a Manager for example.org with a replica that has an open
// challenge of a kind.
func presented(t testing.TB, kind string) (m *Manager, ch acme.Challenge) {
	t.Helper()
	opts := Options{Names: []string{"example.org"}, Storage: &Memory{}, HTTP01: true, TLSALPN01: true, Log: slog.New(slog.DiscardHandler)}
	m, err1 := New(t.Context(), opts)
	replica, err2 := New(t.Context(), opts)
	ch = challengeFor("example.org", "token")
	ch.Type = kind
	if err := errors.Join(err1, err2, replica.challenges.Present(t.Context(), ch)); err != nil {
		t.Fatal(err)
	}
	return m, ch
}

// ask asks the server on port 80 and returns its answer; next answers 418.
func ask(m *Manager, method, host, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://x/", nil)
	r.Host, r.URL.Path = host, path
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })).ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	m, ch := presented(t, acme.ChallengeTypeHTTP01)
	for _, c := range []struct {
		method, host, path string
		want               int
	}{
		{"GET", "example.org", tokens + "token", 200},
		{"GET", "Example.ORG:80", tokens + "token", 200},
		{"HEAD", "example.org.", tokens + "token", 200},
		{"GET", "example.org", tokens + "another", 404},
		{"GET", "example.org", tokens, 404},
		{"GET", "www.example.org", tokens + "token", 418},
		{"GET", "", tokens + "token", 418},
		{"POST", "example.org", tokens + "token", 418},
		{"GET", "example.org", "/", 418},
	} {
		w := ask(m, c.method, c.host, c.path)
		if w.Code != c.want || w.Code == 200 && w.Body.String() != ch.KeyAuthorization {
			t.Errorf("%s %s%s: got %d %q, want %d", c.method, c.host, c.path, w.Code, w.Body, c.want)
		}
	}
	other := ch
	other.Token = "older"
	if err := m.challenges.CleanUp(t.Context(), other); err != nil {
		t.Error(err)
	}
	if w := ask(m, "GET", "example.org", tokens+"token"); w.Code != 200 {
		t.Errorf("after an older challenge was cleaned up: got %d, want 200", w.Code)
	}
	if err := m.challenges.CleanUp(t.Context(), ch); err != nil {
		t.Error(err)
	}
	if w := ask(m, "GET", "example.org", tokens+"token"); w.Code != 404 {
		t.Errorf("after it was cleaned up: got %d, want 404", w.Code)
	}
}

// Strangers get no answer to what was not asked.
func TestAnswer(t *testing.T) {
	m, _ := presented(t, acme.ChallengeTypeTLSALPN01)
	cert, err := m.answer(t.Context(), "example.org")
	if err != nil || len(cert.Certificate) != 1 {
		t.Errorf("got %v, %v, want the challenge's certificate", cert, err)
	}
	for _, name := range []string{"", "www.example.org", "../account/x", strings.Repeat("x", 1000)} {
		if _, err := m.answer(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%.20q: got %v, want fs.ErrNotExist", name, err)
		}
	}
	m, _ = presented(t, acme.ChallengeTypeHTTP01)
	if _, err := m.answer(t.Context(), "example.org"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a challenge of another kind: got %v, want fs.ErrNotExist", err)
	}
}

func FuzzHandler(f *testing.F) {
	m, ch := presented(f, acme.ChallengeTypeHTTP01)
	f.Add("GET", "example.org", tokens+"token")
	f.Add("HEAD", "example.org:", tokens+"../token")
	f.Add("GET", "[::1]:80", "/")
	f.Fuzz(func(t *testing.T, method, host, path string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "http://x/", nil)
		r.Method, r.Host, r.URL.Path = method, host, path
		m.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
		if w.Body.String() == ch.KeyAuthorization && (path != tokens+"token" || hostname(host) != "example.org") {
			t.Errorf("%s %q %q is answered", method, host, path)
		}
	})
}
