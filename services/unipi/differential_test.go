package unipi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// judges are two servers over the same content: ours, and net/http as it is.
type judges struct{ ours, plain string }

// A court is judges that soon lose patience with a client, as most connections end so,
// and others to appeal to: on a slow machine the client is late, and gets no answer.
type court []judges

func newCourt(t testing.TB, h http.Handler) court {
	return court{newJudges(t, h, 150*time.Millisecond), newJudges(t, h, 3*time.Second), newJudges(t, h, 30*time.Second)}
}

func newJudges(t testing.TB, h http.Handler, patience time.Duration) judges {
	limits := Limits{Head: patience, Idle: patience, Stall: patience}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadTimeout: patience, IdleTimeout: patience}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return judges{listen(t, &Server{Handler: h, Limits: limits}), l.Addr().String()}
}

// exchange sends raw bytes and returns the answers, until the server hangs up.
func exchange(t testing.TB, addr string, pieces ...string) []string {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patienceOfTests))
	go func() {
		for _, p := range pieces {
			if _, err := io.WriteString(nc, p); err != nil {
				return
			}
		}
	}()
	got, err := io.ReadAll(nc)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatalf("%q: the connection is still open after %q", strings.Join(pieces, ""), got)
	}
	return answers(t, got, strings.Join(pieces, ""))
}

var (
	dateLine = regexp.MustCompile(`(?m)^Date: .*\r\n`)
	dateless = regexp.MustCompile(`^HTTP/1.1 (100|400|417|431|501|505) `) // the server's own
)

// answers parts what came into responses and puts their fields in order.
func answers(t testing.TB, got []byte, asked string) (list []string) {
	t.Helper()
	for len(got) > 0 {
		head, rest, ok := bytes.Cut(got, []byte("\r\n\r\n"))
		if !ok {
			return append(list, "incomplete: "+string(got))
		}
		text := dateLine.ReplaceAllString(string(head)+"\r\n", "")
		if !dateless.MatchString(text) && strings.Count(string(head)+"\r\n", "\r\nDate: ") != 1 {
			t.Errorf("%q: an answer without a Date: %q", asked, text)
		}
		lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
		slices.Sort(lines[1:])
		res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(got)), nil)
		if err != nil {
			return append(list, "unreadable: "+string(got))
		}
		var body []byte
		switch {
		case res.ContentLength == 0 || bytes.HasPrefix(rest, []byte("HTTP/1.")): // to a HEAD
		case res.ContentLength > 0 && int64(len(rest)) >= res.ContentLength:
			body = rest[:res.ContentLength]
		default:
			body = rest
		}
		got = rest[len(body):]
		list = append(list, strings.Join(lines, "\r\n")+"\r\n\r\n"+string(body))
	}
	return list
}

// refusal reports whether an answer is a server's own, to what is no request.
func refusal(answer string) bool {
	for _, status := range []string{"400 Bad Request", "431 Request Header Fields Too Large", "505 HTTP Version Not Supported", "501 Not Implemented", "417 Expectation Failed"} {
		if strings.HasPrefix(answer, "HTTP/1.1 "+status+"\r\n") && strings.Contains(answer, "Connection: close") && !strings.Contains(answer, "text/html") {
			return true
		}
	}
	return false
}

// compare sends the same bytes to both: ours may refuse more, and is silent after;
// what it answers, it answers as net/http does, and it answers as often as is told.
// With least -1 it may be silent where net/http is not.
func (c court) compare(t testing.TB, least int, pieces ...string) {
	t.Helper()
	var wrong string
	for _, j := range c {
		got, fewer, differs := j.compare(t, pieces...)
		if differs == "" && least >= 0 {
			differs = fewer
		}
		if differs == "" && len(got) < least {
			differs = fmt.Sprintf("%.300q: got %d answers, want %d: %.500q", strings.Join(pieces, ""), len(got), least, got)
		}
		if wrong = differs; wrong == "" {
			return
		}
	}
	t.Error(wrong)
}

