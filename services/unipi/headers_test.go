package unipi

import (
	"strings"
	"testing"
)

func TestHeaderRules(t *testing.T) {
	rules := `# a comment
/*
  X-Frame-Options: DENY
  Cache-Control: public, max-age=60
/static/*
  Access-Control-Allow-Origin: *
  ! X-Frame-Options
  Cache-Control: s-maxage=5
/movies/:title
  x-movie-name: You are watching ":title"
  Set-Cookie: a=1
  Set-Cookie: b=2
`
	hs, errs := ParseHeaders([]byte(rules))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, c := range []struct{ path, want string }{
		{"/", "Cache-Control: public, max-age=60|Vary: Accept-Encoding|X-Frame-Options: DENY"},
		{"/static/a.js", "Cache-Control: public, max-age=60, s-maxage=5|Vary: Accept-Encoding|Access-Control-Allow-Origin: *"},
		{"/movies/du ne", "Cache-Control: public, max-age=60|Vary: Accept-Encoding|X-Frame-Options: DENY|X-Movie-Name: You are watching \"du%20ne\"|Set-Cookie: a=1|Set-Cookie: b=2"},
	} {
		h := head{}
		h.set("Cache-Control", cacheCheck)
		h.set("Vary", "Accept-Encoding")
		hs.apply(c.path, &h)
		if got := printHead(h); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.path, got, c.want)
		}
	}
}

func printHead(h head) string {
	var lines []string
	for _, f := range h {
		for _, v := range f.values {
			lines = append(lines, f.name+": "+v)
		}
	}
	return strings.Join(lines, "|")
}

func TestHeaderProblems(t *testing.T) {
	for _, c := range []struct {
		file string
		line int
	}{
		{"  X-A: b\n", 1},
		{"/a\n  no colon\n", 2},
		{"/a\n  bad name: x\n", 2},
		{"/a\n  : x\n", 2},
		{"/a\n  X-A: a\x01b\n", 2},
		{"/a\n  Content-Length: 5\n", 2},
		{"/a\n  transfer-encoding: chunked\n", 2},
		{"/a\n  Basic-Auth: joe:secret\n", 2},
		{"https://example.org/*\n  X-A: b\n", 1},
		{"/a/*/b/*\n  X-A: b\n", 1},
		{"a\n  X-A: b\n", 1},
		{"/a\n  X-A: " + strings.Repeat("x", 2000) + "\n", 2},
	} {
		hs, errs := ParseHeaders([]byte(c.file + "/good\n  X-Good: yes\n"))
		if len(errs) != 1 || errs[0].Line != c.line {
			t.Errorf("%.40q: got problems %v, want one in line %d", c.file, errs, c.line)
		}
		var h head
		if hs.apply("/good", &h); h.value("X-Good") != "yes" {
			t.Errorf("%.40q: the good rule has gone", c.file)
		}
		if h = nil; h.value("Basic-Auth") != "" {
			t.Errorf("%.40q: a password is shown", c.file)
		}
	}
	hs, errs := ParseHeaders([]byte(strings.Repeat("/a\n  X-A: b\n", 120)))
	if len(hs.rules) != 100 || len(errs) != 20 {
		t.Errorf("120 rules: got %d and %d problems, want 100 and 20", len(hs.rules), len(errs))
	}
}

// FuzzHeaders checks that no rule file makes a header that breaks the message.
func FuzzHeaders(f *testing.F) {
	f.Add("/*\n  X-A: b\n  ! X-B\n", "/x")
	f.Add("/:a/*\n\tLink: <:a>; rel=:splat\n", "/p/q/r")
	f.Add("/a\n  Connection: close\n", "/a")
	f.Fuzz(func(t *testing.T, file, path string) {
		hs, _ := ParseHeaders([]byte(file))
		h := head{}
		h.set("Vary", "Accept-Encoding")
		hs.apply(path, &h)
		for _, field := range h {
			if _, is := reserved[field.name]; is || !isToken(field.name) {
				t.Fatalf("header %q was set", field.name)
			}
			for _, v := range field.values {
				if !isValue(v) {
					t.Fatalf("%s has the value %q", field.name, v)
				}
			}
		}
	})
}
