package unipi

import (
	"net/url"
	"strings"
	"testing"
)

func TestRedirectRules(t *testing.T) {
	for _, c := range []struct {
		name, rules, path, query string
		exists                   bool
		status                   int
		want                     string // Location, or path shown; empty: no rule matches
	}{
		{"default status", "/old /new", "/old", "", false, 301, "/new"},
		{"closing slash of the path", "/old /new", "/old/", "", false, 301, "/new"},
		{"302", "/old /new 302", "/old", "", false, 302, "/new"},
		{"303", "/old /new 303", "/old", "", false, 303, "/new"},
		{"307", "/old /new 307", "/old", "", false, 307, "/new"},
		{"308", "/old /new 308", "/old", "", false, 308, "/new"},
		{"comment behind", "/old /new 302 # moved", "/old", "", false, 302, "/new"},
		{"first wins", "/a /b\n/a /c", "/a", "", false, 301, "/b"},
		{"a file wins", "/a /b", "/a", "", true, 0, ""},
		{"unless forced", "/a /b 302!", "/a", "", true, 302, "/b"},
		{"splat", "/news/* /blog/:splat", "/news/2024/01", "", false, 301, "/blog/2024/01"},
		{"splat of nothing", "/news/* /blog/:splat", "/news", "", false, 301, "/blog/"},
		{"splat is no prefix", "/news/* /blog/:splat", "/newsletter", "", false, 0, ""},
		{"splat keeps escapes", "/n/* /b/:splat", "/n/ä ö?", "", false, 301, "/b/%C3%A4%20%C3%B6%3F"},
		{"placeholders", "/p/:year/:slug /:slug-:year", "/p/2024/hello", "", false, 301, "/hello-2024"},
		{"placeholder within a segment", "/movies/:title.html /m/:title", "/movies/dune.html", "", false, 301, "/m/dune"},
		{"placeholder is one segment", "/p/:x /q/:x", "/p/a/b", "", false, 0, ""},
		{"to another host", "/x/* https://example.org/:splat 302", "/x/a/b", "", false, 302, "https://example.org/a/b"},
		{"fragment", "/a /b#part", "/a", "", false, 301, "/b#part"},
		{"query matches", "/s id=:id /blog/:id", "/s", "id=7", false, 301, "/blog/7"},
		{"query value matches", "/s kind=a /a", "/s", "kind=a", false, 301, "/a"},
		{"query value differs", "/s kind=a /a", "/s", "kind=b", false, 0, ""},
		{"query is missing", "/s id=:id /blog/:id", "/s", "", false, 0, ""},
		{"query cannot leave the path", "/s id=:id /:id", "/s", "id=/evil.example", false, 301, "/evil.example"},
		{"query cannot break the header", "/s id=:id /x/:id", "/s", "id=a%0d%0aSet-Cookie:%20x", false, 301, "/x/a%0D%0ASet-Cookie:%20x"},
		{"rewrite", "/app/* /app/index.html 200", "/app/x/y", "", false, 200, "/app/index.html"},
		{"rewrite with splat", "/de/* /:splat 200", "/de/a", "", false, 200, "/a"},
		{"not found", "/secret/* /404.html 404", "/secret/x", "", false, 404, "/404.html"},
		{"gone", "/g /gone.html 410", "/g", "", false, 410, "/gone.html"},
		{"loop", "/a/* /a/:splat", "/a/b", "", false, 0, ""},
		{"loop of all", "/* /index.html 301", "/index.html", "", false, 0, ""},
		{"escaped path", "/a%20b /c", "/a b", "", false, 301, "/c"},
	} {
		rs, errs := ParseRedirects([]byte(c.rules))
		if len(errs) > 0 {
			t.Errorf("%s: %v", c.name, errs)
		}
		query, _ := url.ParseQuery(c.query)
		var got target
		for _, r := range rs.rules {
			if to, ok := r.match(c.path, query, c.exists); ok {
				got = to
				break
			}
		}
		if got.status != c.status || got.location+got.path != c.want {
			t.Errorf("%s: got %d %q, want %d %q", c.name, got.status, got.location+got.path, c.status, c.want)
		}
	}
}

