package acme

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A renewal disturbs neither who is connected nor who connects.
func TestRenewal(t *testing.T) {
	t.Parallel()
	l := newLab(t, 9*time.Second)
	m := l.manager(nil)
	l.run(m)
	l.await(m)
	stays := dial(t, l)
	first := l.leaf("example.org", l.pebble.roots())
	eventually(t, "another certificate", func() bool {
		stays.request()
		return !l.leaf("example.org", l.pebble.roots()).Equal(first)
	})
	stays.request()
}

// A client is one that keeps its connection.
type client struct {
	t    testing.TB
	conn *tls.Conn
	r    *bufio.Reader
}

func dial(t testing.TB, l *lab) *client {
	t.Helper()
	conn, err := tls.Dial("tcp", l.secure.Addr().String(), &tls.Config{ServerName: "example.org", InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) request() {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"); err != nil {
		c.t.Fatal(err)
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "hello" || err != nil {
		c.t.Fatalf("got %q, %v, want %q", body, err, "hello")
	}
}

// The authority may want a certificate to be renewed long before its time, and
// is told which one is replaced.
func TestSuggestion(t *testing.T) {
	t.Parallel()
	l := newLab(t, 90*days)
	m := l.manager(nil)
	l.run(m)
	l.await(m)
	old := l.leaf("example.org", l.pebble.roots())
	now := time.Now()
	l.pebble.suggest(old, now.Add(-2*time.Hour), now.Add(-time.Hour))
	eventually(t, "another certificate", func() bool {
		askNow(t, m)
		return !l.leaf("example.org", l.pebble.roots()).Equal(old)
	})
	if !strings.Contains(l.pebble.log.String(), "is a replacement of") {
		t.Error("the authority was not told which certificate is replaced")
	}
}

// askNow has m believe that it is time to ask when to renew example.org, unless m
// looks at it just now.
func askNow(t testing.TB, m *Manager) {
	t.Helper()
	cert, err := loadCertificate(t.Context(), m.opts.Storage, m.folder("example.org"))
	if err != nil || cert.meta.RenewalInfo == nil {
		t.Fatalf("no suggestion in %+v, %v", cert, err)
	}
	past := time.Now().Add(-time.Minute)
	cert.meta.RenewalInfo.RetryAfter = &past
	if err := m.keepSuggestion(t.Context(), "example.org", cert); err != nil {
		t.Fatal(err)
	}
	m.change("example.org", func(s *site) { s.cert = cert })
}

// An authority that is away is asked until it is back.
func TestAway(t *testing.T) {
	t.Parallel()
	l := newLab(t, 90*days)
	l.pebble.stop()
	m := l.manager(nil)
	l.run(m)
	eventually(t, "trouble", func() bool { return m.Status()[0].Err != nil })
	if e, ok := errors.AsType[*Error](m.Status()[0].Err); !ok || e.Refused || e.Advice == "" {
		t.Errorf("got %v, want advice", m.Status()[0].Err)
	}
	l.pebble.start()
	l.await(m)
	eventually(t, "no trouble", func() bool { return m.Status()[0].Err == nil })
}

// An authority that has forgotten our account, and our certificate, is told again.
func TestForgotten(t *testing.T) {
	t.Parallel()
	l := newLab(t, 9*time.Second)
	m := l.manager(nil)
	l.run(m)
	l.await(m)
	old := l.leaf("example.org", l.pebble.roots())
	l.pebble.stop()
	l.pebble.start()
	roots := l.pebble.roots()
	eventually(t, "a certificate of the authority that has begun anew", func() bool {
		now, err := l.tryLeaf("example.org", roots)
		return err == nil && !now.Equal(old)
	})
}
