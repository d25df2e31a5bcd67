package unipi

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/mem"
)

// listen serves h on loopback and returns its address.
func listen(t testing.TB, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return l.Addr().String()
}

// wireSites is a site at loopback names, with the usual pages.
func wireSites(t testing.TB, log io.Writer) *Sites {
	t.Helper()
	repo := store.New(mem.New(), store.Options{})
	push(t, repo.Branch("site/www/main"), files{
		"index.html": "home", "big.bin": strings.Repeat("0123456789abcdef", 1<<17), "mid.bin": strings.Repeat("x", 100<<10), "page.html": strings.Repeat("<p>text", 1000),
		"_redirects": "/old/* /new/:splat 302\n",
	})
	s := &Sites{Repo: repo, Loopback: true, Default: "www"}
	if log != nil {
		s.Access = &AccessLog{W: log}
	}
	s.Set([]SiteConfig{{Name: "www"}})
	return s
}

var testTLS = sync.OnceValue(func() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}}
})

// talk sends raw bytes and reads responses until the server closes or the last
// of want responses has come. It waits for the server to close after that, if it should.
func talk(t *testing.T, c net.Conn, raw string, want int, closes bool) (statuses []int, bodies []string, closed bool) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(patienceOfTests))
	go io.WriteString(c, raw)
	in := bufio.NewReader(c)
	for len(statuses) < want {
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			return statuses, bodies, true
		}
		b, err := io.ReadAll(r.Body)
		statuses, bodies = append(statuses, r.StatusCode), append(bodies, string(b))
		if err != nil || r.Close {
			break
		}
	}
	if !closes {
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	}
	_, err := in.ReadByte()
	return statuses, bodies, err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestStrictHeads speaks to the server in ways that net/http would let pass, in
