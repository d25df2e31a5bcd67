package dav

import (
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

func header(name string, values ...string) http.Header {
	return http.Header{http.CanonicalHeaderKey(name): values}
}

func TestParseDepth(t *testing.T) {
	for v, want := range map[string]Depth{"": DepthOne, "0": 0, "1": 1, "infinity": DepthInfinity, " Infinity ": DepthInfinity} {
		if got, err := ParseDepth(header("Depth", v), DepthOne); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", v, got, err, want)
		}
	}
	for _, v := range []string{"2", "-1", "1,noroot", "infinite", "0 1"} {
		if _, err := ParseDepth(header("Depth", v), 0); status(err) != 400 {
			t.Errorf("%q: got %v, want 400", v, err)
		}
	}
}

func TestParseDestination(t *testing.T) {
	for _, c := range []struct {
		host, dest, want string
		status           int
	}{
		{"h", "http://h/a/b%2Fc?x#y", "/a/b%2Fc", 0},
		{"h", "/a", "/a", 0},
		{"h", "//h/a", "/a", 0},
		{"H.", "https://h:443/a", "/a", 0},
		{"h:80", "http://h/a", "/a", 0},
		{"h:8080", "http://h:8080/a", "/a", 0},
		{"h", "http://h:8080/a", "/a", 0},
		{"[::1]:8080", "http://[::1]:8080/a", "/a", 0},
		{"h", "http://h/a%20b%40c", "/a%20b%40c", 0},
		{"h:8080", "http://h:8081/a", "", 502},
		{"h:8080", "http://h/a", "", 502},
		{"h", "http://other/a", "", 502},
		{"h", "//other/a", "", 502},
		{"h", "ftp://h/a", "", 502},
		{"h", "http://h@other/a", "", 502},
		{"[::1]", "http://[::2]/a", "", 502},
		{"h", "", "", 400},
		{"h", "a", "", 400},
		{"h", "http://h", "", 400},
		{"h", "mailto:alice@h", "", 400},
		{"h", "/a%zz", "", 400},
		{"h", "/a\nb", "", 400},
	} {
		r := httptest.NewRequest("MOVE", "/x", nil)
		r.Host = c.host
		r.Header.Set("Destination", c.dest)
		u, err := ParseDestination(r)
		if status(err) != c.status || err == nil && u.EscapedPath() != c.want {
			t.Errorf("%s to %s: got %v, %v, want %q, %d", c.host, c.dest, u, err, c.want, c.status)
		}
	}
}

func TestHref(t *testing.T) {
	r := httptest.NewRequest("REPORT", "/x", nil)
	r.Host = "h"
	if u, err := Href(r, "/calendars/alice%40h/"); err != nil || u.Path != "/calendars/alice@h/" {
		t.Errorf("got %v, %v", u, err)
	}
	if _, err := Href(r, "http://other/a"); status(err) != 403 {
		t.Errorf("got %v, want 403", err)
	}
}

func TestParseOverwrite(t *testing.T) {
	for v, want := range map[string]bool{"": true, "T": true, "F": false, "f": false} {
		if got, err := ParseOverwrite(header("Overwrite", v)); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", v, got, err, want)
		}
	}
	if _, err := ParseOverwrite(header("Overwrite", "yes")); status(err) != 400 {
		t.Errorf("got %v, want 400", err)
	}
}

func TestParseTimeout(t *testing.T) {
	for v, want := range map[string]time.Duration{
		"":                         0,
		"Second-3600":              time.Hour,
		"Infinite, Second-4100000": math.MaxInt64,
		"second-5":                 5 * time.Second,
		"Minute-5, Second-5":       5 * time.Second,
		"Second-":                  0,
		"Second--5":                0,
		"Second-0":                 0,
		"Second-4294967295":        (1<<32 - 1) * time.Second,
		"Second-99999999999999999": 0,
	} {
		if got := ParseTimeout(header("Timeout", v)); got != want {
			t.Errorf("%q: got %v, want %v", v, got, want)
		}
	}
}

