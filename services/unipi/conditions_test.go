package unipi

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/mem"
)

func TestConditions(t *testing.T) {
	page := strings.Repeat("<p>text", 1000)
	s, b := newSite(t, files{"index.html": page})
	tree, err := b.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entry, err := tree.Lookup("index.html")
	if err != nil {
		t.Fatal(err)
	}
	tag := `"` + entry.Hash.String() + `"`
	first := get(t, s, "/")
	if got := first.Header.Get("Etag"); got != tag {
		t.Errorf("ETag is %s, want the blob's hash %s", got, tag)
	}
	modified := first.Header.Get("Last-Modified")
	if modified == "" {
		t.Error("no Last-Modified")
	}
	coded := tag[:41] + `-gz"`
	for _, c := range []struct {
		header string
		status int
		etag   string
	}{
		{"If-None-Match: " + tag, 304, tag},
		{"If-None-Match: " + coded, 304, coded}, // the client has it compressed
		{`If-None-Match: "other", W/` + tag, 304, tag},
		{"If-None-Match: *", 304, tag},
		{`If-None-Match: "other"`, 200, tag},
		{"If-Modified-Since: " + modified, 304, tag},
		{"If-Match: " + tag, 200, tag},
		{`If-Match: "other"`, 412, ""},
		{"If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT", 412, ""},
	} {
		r := get(t, s, "/", c.header)
		if r.StatusCode != c.status || r.Header.Get("Etag") != c.etag {
			t.Errorf("%s: got %d %s, want %d %s", c.header, r.StatusCode, r.Header.Get("Etag"), c.status, c.etag)
		}
		if text := body(t, r); c.status == 304 && (text != "" || r.Header.Get("Cache-Control") == "" || r.Header.Get("Vary") == "" || r.Header.Get("Content-Type") != "") {
			t.Errorf("%s: 304 with body %q, header %v", c.header, text, r.Header)
		}
	}
	gz := get(t, s, "/", "Accept-Encoding: gzip")
	if got := gz.Header.Get("Etag"); got != coded {
		t.Errorf("ETag of gzip is %s, want %s", got, coded)
	}
	if r := get(t, s, "/", "Accept-Encoding: gzip", "If-None-Match: "+coded); r.StatusCode != 304 || r.Header.Get("Etag") != coded {
		t.Errorf("gzip revalidated: got %d %s", r.StatusCode, r.Header.Get("Etag"))
	}
	push(t, b, files{"index.html": page + "!"})
	if r := get(t, s, "/", "If-None-Match: "+tag); r.StatusCode != 200 {
		t.Errorf("after a push: got %d, want 200", r.StatusCode)
	}
}

// TestRollbackDate moves a branch to a commit with an older date: what a
// client got meanwhile, though newer, must not count as current.
func TestRollbackDate(t *testing.T) {
	now := time.Now()
	repo := store.New(mem.New(), store.Options{Now: func() time.Time { return now }})
	var trees []*store.Tree
	for i := range 2 {
		now = now.Add(-time.Hour)
		trees = append(trees, push(t, repo.Branch(fmt.Sprint("b", i)), files{"index.html": fmt.Sprint(i)}))
	}
	current := trees[0]
	s := &Site{Tree: func(context.Context) (*store.Tree, error) { return current, nil }}
	modified := get(t, s, "/").Header.Get("Last-Modified")
	current = trees[1]
	if r := get(t, s, "/", "If-Modified-Since: "+modified); r.StatusCode != 200 || body(t, r) != "1" {
		t.Errorf("after going back: got %d, want 200", r.StatusCode)
	}
}

func TestRanges(t *testing.T) {
	for _, size := range []string{"in memory", "streamed"} {
		content := strings.Repeat("0123456789", 1000)
		s, _ := newSite(t, files{"a.bin": content, "a.txt": content})
		if size == "streamed" {
			s.Cache = &Cache{Bytes: 32 << 10} // files above 1 KiB are not kept
		}
		whole := get(t, s, "/a.bin")
		tag, modified := whole.Header.Get("Etag"), whole.Header.Get("Last-Modified")
		if got := body(t, whole); got != content || whole.Header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%s: got %d bytes, want %d", size, len(got), len(content))
		}
		for _, c := range []struct {
			headers string
			status  int
			rng     string
			want    string
		}{
			{"Range: bytes=2-5", 206, "bytes 2-5/10000", "2345"},
			{"Range: bytes=-3", 206, "bytes 9997-9999/10000", "789"},
			{"Range: bytes=9999-", 206, "bytes 9999-9999/10000", "9"},
			{"Range: bytes=10000-", 416, "bytes */10000", ""},
			{"Range: bytes=x", 200, "", content},
			{"Range: bytes=2-5\nIf-Range: " + tag, 206, "bytes 2-5/10000", "2345"},
			{"Range: bytes=2-5\nIf-Range: " + modified, 206, "bytes 2-5/10000", "2345"},
			{"Range: bytes=2-5\nIf-Range: W/" + tag, 200, "", content},
			{"Range: bytes=2-5\nIf-Range: \"other\"", 200, "", content},
			{"Range: bytes=2-5\nIf-Range: Sat, 01 Jan 2000 00:00:00 GMT", 200, "", content},
			{"Range: bytes=2-5\nIf-None-Match: " + tag, 304, "", ""},
			{"Range: bytes=2-5\nAccept-Encoding: gzip", 206, "bytes 2-5/10000", "2345"},
		} {
			r := get(t, s, "/a.bin", strings.Split(c.headers, "\n")...)
			got := body(t, r)
			if r.StatusCode != c.status || r.Header.Get("Content-Range") != c.rng || c.status != 416 && got != c.want {
				t.Errorf("%s: %q: got %d %q %.20q, want %d %q %.20q", size, c.headers, r.StatusCode, r.Header.Get("Content-Range"), got, c.status, c.rng, c.want)
			}
			if want := fmt.Sprint(len(got)); c.status != 304 && r.Header.Get("Content-Length") != want {
				t.Errorf("%s: %q: Content-Length %s, want %s", size, c.headers, r.Header.Get("Content-Length"), want)
			}
		}
		if r := do(t, s, "HEAD", "/a.bin", "Range: bytes=2-5"); r.StatusCode != 200 {
			t.Errorf("%s: HEAD with Range: got %d, want 200", size, r.StatusCode)
		}
		r := get(t, s, "/a.txt", "Range: bytes=0-1,5-6,-2")
		mediatype, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || mediatype != "multipart/byteranges" || r.StatusCode != 206 {
			t.Fatalf("%s: got %d %s %v", size, r.StatusCode, r.Header.Get("Content-Type"), err)
		}
		whole206 := body(t, r)
		if want := fmt.Sprint(len(whole206)); r.Header.Get("Content-Length") != want {
			t.Errorf("%s: multipart Content-Length %s, want %s", size, r.Header.Get("Content-Length"), want)
		}
		parts := multipart.NewReader(strings.NewReader(whole206), params["boundary"])
		for _, want := range []string{"01 bytes 0-1/10000", "56 bytes 5-6/10000", "89 bytes 9998-9999/10000"} {
			p, err := parts.NextPart()
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(p)
			if got := string(b) + " " + p.Header.Get("Content-Range"); got != want || p.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s: part %q %v, want %q", size, got, p.Header, want)
			}
		}
	}
}