func TestRedirectProblems(t *testing.T) {
	for _, line := range []string{
		"/only", "/a b", "old /new", "/a /b 299", "/a /b 200 Country=de", "/a /b 302 Language=de",
		"/a https://example.org/ 200", "/a https://example.org/x 404", "/a //example.org/", "/a/*/b/* /c",
		"/:x/:x /c", "https://example.org/* /c", "/a https://:host/", "/:u https://u@example.org/", "/a /\\example.org",
		"/%zz /a", "/" + strings.Repeat("x", 1000) + " /y", "/a https:///x",
	} {
		rs, errs := ParseRedirects([]byte("/good /fine\n" + line + "\n"))
		if len(errs) != 1 || errs[0].Line != 2 || errs[0].File != "_redirects" {
			t.Errorf("%.60q: got problems %v, want one in line 2", line, errs)
		}
		if len(rs.rules) != 1 {
			t.Errorf("%.60q: got %d rules, want the good one alone", line, len(rs.rules))
		}
	}
}

func TestRedirectLimits(t *testing.T) {
	rs, errs := ParseRedirects([]byte(strings.Repeat("/a /b\n", 2010) + strings.Repeat("/c/* /d\n", 110)))
	if got, want := len(rs.rules), 2100; got != want {
		t.Errorf("got %d rules, want %d", got, want)
	}
	if len(errs) != 20 {
		t.Errorf("got %d problems, want 20", len(errs))
	}
	if _, errs = ParseRedirects([]byte(strings.Repeat("x\n", 500))); len(errs) != 51 {
		t.Errorf("got %d problems, want 50 and one for the rest", len(errs))
	}
	if rs, errs = ParseRedirects(make([]byte, maxRuleFileBytes+1)); len(rs.rules) != 0 || len(errs) != 1 {
		t.Errorf("a file of over 1 MiB: got %d rules, %d problems; want 0, 1", len(rs.rules), len(errs))
	}
}

func TestWithQuery(t *testing.T) {
	for _, c := range [][3]string{
		{"/a", "", "/a"}, {"/a", "x=1", "/a?x=1"}, {"/a?y=2", "x=1", "/a?y=2"}, {"/a#f", "x=1", "/a?x=1#f"},
		{"/a", "x=\"\r\n<", "/a?x=%22%0D%0A%3C"},
	} {
		if got := withQuery(c[0], c[1]); got != c[2] {
			t.Errorf("withQuery(%q, %q) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

// FuzzRedirects checks that no rule file and no path makes a Location that
// breaks the header or leads to a host that the file does not name.
func FuzzRedirects(f *testing.F) {
	f.Add("/a/* /:splat 302", "/a/b", "x=1")
	f.Add("/:x id=:id /:id/:x 301!", "/y", "id=//evil.example")
	f.Add("/* /index.html 200", "/any", "")
	f.Add("/p/:a/:b /q/:b#:a 308 # c", "/p/1/2", "q")
	f.Fuzz(func(t *testing.T, file, path, rawQuery string) {
		rs, _ := ParseRedirects([]byte(file))
		if pathProblem(&url.URL{Path: path}) != 0 {
			return
		}
		query, _ := url.ParseQuery(rawQuery)
		for _, r := range rs.rules {
			to, ok := r.match(singleSlashes(path), query, false)
			if !ok || to.location == "" {
				continue
			}
			loc := withQuery(to.location, rawQuery)
			for i := 0; i < len(loc); i++ {
				if loc[i] <= ' ' || loc[i] >= 0x7f {
					t.Fatalf("rule %+v, path %q: Location %q", r, path, loc)
				}
			}
			u, err := url.Parse(loc)
			if err == nil && strings.HasPrefix(r.to, "/") && (u.Host != "" || strings.HasPrefix(loc, "//")) {
				t.Fatalf("rule %q: path %q leads to the host %q by %q", r.to, path, u.Host, loc)
			}
		}
	})
}
