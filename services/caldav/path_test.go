package caldav

import (
	"net/url"
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	for _, c := range []struct {
		path string
		kind kind
		user string
		last string
	}{
		{"/", root, "", ""},
		{"/principals", principals, "", ""},
		{"/principals/alice/", principal, "alice", ""},
		{"/principals/alice%40example.org/", principal, "alice@example.org", ""},
		{"/principals/alice/x/", nowhere, "alice", "x"},
		{"/calendars/", homes, "", ""},
		{"/calendars/alice/", calendarHome, "alice", ""},
		{"/calendars/alice", calendarHome, "alice", ""},
		{"/calendars/alice/home/", calendar, "alice", "home"},
		{"/calendars/alice/inbox/", inbox, "alice", "inbox"},
		{"/calendars/alice/inbox/m.ics", message, "alice", "m.ics"},
		{"/calendars/alice/outbox/", outbox, "alice", "outbox"},
		{"/calendars/alice/outbox/x.ics", nowhere, "alice", "x.ics"},
		{"/calendars/alice/home/x.ics", event, "alice", "x.ics"},
		{"/calendars/alice/home/a%2520b", event, "alice", "a%20b"},
		{"/calendars/alice/home/x/y", nowhere, "alice", "y"},
		{"/contacts/alice/inbox/", addressbook, "alice", "inbox"},
		{"/contacts/alice/home/x.vcf", card, "alice", "x.vcf"},
		{"/files/alice/", folder, "alice", ""},
		{"/files/alice/a/b/c", folder, "alice", "c"},
		{"/elsewhere/alice/", nowhere, "alice", ""},
	} {
		p, err := parsePath(c.path)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		last := ""
		if len(p.names) > 0 {
			last = p.names[len(p.names)-1]
		}
		if p.kind != c.kind || p.user != c.user || last != c.last {
			t.Errorf("%s: got kind %d, user %q, last %q", c.path, p.kind, p.user, last)
		}
	}
}

// hostilePaths lead out of where they begin, in every way that some decoder falls
// for.
var hostilePaths = []string{
	"/calendars/alice/../bob/", "/calendars/alice/%2e%2e/bob/", "/calendars/alice/%2E./bob/", "/calendars/alice/.%2e/bob/home/",
	"/calendars/alice/./home/", "/calendars/alice/%2e/home/", "/calendars//alice/", "/calendars/alice//home/", "/calendars/alice/home//x.ics",
	"/calendars/alice/home/%2e%2e%2f%2e%2e%2fbob", "/calendars/alice/home/..%2f..%2fbob%2fhome", "/calendars/alice/a%2Fb/", "/calendars/alice/a%00b/",
	"/files/alice/../bob/x", "/files/alice/%2e%2e/bob/x", "/files/alice/a/../../../accounts", "/files/alice/a%2f..%2fb", "/files/alice/%00",
	"/files/alice/..%5c..%5cbob%00", "/files/alice/%c0%ae%c0%ae/bob", "/files/alice/%ff", "/files/alice/a%0ab", "/files/alice/%7f",
	"/principals/../calendars/bob/", "/principals/%2e%2e/", "/principals/%2e/", "//", "//calendars/alice/", "/..", "/%2e%2e/%2e%2e/etc/passwd",
	"/calendars/%2e%2e/", "/calendars/alice/" + strings.Repeat("a", 300) + "/", "/calendars/a%2fb/home/", "/calendars/alice%2fhome/",
	"/calendars/alice/inbox/../home/",
}

func TestHostilePaths(t *testing.T) {
	h := open(t)
	h.do("bob", "PUT", "/files/bob/x", "secret").want(201)
	for _, path := range hostilePaths {
		for _, method := range []string{"GET", "PROPFIND", "PUT", "DELETE", "MKCOL", "LOCK", "OPTIONS"} {
			a := h.do("alice", method, path, "", "Depth: 1")
			if a.status != 404 && a.status != 400 {
				t.Errorf("%s %s: got %d, want 404 or 400", method, path, a.status)
			}
			a.without("secret")
		}
		a := h.do("alice", "COPY", "/files/alice/", "", "Destination: "+path)
		if a.status < 400 || a.status >= 500 && a.status != 502 {
			t.Errorf("COPY to %s: got %d", path, a.status)
		}
	}
}

// TestDoubleEncoding: what is decoded once stays as it is.
func TestDoubleEncoding(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/files/alice/%252e%252e", "/files/alice/..%255cx", "/files/alice/%252f", "/files/alice/...", "/files/alice/.git", "/files/alice/.props.toml",
		"/files/alice/.locks.toml", "/files/alice/con", "/files/alice/a%5Cb", "/files/alice/%7Ebob", "/files/alice/%20", "/files/alice/%F0%9F%98%80%20%3C%26%3E"} {
		h.do("alice", "PUT", path, "of "+path).want(201)
		if got := h.do("alice", "GET", path, "").want(200).body; got != "of "+path {
			t.Errorf("%s: got %q", path, got)
		}
	}
	list := h.propfind("alice", "/files/alice/", "1", "<resourcetype/>").want(207, "/files/alice/%252e%252e<", "/files/alice/.git<", "%F0%9F%98%80%20%3C%26%3E<")
	if got := strings.Count(list.body, "<d:response>"); got != 13 {
		t.Errorf("listed: got %d", got)
	}
	h.propfind("alice", "/", "1", "<resourcetype/>").want(207)
}

func FuzzParsePath(f *testing.F) {
	for _, path := range hostilePaths {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		p, err := parsePath(path)
		if err != nil {
			return
		}
		for _, name := range append([]string{p.user}, p.names...) {
			if name == "" && p.user == "" {
				continue
			}
			if name == "." || name == ".." || name == "" || strings.ContainsAny(name, "/\x00\n") {
				t.Fatalf("%q has the name %q", path, name)
			}
		}
		again, err := parsePath(p.href())
		if p.kind != nowhere && (err != nil || again.href() != p.href() || again.kind != p.kind) {
			t.Fatalf("%q is %+v with href %q, which is %+v, %v", path, p, p.href(), again, err)
		}
		if u, err := url.Parse(p.href()); err != nil || u.EscapedPath() != p.href() && u.Path == "" {
			t.Fatalf("%q: href %q", path, p.href())
		}
	})
}