// compare returns our answers, whether they are too few, and what is wrong with them.
func (j judges) compare(t testing.TB, pieces ...string) (ours []string, fewer, wrong string) {
	t.Helper()
	ours, plain := exchange(t, j.ours, pieces...), exchange(t, j.plain, pieces...)
	asked := strings.Join(pieces, "")
	for i, got := range ours {
		switch {
		case refusal(got) && i == len(ours)-1:
			return ours, "", ""
		case i >= len(plain):
			return ours, "", fmt.Sprintf("%.300q: answer %d is %.300q, net/http has no more", asked, i, got)
		case got != plain[i]:
			return ours, "", fmt.Sprintf("%.300q: answer %d\ngot  %.500q\nwant %.500q", asked, i, got, plain[i])
		}
	}
	if len(ours) < len(plain) && !refusal(plain[len(ours)]) {
		return ours, fmt.Sprintf("%.300q: got %d answers, net/http gives %d, then %.200q", asked, len(ours), len(plain), plain[len(ours)]), ""
	}
	return ours, "", ""
}

const (
	atHost = "Host: localhost\r\n"
	ending = "GET /end HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
)

// oddHeads are requests on which readers disagree, or might.
var oddHeads = []string{
	"GET / HTTP/1.1\r\n" + atHost + "\r\n", "HEAD / HTTP/1.1\r\n" + atHost + "\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n" + atHost + "\r\n",
	"GET / HTTP/1.0\r\n" + atHost + "Connection: keep-alive\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Connection: close\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Connection: Close, x\r\n\r\n",
	"GET / HTTP/1.1\r\n" + atHost + "Connection: keep-alive\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Connection: x\r\nConnection: close\r\n\r\n",
	"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: \r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + atHost + "\r\n",
	"GET / HTTP/1.1\r\nHost: localhost:80 x\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost:/x\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost:80@evil\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost:\"\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: [::1]/\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\xff\r\n\r\n", "GET / HTTP/1.1\r\nHost: LOCALHOST.:8080\r\n\r\n", "GET / HTTP/1.1\r\nhost:localhost\r\n\r\n",
	"GET http://localhost/ HTTP/1.1\r\nHost: evil\r\n\r\n", "GET http://localhost HTTP/1.1\r\n" + atHost + "\r\n", "GET HTTP://LOCALHOST/page HTTP/1.1\r\n" + atHost + "\r\n", "GET http://user@localhost/ HTTP/1.1\r\n" + atHost + "\r\n",
	"GET //localhost/ HTTP/1.1\r\n" + atHost + "\r\n", "GET ///evil.example/ HTTP/1.1\r\n" + atHost + "\r\n", "GET /page?a=b&c HTTP/1.1\r\n" + atHost + "\r\n", "GET /page# HTTP/1.1\r\n" + atHost + "\r\n", "GET ? HTTP/1.1\r\n" + atHost + "\r\n",
	"GET * HTTP/1.1\r\n" + atHost + "\r\n", "OPTIONS * HTTP/1.1\r\n" + atHost + "\r\n", "OPTIONS / HTTP/1.1\r\n" + atHost + "\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "get / HTTP/1.1\r\n" + atHost + "\r\n",
	"GET /%70age HTTP/1.1\r\n" + atHost + "\r\n", "GET /pa%2fge HTTP/1.1\r\n" + atHost + "\r\n", "GET /%zz HTTP/1.1\r\n" + atHost + "\r\n", "GET /\xe4 HTTP/1.1\r\n" + atHost + "\r\n", "GET /a\\b HTTP/1.1\r\n" + atHost + "\r\n", "GET /./page HTTP/1.1\r\n" + atHost + "\r\n",
	"GET /old/x%0d%0aSet-Cookie:%20a HTTP/1.1\r\n" + atHost + "\r\n", "GET /old/a?b=%0d%0a HTTP/1.1\r\n" + atHost + "\r\n", "GET /old/a?b\"<> HTTP/1.1\r\n" + atHost + "\r\n",
	"\r\nGET / HTTP/1.1\r\n" + atHost + "\r\n", "\nGET / HTTP/1.1\r\n" + atHost + "\r\n", "GET / HTTP/1.1\n" + "Host: localhost\n\n", "GET\t/ HTTP/1.1\r\n" + atHost + "\r\n", "GET / HTTP/1.1 \r\n" + atHost + "\r\n", "GET / HTTP/1.2\r\n" + atHost + "\r\n", "GET / http/1.1\r\n" + atHost + "\r\n",
	"GET / HTTP/1.1\r\n" + atHost + "X-A: \x01\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "X-A:\tb\t\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "X-A: \x80\xff\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "X\xc3\xa9: b\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "X-A: a\r\n b\r\n\r\n",
	"GET / HTTP/1.1\r\n" + atHost + "Content-Length: 0\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Content-Length: 00\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Content-Length: -0\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Content-Length:\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Content-Length: 0x0\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Content-Length: 3\r\n\r\nabc",
	"GET / HTTP/1.1\r\n" + atHost + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Transfer-Encoding: identity\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Transfer_Encoding: chunked\r\n\r\n",
	"GET / HTTP/1.1\r\n" + atHost + "Expect: 100-continue\r\n\r\n", "POST / HTTP/1.1\r\n" + atHost + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", "GET / HTTP/1.1\r\n" + atHost + "Expect: x\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
	"GET /page HTTP/1.1\r\n" + atHost + "Range: bytes=0-9\r\n\r\n", "GET /page HTTP/1.1\r\n" + atHost + "Range: bytes=0-9\r\nRange: bytes=5-6\r\n\r\n", "GET /page HTTP/1.1\r\n" + atHost + "If-None-Match: *\r\n\r\n", "GET /page HTTP/1.1\r\n" + atHost + "If-None-Match: \"x\"\r\nIf-None-Match: *\r\n\r\n", "GET /page HTTP/1.1\r\n" + atHost + "Range: bytes=9999999-\r\n\r\n", "HEAD /page HTTP/1.1\r\n" + atHost + "Range: bytes=0-9\r\n\r\n",
	"GET /page HTTP/1.1\r\n" + atHost + "Accept-Encoding: gzip\r\n\r\n", "GET /page HTTP/1.1\r\n" + atHost + "Accept-Encoding: gzip;q=0\r\nAccept-Encoding: br\r\n\r\n", "GET /page HTTP/1.1\r\n" + atHost + "If-Match: \"x\"\r\n\r\n", "GET /big.bin HTTP/1.1\r\n" + atHost + "\r\n", "GET /mid.bin HTTP/1.1\r\n" + atHost + "\r\n",
	"GET / HTTP/1.1\r\n" + atHost + "Trailer: X\r\n\r\n", "GET / HTTP/1.1\r\n" + atHost + strings.Repeat("X-A: b\r\n", 99) + "\r\n", "GET / HTTP/1.1\r\n" + atHost + strings.Repeat("X-A: b\r\n", 100) + "\r\n", "TRACE / HTTP/1.1\r\n" + atHost + "\r\n", "CONNECT localhost:80 HTTP/1.1\r\n" + atHost + "\r\n", "CONNECT / HTTP/1.1\r\n" + atHost + "\r\n", "GET /nothing HTTP/1.1\r\n" + atHost + "\r\n", "PUT / HTTP/1.1\r\n" + atHost + "\r\n",
}

