package unipi

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// FuzzHead checks that a head is never taken for shorter or longer than it is,
// and that what is accepted holds nothing that another reader could read
// differently.
func FuzzHead(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"), 3)
	f.Add([]byte("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), 20)
	f.Fuzz(func(t *testing.T, b []byte, from int) {
		h, err := parseHead(b, 0)
		if err != nil {
			return
		}
		head := b[:h.size]
		if !bytes.HasSuffix(head, []byte("\r\n\r\n")) || bytes.Count(head, []byte("\r\n\r\n")) != 1 || bytes.IndexByte(head, 0) >= 0 {
			t.Fatalf("accepted %q", head)
		}
		if bytes.Count(head, []byte("\n")) != bytes.Count(head, []byte("\r\n")) || bytes.Count(head, []byte("\r")) != bytes.Count(head, []byte("\r\n")) {
			t.Fatalf("accepted a bare CR or LF: %q", head)
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return // net/http is stricter in places
		}
		want := r.ContentLength
		if want != h.length || r.Method != h.method || r.RequestURI != h.target || len(r.TransferEncoding) > 0 != (h.length < 0) {
			t.Fatalf("%q: got %+v, net/http has %d %q %q", head, h, want, r.Method, r.RequestURI)
		}
		if r.URL.Host == "" && r.Host != h.host {
			t.Fatalf("%q: host %q, net/http has %q", head, h.host, r.Host)
		}
	})
}

// FuzzChunks checks that a chunked body ends where net/http says it ends.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\nGET"))
	f.Add([]byte("0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c chunkReader
		n, done, err := c.advance(b)
		if err != nil || !done {
			return
		}
		head := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
		in := bufio.NewReader(strings.NewReader(head + string(b)))
		r, err := http.ReadRequest(in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // net/http is stricter in places
		}
		rest, _ := io.ReadAll(in)
		if len(rest) != len(b)-n {
			t.Fatalf("%q ends at %d, net/http says %d", b, n, len(b)-len(rest))
		}
	})
}

// FuzzHTTP2Blocks compares the header blocks that the server makes with what a
// decoder reads.
func FuzzHTTP2Blocks(f *testing.F) {
	f.Add("Content-Type", "text/html", "X-A", "")
	f.Add("Www-Authenticate", strings.Repeat("é", 200), "Set-Cookie", strings.Repeat("a", 127))
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		for _, name := range []string{a, c} {
			if !isToken(name) || strings.EqualFold(name, "connection") {
				return
			}
		}
		p := &prepared{status: int(binary.BigEndian.Uint16([]byte{0, byte(len(b))}))%400 + 200, head: head{{a, []string{b}}, {c, []string{d, b}}}}
		fields, err := hpack.NewDecoder(0, nil).DecodeFull(p.appendBlock(nil))
		if err != nil {
			t.Fatal(err)
		}
		want := []hpack.HeaderField{{Name: strings.ToLower(a), Value: b}, {Name: strings.ToLower(c), Value: d}, {Name: strings.ToLower(c), Value: b}}
		if len(fields) != 4 || fields[0].Name != ":status" {
			t.Fatalf("got %v, want :status and %v", fields, want)
		}
		for i, w := range want {
			if fields[i+1].Name != w.Name || fields[i+1].Value != w.Value {
				t.Errorf("got %v, want %v", fields[i+1], w)
			}
		}
	})
}
