package unipi

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"cairn/store/object"

	br "github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func decode(t *testing.T, r *http.Response) string {
	t.Helper()
	b := body(t, r)
	var in io.Reader = strings.NewReader(b)
	var err error
	switch r.Header.Get("Content-Encoding") {
	case "br":
		in = br.NewReader(in)
	case "gzip":
		in, err = gzip.NewReader(in)
	case "zstd":
		in, err = zstd.NewReader(in)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestCodings(t *testing.T) {
	text := strings.Repeat("compress me ", 500)
	random := string(bytes.Repeat([]byte{0x89, 0x1f}, 3000))
	s, _ := newSite(t, files{
		"a.html": text, "small.html": "tiny", "photo.jpg": random,
		"pre.css": text, "pre.css.br": "sibling br", "pre.css.gz": "sibling gz", "pre.css.zst": "sibling zst",
	})
	for _, c := range []struct{ path, accept, coding, content, vary string }{
		{"/a", "", "", text, "Accept-Encoding"},
		{"/a", "gzip", "gzip", text, "Accept-Encoding"},
		{"/a", "br", "br", text, "Accept-Encoding"},
		{"/a", "zstd", "zstd", text, "Accept-Encoding"},
		{"/a", "gzip, deflate, br, zstd", "br", text, "Accept-Encoding"},
		{"/a", "br;q=0.1, gzip", "gzip", text, "Accept-Encoding"},
		{"/a", "br;q=0", "", text, "Accept-Encoding"},
		{"/a", "gzip, identity;q=0", "gzip", text, "Accept-Encoding"},
		{"/small", "gzip", "", "tiny", ""},
		{"/photo.jpg", "gzip", "", random, ""},
		{"/pre.css", "br", "br", "sibling br", "Accept-Encoding"},
		{"/pre.css", "gzip", "gzip", "sibling gz", "Accept-Encoding"},
		{"/pre.css", "zstd", "zstd", "sibling zst", "Accept-Encoding"},
		{"/pre.css", "", "", text, "Accept-Encoding"},
	} {
		r := get(t, s, c.path, "Accept-Encoding: "+c.accept)
		got := ""
		if strings.HasPrefix(c.content, "sibling") {
			got = body(t, r)
		} else {
			got = decode(t, r)
		}
		if r.Header.Get("Content-Encoding") != c.coding || got != c.content || r.Header.Get("Vary") != c.vary {
			t.Errorf("%s, accept %q: got coding %q, Vary %q, %.20q; want %q, %q", c.path, c.accept, r.Header.Get("Content-Encoding"), r.Header.Get("Vary"), got, c.coding, c.vary)
		}
	}
	tags := map[string]bool{}
	for _, accept := range []string{"", "br", "gzip", "zstd"} {
		tags[get(t, s, "/a", "Accept-Encoding: "+accept).Header.Get("Etag")] = true
		tags[get(t, s, "/pre.css", "Accept-Encoding: "+accept).Header.Get("Etag")] = true
	}
	if len(tags) != 7 {
		t.Errorf("got entity tags %v, want seven: the plain files are one blob", tags)
	}
}

// TestSqueezeOnce asks for one page from many clients at once: it is
// compressed once a coding, and everybody gets an answer.
func TestSqueezeOnce(t *testing.T) {
	text := []byte(strings.Repeat("compress me ", 500))
	key := codedKey{object.Object{Type: object.TypeBlob, Data: text}.Hash(), brotli}
	for range 200 {
		var q squeezer
		q.done.limit = 1 << 20
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := map[*byte]bool{}
		for i := range 64 {
			wg.Go(func() {
				coded, ready := q.squeeze(key, text, i%2 == 0)
				if !ready {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				made[&coded[0]] = true
			})
		}
		wg.Wait()
		if len(made) != 1 {
			t.Fatalf("compressed %d times, want once", len(made))
		}
	}
}

func TestCachingHeaders(t *testing.T) {
	s, _ := newSite(t, files{"index.html": "x", "js/app.8e2f1a9c.js": "x", "style.css": "x", "f.css": "x",
		"_headers": "/f.css\n  Cache-Control: public, max-age=60\n"})
	for path, want := range map[string]string{
		"/":                   "public, max-age=0, must-revalidate",
		"/style.css":          "public, max-age=0, must-revalidate",
		"/js/app.8e2f1a9c.js": "public, max-age=31536000, immutable",
		"/f.css":              "public, max-age=60",
	} {
		r := get(t, s, path)
		if got := r.Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", path, got, want)
		}
		if got := r.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options %q, want nosniff", path, got)
		}
	}
}

// TestCacheBound reads more than the cache may hold.
func TestCacheBound(t *testing.T) {
	fs := files{}
	for i := range 200 {
		fs[fmt.Sprintf("p%d.txt", i)] = strings.Repeat(fmt.Sprint(i, " "), 2000)
	}
	s, _ := newSite(t, fs)
	s.Cache = &Cache{Bytes: 1 << 20}
	for i := range 400 {
		r := get(t, s, fmt.Sprintf("/p%d.txt", i%200), "Accept-Encoding: gzip")
		if got := decode(t, r); got != fs[fmt.Sprintf("p%d.txt", i%200)] {
			t.Fatalf("p%d.txt differs", i%200)
		}
	}
	c := s.Cache
	if c.routes.bytes > c.Bytes/2 || c.coded.done.bytes > c.Bytes/2 {
		t.Errorf("holds %d + %d bytes, want at most %d", c.routes.bytes, c.coded.done.bytes, c.Bytes)
	}
}