// TestDifferential sends each odd head alone, behind and before others, byte by
// byte, and all that net/http takes in one go.
func TestDifferential(t *testing.T) {
	c := newCourt(t, wireSites(t, nil))
	for i, head := range oddHeads {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			c.compare(t, 0, head, ending)
			c.compare(t, 0, "GET /page HTTP/1.1\r\n"+atHost+"\r\n"+head+ending)
			c.compare(t, 0, "GET / HTTP/1.1\r\n"+atHost+"Connection: x\r\n\r\n"+head+ending)
			if len(head) < 300 {
				c.compare(t, 0, append(strings.Split(head, ""), ending)...)
			}
		})
	}
}

// TestDifferentialBodies sends bodies to a handler that says what it got.
func TestDifferentialBodies(t *testing.T) {
	court := newCourt(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		answer := fmt.Sprintf("%s %q %q %v %v %d %q %v", r.Method, r.RequestURI, r.Host, r.ContentLength, r.TransferEncoding, len(b), b[:min(len(b), 10)], err)
		w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
		_, _ = io.WriteString(w, answer)
	}))
	const post = "POST /x HTTP/1.1\r\n" + atHost
	for i, raw := range []string{
		post + "Content-Length: 5\r\n\r\nhello", post + "Content-Length: 70000\r\n\r\n" + strings.Repeat("GET / HTTP/1.1\r\n", 4375), post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		post + "Transfer-Encoding: Chunked\r\n\r\n05;x=\"y\"\r\nhello\r\n00\r\nX-T: v\r\n\r\n", post + "Transfer-Encoding: chunked\r\n\r\nA\r\n0\r\n\r\nGET /\r\n0\r\n\r\n", post + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		"PUT /x HTTP/1.0\r\n" + atHost + "Content-Length: 2\r\n\r\nab", "DELETE /x HTTP/1.1\r\n" + atHost + "Content-Length: 2\r\n\r\nab", "GET /x HTTP/1.1\r\n" + atHost + "Content-Length: 2\r\n\r\nab", "HEAD /x HTTP/1.1\r\n" + atHost + "\r\n", post + "\r\n",
		post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nz\r\n", 3000) + "0\r\n\r\n", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nTransfer-Encoding: x\r\nHost: evil\r\n\r\n",
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for _, list := range [][]string{{raw, ending}, {raw + raw + ending}, append(strings.SplitAfter(raw, "\n"), ending)} {
				least := 2 // it is accepted
				if strings.Contains(raw, "HTTP/1.0") {
					least = 1
				}
				court.compare(t, least, list...)
			}
		})
	}
	for i, raw := range []string{
		"Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\rhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\r\nX: \n\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n;x\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5;a\nb\r\nhello\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", "Content-Length: 5, 5\r\n\r\nhello", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
	} {
		t.Run("bad "+fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			got := exchange(t, court[0].ours, post+raw+ending)
			for _, answer := range got {
				if strings.Contains(answer, "/end") {
					t.Errorf("%q: what follows a malformed body is taken for a request: %q", raw, got)
				}
			}
		})
	}
}

