package unipi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestFingerprinted(t *testing.T) {
	for name, want := range map[string]bool{
		"main.8e2f1a9c.js":                                  true,
		"js/main.8e2f1a9c.chunk.js":                         true,
		"main.8e2f1a9c.js.map":                              true,
		"css/site-0a1b2c3d4e5f60718293a4b5c6d7e8f9.css":     true,
		"css/site.min." + strings.Repeat("0f", 32) + ".css": true,
		"assets/index-BVn9x3qA.js":                          true,
		"_astro/hoisted.D4x_Kf2z.js":                        true,
		"_app/immutable/chunks/x.B7rW2mPq.js":               true,
		"dist/app-K3M5Q2XA.js":                              true,
		"assets/logo-a1b2c3d4.svg":                          true,

		"index.html":                    false,
		"main.8e2f1a9c.html":            false,
		"8e2f1a9c.js":                   false, // no name before it
		"jquery-3.6.0.min.js":           false,
		"report-20240131.pdf":           false,
		"report-20240131a.pdf":          false,
		"photo-12345678.jpg":            false,
		"deadbeef-facade.js":            false,
		"word.deadbeef.js":              false,
		"about-download.js":             false,
		"bootstrap.bundle.js":           false,
		"assets/javascript.js":          false,
		"assets/photo-iPhone4S.jpg":     false,
		"assets/photo-Download1.jpg":    false,
		"assets/scan-IMG_2024.jpg":      false,
		"assets/notes-DECEMBER.txt":     false,
		"index-BVn9x3qA.js":             false, // not in a bundler's folder
		"assets/manual-version-2.0.pdf": false,
		"assets/Windows11Setup.exe":     false,
		"README":                        false,
		"a/b.c/d":                       false,
		"x-0a1b2c3.js":                  false, // seven
		"release-1.2.3-0a1b.tar.gz":     false,
	} {
		if got := fingerprinted(name); got != want {
			t.Errorf("fingerprinted(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestMediaType(t *testing.T) {
	for _, c := range []struct {
		name, content, want string
		compressible        bool
	}{
		{"a.html", "<p>ä", "text/html; charset=utf-8", true},
		{"a.HTML", "x", "text/html; charset=utf-8", true},
		{"latin1.html", "<meta charset=iso-8859-1>\xe4", "text/html", true},
		{"a.css", "x", "text/css; charset=utf-8", true},
		{"a.js", "x", "text/javascript; charset=utf-8", true},
		{"a.mjs", "x", "text/javascript; charset=utf-8", true},
		{"a.json", "{}", "application/json", true},
		{"a.svg", "<svg/>", "image/svg+xml; charset=utf-8", true},
		{"a.wasm", "\x00asm", "application/wasm", true},
		{"a.png", "\x89PNG", "image/png", false},
		{"a.woff2", "wOF2", "font/woff2", false},
		{"feed.atom", "<feed/>", "application/atom+xml; charset=utf-8", true},
		{"sitemap.xml", "<x/>", "application/xml; charset=utf-8", true},
		{"LICENSE", "Permission is hereby", "text/plain; charset=utf-8", true},
		{"blob", "\x00\x01", "application/octet-stream", false},
		{"x.unknown", "\xff\xfe", "application/octet-stream", false},
	} {
		got, compressible := mediaType(c.name, []byte(c.content), true)
		if got != c.want || compressible != c.compressible {
			t.Errorf("mediaType(%q) = %q, %v; want %q, %v", c.name, got, compressible, c.want, c.compressible)
		}
	}
}

func TestParseAccept(t *testing.T) {
	for header, want := range map[string]string{
		"":                                  "identity",
		"gzip":                              "gzip identity",
		"gzip, deflate, br, zstd":           "br zstd gzip identity",
		"br;q=0.5, gzip;q=0.8":              "gzip br identity",
		"gzip;q=0":                          "identity",
		"*":                                 "br zstd gzip identity",
		"*;q=0":                             "",
		"identity;q=0, gzip":                "gzip",
		"gzip;q=0.5, identity":              "identity gzip",
		"GZIP":                              "gzip identity",
		"gzip;q=2":                          "identity",
		"gzip;q=nan":                        "identity",
		"gzip;level=9":                      "identity",
		"identity;q=0.5, *;q=0.1, gzip;q=1": "gzip identity br zstd",
		",,;q=1,=":                          "identity",
	} {
		p := parseAccept(header)
		var names []string
		for _, c := range p.list[:p.n] {
			names = append(names, codingName[c])
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("parseAccept(%q) = %q, want %q", header, got, want)
		}
	}
}

func TestParseRange(t *testing.T) {
	for _, c := range []struct {
		header string
		want   string
	}{
		{"bytes=0-9", "0+10"},
		{"bytes=90-", "90+10"},
		{"bytes=-5", "95+5"},
		{"bytes=-500", "0+100"},
		{"bytes=90-500", "90+10"},
		{"bytes=0-0, 99-99", "0+1 99+1"},
		{"bytes=0-1,,\t5-6 ", "0+2 5+2"},
		{"bytes=200-, 0-1", "0+2"},
		{"bytes=0-99", "0+100"},
		{"bytes=100-", "unsatisfiable"},
		{"bytes=-0", "unsatisfiable"},
		{"bytes=99999999999999999999-", "unsatisfiable"},
		{"bytes=0-99999999999999999999", "0+100"},
		{"bytes=", "ignored"}, {"bytes=-", "ignored"}, {"bytes=5-2", "ignored"}, {"bytes=a-b", "ignored"}, {"bytes=+1-2", "ignored"},
		{"items=0-1", "ignored"}, {"bytes 0-1", "ignored"}, {"bytes=0-1;2", "ignored"},
		{"bytes=0-80,0-80", "ignored"}, // more than there is
		{"bytes=" + strings.Repeat("0-0,", 40), "ignored"},
	} {
		spans, err := parseRange(c.header, 100)
		got := ""
		switch {
		case errors.Is(err, errRange):
			got = "unsatisfiable"
		case errors.Is(err, errNoRange):
			got = "ignored"
		default:
			for i, s := range spans {
				if i > 0 {
					got += " "
				}
				got += fmt.Sprintf("%d+%d", s.start, s.length)
			}
		}
		if got != c.want {
			t.Errorf("parseRange(%q) = %s, want %s", c.header, got, c.want)
		}
	}
}

// FuzzRange checks that spans lie within the content and do not add up to
// more than it.
func FuzzRange(f *testing.F) {
	f.Add("bytes=0-1,5-,-3", int64(100))
	f.Add("bytes=-9223372036854775808", int64(1))
	f.Add("bytes=9223372036854775807-9223372036854775807", int64(0))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		spans, err := parseRange(header, size)
		if err == nil && len(spans) == 0 {
			t.Fatal("neither spans nor an error")
		}
		var total int64
		for _, s := range spans {
			if s.start < 0 || s.length < 1 || s.start+s.length > size {
				t.Fatalf("parseRange(%q, %d): span %+v", header, size, s)
			}
			total += s.length
		}
		if total > size {
			t.Fatalf("parseRange(%q, %d): %d bytes in all", header, size, total)
		}
	})
}

func TestJudge(t *testing.T) {
	const modified = "Sat, 21 Nov 2026 11:00:00 GMT"
	matches := func(tag string) bool { return tag == `"a"` || tag == `"a-gz"` }
	for _, c := range []struct {
		headers string
		want    verdict
		tag     string
	}{
		{"", proceed, ""},
		{`If-None-Match: "a"`, notModified, `"a"`},
		{`If-None-Match: "x", W/"a-gz"`, notModified, `"a-gz"`},
		{`If-None-Match: *`, notModified, ""},
		{`If-None-Match: "b"`, proceed, ""},
		{`If-None-Match: a`, proceed, ""},
		{`If-None-Match: "a`, proceed, ""},
		{`If-Match: "a"`, proceed, ""},
		{`If-Match: "b"`, preconditionFailed, ""},
		{`If-Match: W/"a"`, preconditionFailed, ""},
		{`If-Match: *`, proceed, ""},
		{"If-Modified-Since: " + modified, notModified, ""},
		{"If-Modified-Since: Sat, 21 Nov 2026 12:00:00 GMT", proceed, ""}, // not a date of ours
		{"If-Modified-Since: nonsense", proceed, ""},
		{`If-None-Match: "b"` + "\nIf-Modified-Since: " + modified, proceed, ""},
		{"If-Unmodified-Since: Sat, 21 Nov 2026 10:00:00 GMT", preconditionFailed, ""},
		{"If-Unmodified-Since: " + modified, proceed, ""},
		{`If-Match: "a"` + "\nIf-Unmodified-Since: Sat, 21 Nov 2026 10:00:00 GMT", proceed, ""},
	} {
		h := http.Header{}
		for line := range strings.SplitSeq(c.headers, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				h.Add(name, value)
			}
		}
		if got, tag := judge(h, modified, matches); got != c.want || tag != c.tag {
			t.Errorf("%s: got %v %s, want %v %s", c.headers, got, tag, c.want, c.tag)
		}
	}
}