func TestParseLockToken(t *testing.T) {
	if got, err := ParseLockToken(header("Lock-Token", " <urn:uuid:1> ")); err != nil || got != "urn:uuid:1" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, v := range []string{"", "urn:uuid:1", "<>", "<a", "a>", "<a><b>", "<a b>"} {
		if _, err := ParseLockToken(header("Lock-Token", v)); status(err) != 400 {
			t.Errorf("%q: got %v, want 400", v, err)
		}
	}
}

func TestParsePrefer(t *testing.T) {
	for _, c := range []struct {
		h       http.Header
		want    Prefer
		applied string
	}{
		{header("Prefer"), Prefer{}, ""},
		{header("Prefer", "return=minimal"), Prefer{Minimal: true}, "return=minimal"},
		{header("Prefer", `respond-async, Return="minimal"; foo=bar, wait=10`), Prefer{Minimal: true}, "return=minimal"},
		{header("Prefer", "depth-noroot", "return=representation"), Prefer{Representation: true, NoRoot: true}, "return=representation"},
		{header("Prefer", "return=representation, return=minimal"), Prefer{Representation: true}, "return=representation"},
		{header("Prefer", "return-minimal"), Prefer{Minimal: true}, "return=minimal"},
		{header("Brief", "t"), Prefer{Minimal: true}, "return=minimal"},
		{header("Brief", "f"), Prefer{}, ""},
	} {
		if got := ParsePrefer(c.h); got != c.want || got.Applied() != c.applied {
			t.Errorf("%v: got %+v, %q, want %+v, %q", c.h, got, got.Applied(), c.want, c.applied)
		}
	}
}

func TestEscapeName(t *testing.T) {
	for in, want := range map[string]string{
		"alice":                   "alice",
		"a b@c":                   "a%20b%40c",
		"ü;=&$+,!*'()":            "%C3%BC%3B%3D%26%24%2B%2C%21%2A%27()",
		"100%#?[]\"<>\\^`{|}\x7f": "100%25%23%3F%5B%5D%22%3C%3E%5C%5E%60%7B%7C%7D%7F",
		"🗓":                       "%F0%9F%97%93",
		"a/b~c:d":                 "a%2Fb~c%3Ad",
	} {
		if got := EscapeName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzEscapeName(f *testing.F) {
	f.Add("a b/ü%2F\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		e := EscapeName(s)
		if n, err := url.PathUnescape(e); err != nil || n != s {
			t.Fatalf("%q became %q", s, n)
		}
		u, err := url.Parse("http://h/" + e)
		if err != nil || u.Path != "/"+s || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q became %q, which is %v, %v", s, e, u, err)
		}
	})
}

// FuzzHeaders: whatever a header holds, the answer is a value or an *Error.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"0", "infinity", "Second-5, Infinite", "<urn:1>", "http://h/a%2Fb", "return=minimal;x, depth-noroot", "T", `"a", *, "b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h := http.Header{}
		for _, name := range []string{"Depth", "Overwrite", "Timeout", "Lock-Token", "Prefer", "Destination", "Push-Dont-Notify"} {
			h.Set(name, s)
		}
		check := func(err error) {
			if err != nil && status(err) < 400 {
				t.Fatalf("%q: %v", s, err)
			}
		}
		_, err := ParseDepth(h, 0)
		check(err)
		_, err = ParseOverwrite(h)
		check(err)
		_, err = ParseLockToken(h)
		check(err)
		if ParseTimeout(h) < 0 {
			t.Fatalf("%q: a timeout that has passed", s)
		}
		ParsePrefer(h)
		ParseDontNotify(h)
		u, err := ParseDestination(&http.Request{Method: "COPY", Host: "h", Header: h})
		check(err)
		if err == nil && (u.Host != "" || u.Path == "" || u.Path[0] != '/') {
			t.Fatalf("%q: destination %v", s, u)
		}
	})
}