// TestPipelineOfThousand sends a thousand requests at once.
func TestPipelineOfThousand(t *testing.T) {
	c := newCourt(t, wireSites(t, nil))
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "GET /%s HTTP/1.1\r\n%s%s\r\n", []string{"", "page", "nothing", "old/x"}[i%4], atHost, []string{"", "Connection: x\r\n", "X-A: b\r\n"}[i%3])
	}
	c.compare(t, 1001, b.String()+ending)
}

// TestHalfClosed ends the client's side behind the request: it is answered all the
// same.
func TestHalfClosed(t *testing.T) {
	addr := listen(t, &Server{Handler: wireSites(t, nil)})
	for i := range 200 {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(nc, []string{"GET / HTTP/1.0\r\n", "GET / HTTP/1.1\r\n"}[i%2]+atHost+"\r\n")
		_ = nc.(*net.TCPConn).CloseWrite()
		_ = nc.SetDeadline(time.Now().Add(patienceOfTests))
		got, err := io.ReadAll(nc)
		nc.Close()
		if err != nil || !bytes.HasPrefix(got, []byte("HTTP/1.1 200")) && !bytes.HasPrefix(got, []byte("HTTP/1.0 200")) {
			t.Fatalf("%d: got %.80q, %v; want 200", i, got, err)
		}
	}
}

// FuzzDifferential sends whatever comes to mind.
func FuzzDifferential(f *testing.F) {
	c := newCourt(f, wireSites(f, nil))
	for _, head := range oddHeads {
		if len(head) < 400 {
			f.Add(head)
		}
	}
	f.Add("GET / HTTP/1.1\r\n" + atHost + "\r\nPOST /.cairn/webhook HTTP/1.1\r\n" + atHost + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		if len(raw) > 8<<10 || strings.Contains(raw, "HEAD") || strings.Contains(raw, ",") && strings.Contains(strings.ToLower(raw), "range") {
			return // the boundary between the parts of an answer is random
		}
		c.compare(t, 0, raw+ending)
	})
}

// FuzzDifferentialBodies sends a body that may be anything, and a request behind
// it, to a handler that says what it got: where we see a request, net/http sees
// it too, with the same body.
func FuzzDifferentialBodies(f *testing.F) {
	c := newCourt(f, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		answer := fmt.Sprintf("%s %q %q %v %q", r.Method, r.RequestURI, r.Host, r.ContentLength, b)
		w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
		_, _ = io.WriteString(w, answer)
	}))
	for _, body := range []string{"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", "0\r\n\r\n", "1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "5\r\n0\r\n\r\n\r\n0\r\n\r\n"} {
		f.Add("Transfer-Encoding: chunked\r\n\r\n" + body)
	}
	f.Add("Content-Length: 3\r\n\r\nabc")
	f.Fuzz(func(t *testing.T, rest string) {
		raw := "POST /x HTTP/1.1\r\n" + atHost + rest + ending
		if len(raw) > 4<<10 || strings.Contains(raw, "HEAD") {
			return
		}
		c.compare(t, -1, raw)
	})
}