// the clear and encrypted.
func TestStrictHeads(t *testing.T) {
	plain := listen(t, &Server{Handler: wireSites(t, nil)})
	secure := listen(t, &Server{Handler: wireSites(t, nil), TLS: testTLS()})
	const host = "Host: localhost\r\n"
	for _, c := range []struct {
		name, raw string
		status    int
		closed    bool
	}{
		{"plain", "GET / HTTP/1.1\r\n" + host + "\r\n", 200, false},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n" + host + "\r\n", 200, true},
		{"close", "GET / HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", 200, true},
		{"length and coding", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true},
		{"coding and length", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, true},
		{"two lengths", "GET / HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400, true},
		{"length list", "GET / HTTP/1.1\r\n" + host + "Content-Length: 0, 0\r\n\r\n", 400, true},
		{"signed length", "GET / HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\nhello", 400, true},
		{"huge length", "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\n", 400, true},
		{"other coding", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400, true},
		{"two codings", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, true},
		{"coding in 1.0", "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true},
		{"empty name", "GET / HTTP/1.1\r\n" + host + ": x\r\n\r\n", 400, true},
		{"space before colon", "GET / HTTP/1.1\r\n" + host + "X-A : x\r\n\r\n", 400, true},
		{"folded line", "GET / HTTP/1.1\r\n" + host + "X-A: a\r\n b\r\n\r\n", 400, true},
		{"space before first field", "GET / HTTP/1.1\r\n X-A: a\r\n" + host + "\r\n", 400, true},
		{"bare LF", "GET / HTTP/1.1\n" + "Host: localhost\n\n", 400, true},
		{"LF in a line", "GET / HTTP/1.1\r\n" + host + "X-A: a\nX-B: b\r\n\r\n", 400, true},
		{"bare CR", "GET / HTTP/1.1\r\n" + host + "X-A: a\rX-B: b\r\n\r\n", 400, true},
		{"NUL", "GET / HTTP/1.1\r\n" + host + "X-A: \x00\r\n\r\n", 400, true},
		{"no colon", "GET / HTTP/1.1\r\n" + host + "nonsense\r\n\r\n", 400, true},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", 400, true},
		{"two Hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400, true},
		{"unknown Host", "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, false},
		{"two spaces", "GET  / HTTP/1.1\r\n" + host + "\r\n", 400, true},
		{"HTTP/2 in the clear", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, true},
		{"HTTP/0.9", "GET /\r\n\r\n", 400, true},
		{"many fields", "GET / HTTP/1.1\r\n" + host + strings.Repeat("X-A: b\r\n", 101) + "\r\n", 431, true},
		{"long field", "GET / HTTP/1.1\r\n" + host + "X-A: " + strings.Repeat("b", 20000) + "\r\n\r\n", 431, true},
		{"endless field", "GET / HTTP/1.1\r\n" + host + "X-A: " + strings.Repeat("b", 400000), 431, true},
		{"long target", "GET /" + strings.Repeat("b", 6000) + " HTTP/1.1\r\n" + host + "\r\n", 414, false},
		{"absolute target", "GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200, false},
		{"absolute target elsewhere", "GET http://evil.example/ HTTP/1.1\r\n" + host + "\r\n", 421, false},
		{"other scheme", "GET ftp://localhost/ HTTP/1.1\r\n" + host + "\r\n", 421, false},
		{"authority target", "CONNECT localhost:80 HTTP/1.1\r\n" + host + "\r\n", 421, false},
		{"relative target", "GET index.html HTTP/1.1\r\n" + host + "\r\n", 400, true},
		{"NUL in the target", "GET /%00 HTTP/1.1\r\n" + host + "\r\n", 400, false},
		{"climbing target", "GET /../../etc/passwd HTTP/1.1\r\n" + host + "\r\n", 400, false},
		{"body on GET", "GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello", 400, true},
		{"chunked body on GET", "GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 400, true},
		{"POST", "POST / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello", 405, true},
		{"TRACE", "TRACE / HTTP/1.1\r\n" + host + "\r\n", 405, false},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 200, false},
	} {
		for _, secured := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, encrypted %v", c.name, secured), func(t *testing.T) {
				t.Parallel()
				nc, err := net.Dial("tcp", plain)
				if secured {
					nc, err = tls.Dial("tcp", secure, &tls.Config{InsecureSkipVerify: true})
				}
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				statuses, _, closed := talk(t, nc, c.raw, 1, c.closed)
				if len(statuses) != 1 || statuses[0] != c.status || closed != c.closed {
					t.Errorf("got %v, closed %v; want %d, closed %v", statuses, closed, c.status, c.closed)
				}
			})
		}
	}
}

// TestBodies sends bodies to a handler that reads them: each request ends where
// it should, and what is malformed ends the connection.
func TestBodies(t *testing.T) {
	const host = "Host: localhost\r\n"
	general := listen(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %d", r.URL.Path, len(b))
	})})
	big := strings.Repeat("z", 70000)
	chunked := "POST /chunked HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(big), big) + "0\r\nX-T: v\r\n\r\n"
	length := "POST /length HTTP/1.1\r\n" + host + "Content-Length: 70000\r\n\r\n" + big
	get := "GET /get HTTP/1.1\r\n" + host + "\r\n"
	for _, c := range []struct {
		name, raw string
		want      []string
		closed    bool
	}{
		{"chunked, then more", chunked + get + length + get, []string{"/chunked 70005", "/get 0", "/length 70000", "/get 0"}, false},
		{"long extension", "POST /x HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5;" + strings.Repeat("e", 300) + "\r\nhello\r\n0\r\n\r\n" + get, nil, true},
		{"bare LF in chunk", "POST /x HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n" + get, nil, true},
		{"huge chunk", "POST /x HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + get, nil, true},
		{"bad head behind a good one", get + "GET / HTTP/1.1\r\n" + host + ": x\r\n\r\n" + get, []string{"/get 0"}, true},
	} {
		nc, err := net.Dial("tcp", general)
		if err != nil {
			t.Fatal(err)
		}
		answers := len(c.want)
		if c.closed {
			answers += 5
		}
		statuses, bodies, closed := talk(t, nc, c.raw, answers, c.closed)
		nc.Close()
		var got []string
		for i, b := range bodies {
			if statuses[i] == 200 && b != "/x 0" && b != "/x 5" { // how far a handler got before the body broke is its business
				got = append(got, b)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) || closed != c.closed && c.closed {
			t.Errorf("%s: got %q %v, closed %v; want %q, closed %v", c.name, bodies, statuses, closed, c.want, c.closed)
		}
	}
}

// TestPipeline sends requests of all kinds in one packet: the answers come in
// their order, whoever gives them.
func TestPipeline(t *testing.T) {
	addr := listen(t, &Server{Handler: wireSites(t, nil)})
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	one := "GET / HTTP/1.1\r\nHost: localhost\r\n"
	raw := strings.Repeat(one+"\r\n"+one+"Connection: keep-alive, x\r\n\r\n"+one+"Upgrade: y\r\n\r\nGET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\nGET /mid.bin HTTP/1.1\r\nHost: localhost\r\n\r\n", 20)
	statuses, bodies, _ := talk(t, nc, raw, 100, false)
	if len(statuses) != 100 {
		t.Fatalf("got %d answers, want 100", len(statuses))
	}
	for i, status := range statuses {
		want := []int{200, 200, 200, 404, 200}[i%5]
		if status != want || i%5 == 4 && len(bodies[i]) != 100<<10 {
			t.Errorf("answer %d: got %d with %d bytes, want %d", i, status, len(bodies[i]), want)
		}
	}
}

func TestAccessLog(t *testing.T) {
	var out bytes.Buffer
	s := wireSites(t, &out)
	addr := listen(t, &Server{Handler: s})
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	raw := "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a \"quoted\" agent\\\r\nReferer: http://r/\r\n\r\n" +
		"HEAD /page HTTP/1.1\r\nHost: localhost\r\n\r\n" +
		"GET /old/%0a%22x HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \x1b[31m\xff\r\n\r\n"
	raw = strings.ReplaceAll(raw, "\x1b", "\t")
	go io.WriteString(nc, raw)
	in := bufio.NewReader(nc)
	for _, method := range []string{"GET", "HEAD", "GET"} {
		r, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		body(t, r)
	}
	var lines []string
	for deadline := time.Now().Add(patienceOfTests); len(lines) < 3 && time.Now().Before(deadline); runtime.Gosched() {
		s.Access.Flush() // a line is recorded when its answer has gone out
		s.Access.mu.Lock()
		lines = strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		s.Access.mu.Unlock()
	}
	stamp := time.Now().Format("02/Jan/2006:15:")
	for i, want := range []string{
		`"GET / HTTP/1.1" 200 4 "http://r/" "a \x22quoted\x22 agent\x5c"`,
		`"HEAD /page HTTP/1.1" 200 0 "-" "-"`,
		`"GET /old/%0a%22x HTTP/1.1" 400 `,
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], "127.0.0.1 - - ["+stamp) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d: got %q, want it to hold %q", i, lines, want)
		}
	}
	if len(lines) != 3 || !strings.HasSuffix(lines[2], `"\x09[31m\xff"`) && !strings.HasSuffix(lines[2], `"[31m\xff"`) {
		t.Errorf("got lines %q", lines)
	}
}
