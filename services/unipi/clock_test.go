package unipi

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// patienceOfTests is how long what must happen may take, on the slowest machine.
const patienceOfTests = 2 * time.Minute

// withClocks runs a test whose server has short clocks. Where the machine stands still
// for longer, the client is late and gets what is due to it; so what goes wrong is
// tried again with longer ones. A server that is at fault fails with all of them.
func withClocks(t *testing.T, test func(clock time.Duration) error) {
	t.Helper()
	for _, clock := range []time.Duration{300 * time.Millisecond, 3 * time.Second, 30 * time.Second} {
		err := test(clock)
		if err == nil {
			return
		}
		t.Logf("with a clock of %v: %v", clock, err)
	}
	t.Fail()
}

// TestSlowClients checks each clock: a head that trickles, an idle connection,
// a reader who does not read, a body that stops, a handshake that does not come.
func TestSlowClients(t *testing.T) {
	limits := Limits{Handshake: 200 * time.Millisecond, Head: 200 * time.Millisecond, Idle: 400 * time.Millisecond, Stall: 300 * time.Millisecond}
	plain := listen(t, &Server{Handler: wireSites(t, nil), Limits: limits})
	secure := listen(t, &Server{Handler: wireSites(t, nil), Limits: limits, TLS: testTLS()})
	general := listen(t, &Server{Limits: limits, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			t.Error("a body that stopped was read to its end")
		}
	})})
	for _, c := range []struct {
		name, addr, send string
		trickle          bool
	}{
		{"trickled head", plain, "GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ", true},
		{"half a head", plain, "GET / HTTP/1.1\r\n", false},
		{"idle", plain, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", false},
		{"nothing", plain, "", false},
		{"no reader", plain, strings.Repeat("GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n", 20), false},
		{"no handshake", secure, "", false},
		{"stopped body", general, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc", false},
		{"stopped chunks", general, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			nc, err := net.Dial("tcp", c.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			_, _ = io.WriteString(nc, c.send)
			began := time.Now()
			if c.name == "no reader" {
				waitForEnd(t, nc)
				return
			}
			if c.trickle {
				go func() {
					for range time.Tick(50 * time.Millisecond) {
						if _, err := nc.Write([]byte("x")); err != nil {
							return
						}
					}
				}()
			}
			_ = nc.SetReadDeadline(time.Now().Add(patienceOfTests))
			if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("still open after %v", time.Since(began))
			}
		})
	}
}

// waitForEnd writes until the server has cut the connection, and reads nothing.
func waitForEnd(t *testing.T, nc net.Conn) {
	deadline := time.Now().Add(patienceOfTests)
	for {
		_ = nc.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := nc.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
		var timeout net.Error
		if err != nil && !(errors.As(err, &timeout) && timeout.Timeout()) {
			return
		}
		if time.Now().After(deadline) {
			t.Error("a client who does not read is served for ever")
			return
		}
	}
}

// TestShutdown stops a server while it sends: the file arrives whole, and idle
// connections do not hold it up.
func TestShutdown(t *testing.T) {
	for _, config := range []*tls.Config{nil, testTLS()} {
		sites := wireSites(t, nil)
		push(t, sites.Repo.Branch("site/www/main"), files{"huge.bin": strings.Repeat("0123456789abcdef", 1<<19)})
		s := &Server{Handler: sites, TLS: config}
		addr := strings.Replace(listen(t, s), "127.0.0.1", "localhost", 1)
		scheme, client := "http://", &http.Client{Transport: &http.Transport{}}
		if config != nil {
			scheme, client = "https://", h2client(t)
		}
		idle, err := client.Get(scheme + addr + "/nothing")
		if err != nil {
			t.Fatal(err)
		}
		body(t, idle)
		r, err := client.Get(scheme + addr + "/huge.bin")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		if got := body(t, r); len(got) != 8<<20 {
			t.Errorf("encrypted %v: got %d bytes, want %d", config != nil, len(got), 8<<20)
		}
		if err := <-done; err != nil {
			t.Errorf("Shutdown (encrypted %v): %v", config != nil, err)
		}
		client.CloseIdleConnections()
	}
}
