package unipi

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// panicSite answers with what breaks.
type panicSite struct{ http.Handler }

func (panicSite) log(*http.Request, *prepared, string, int64) {}
func (panicSite) reply(r *http.Request) (*prepared, string) {
	p := &prepared{status: http.StatusOK, size: 1 << 20}
	p.stream = func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1000))
		if r.URL.Path == "/panic" {
			panic("broken")
		}
		return err // too soon
	}
	if r.URL.Path == "/now" {
		panic("broken")
	}
	return p.seal(), ""
}

// TestBroken answers with streams that are too short or panic: the client
// can tell, the server lives on, and nothing of the connection is left.
func TestBroken(t *testing.T) {
	for _, path := range []string{"/short", "/panic", "/now"} {
		s := &Server{Handler: panicSite{}, TLS: testTLS()}
		base := "https://" + listen(t, s)
		for _, client := range []*http.Client{h2client(t), h1client(t)} {
			res, err := client.Get(base + path)
			if err == nil {
				n, readErr := io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if err = readErr; err == nil {
					t.Errorf("%s: %d bytes of %d are taken for the whole", path, n, res.ContentLength)
				}
			}
			client.CloseIdleConnections()
		}
		ctx, cancel := context.WithTimeout(t.Context(), patienceOfTests)
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("%s: a connection is left: %v", path, err)
		}
		cancel()
	}
}

// TestNoLeaks aborts many connections and streams at every point: no goroutine
// and no connection stays.
func TestNoLeaks(t *testing.T) {
	limits := Limits{Handshake: patienceOfTests, Head: 20 * time.Second, Idle: 20 * time.Second, Stall: 20 * time.Second}
	secure := &Server{Handler: hookSites(t), TLS: testTLS(), Limits: limits}
	plain := &Server{Handler: hookSites(t), Limits: limits}
	secureAddr, plainAddr := listen(t, secure), listen(t, plain)
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 50 {
				p := newPeer(t, secureAddr)
				for id := uint32(1); id < uint32(2+2*(i%20)); id += 2 {
					_ = p.getBig(id)
					if worker == 1 {
						_ = p.WriteRSTStream(id, http2.ErrCodeCancel)
					}
				}
				if worker == 2 {
					_ = p.post(99, WebhookPath)
				}
				p.c.NetConn().Close()
				nc, err := net.Dial("tcp", plainAddr)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(nc, []string{"", "GET / HT", strings.Repeat("GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n", 5), "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"}[i%4])
				nc.Close()
			}
		})
	}
	wg.Wait()
	left := func() (n int) {
		secure.h2.mu.Lock()
		n = len(secure.h2.open)
		secure.h2.mu.Unlock()
		plain.h1.mu.Lock()
		defer plain.h1.mu.Unlock()
		return n + len(plain.h1.set)
	}
	if !poll(patienceOfTests, func() bool { return left() == 0 && runtime.NumGoroutine() <= before+5 }) {
		t.Errorf("%d connections are left, and %d goroutines where there were %d", left(), runtime.NumGoroutine(), before)
	}
}

func h1client(t testing.TB) *http.Client {
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}
