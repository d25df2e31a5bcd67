package git

import (
	"strings"
	"testing"

	"cairn/store/object"
)

func TestParsePlace(t *testing.T) {
	for path, want := range map[string]place{
		"/www": {Site, "www"}, "www": {Site, "www"}, "/www.git": {Site, "www"}, "/www.git/": {Site, "www"},
		"/site": {Site, "site"}, "/a": {Site, "a"}, "/0-0": {Site, "0-0"},
		"/config": {kind: Config}, "/accounts.git": {kind: Accounts}, "/secrets": {kind: Secrets}, "/queue": {kind: Queue},
		"/all": {kind: all}, "/dav/alice": {Dav, "alice"}, "/mail/bob.git": {Mail, "bob"},
		"/lists/club": {Lists, "club"}, "/archive/club": {Archive, "club"},
	} {
		if got, ok := parsePlace(path); got != want || !ok {
			t.Errorf("%q: got %v, %v, want %v", path, got, ok, want)
		}
	}
	for _, path := range []string{
		"", "/", ".git", "/.git", "//www", "/www//", "/www.git.git", "/WWW", "/www/main", "/../accounts", "/www/../accounts",
		"/www\x00", "/www\n", "/-www", "/www.", "/dav", "/dav/", "/dav/Alice", "/dav/alice/x", "/mail", "/lists", "/archive",
		"/site/www", "/site/www/main", "/accounts/x", "/config/", "/all/x", "/refs/heads/accounts", "/~alice/www", "/ｗww",
		"/" + strings.Repeat("x", 33),
	} {
		if got, ok := parsePlace(path); ok && path != "/config/" {
			t.Errorf("%q: got %v, want nothing", path, got)
		}
	}
}

func TestReal(t *testing.T) {
	www := place{Site, "www"}
	for _, c := range []struct {
		p           place
		shown, want string
	}{
		{www, "refs/heads/main", "refs/heads/site/www/main"},
		{www, "refs/heads/a/b", "refs/heads/site/www/a/b"},
		{www, "refs/heads/site/other/main", "refs/heads/site/www/site/other/main"},
		{www, "refs/tags/v1", "refs/tags/site/www/v1"},
		{place{Dav, "alice"}, "refs/heads/main", "refs/heads/dav/alice"},
		{place{kind: Config}, "refs/heads/main", "refs/heads/config"},
		{place{kind: all}, "refs/heads/config", "refs/heads/config"},
		{place{kind: all}, "refs/heads/site/www/main", "refs/heads/site/www/main"},
		{place{kind: all}, "refs/tags/site/www/v1", "refs/tags/site/www/v1"},
	} {
		got, ok := c.p.real(c.shown)
		if got != c.want || !ok {
			t.Errorf("%v %s: got %s, %v, want %s", c.p, c.shown, got, ok, c.want)
		}
		if back, ok := c.p.shown(got); back != c.shown || !ok {
			t.Errorf("%v %s: got %s, %v, want %s", c.p, got, back, ok, c.shown)
		}
	}
	for _, c := range []struct {
		p     place
		shown string
	}{
		{www, "refs/heads/"}, {www, "refs/heads"}, {www, "refs/tags/"}, {www, "HEAD"}, {www, "main"}, {www, ""},
		{www, "refs/heads/../../accounts"}, {www, "refs/heads/../other/main"}, {www, "refs/heads/x/../../../accounts"},
		{www, "refs/heads//main"}, {www, "refs/heads/main/"}, {www, "refs/heads/main.lock"}, {www, "refs/heads/.main"},
		{www, "refs/heads/a\x00b"}, {www, "refs/heads/a b"}, {www, "refs/heads/a\nb"}, {www, "refs/heads/a..b"},
		{www, "refs/heads/HEAD"}, {www, "refs/notes/commits"}, {www, "refs/replace/x"}, {www, "refs/hidden/x"}, {www, "refs/HEADS/main"},
		{place{kind: Config}, "refs/heads/other"}, {place{kind: Config}, "refs/tags/v1"}, {place{kind: Config}, "refs/heads/accounts"},
		{place{Dav, "alice"}, "refs/heads/dav/bob"},
		{place{kind: all}, "refs/heads/other"}, {place{kind: all}, "refs/heads/site/www"}, {place{kind: all}, "refs/heads/site/WWW/main"},
		{place{kind: all}, "refs/tags/v1"}, {place{kind: all}, "refs/heads/config/x"}, {place{kind: all}, "refs/heads/all"},
		{place{kind: all}, "refs/heads/site/www/../../accounts"}, {place{kind: all}, "refs/tags/accounts"}, {place{kind: all}, "refs/notes/x"},
	} {
		if got, ok := c.p.real(c.shown); ok {
			t.Errorf("%v %q: got %q, want a refusal", c.p, c.shown, got)
		}
	}
}

// Whatever the URL and the ref say, the ref in the repository belongs to the
// place of the URL.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"/www", "/www.git/", "/dav/alice", "/all", "/../accounts", "//", "/config"} {
		f.Add(s, "refs/heads/main")
		f.Add(s, "refs/heads/../../accounts")
		f.Add(s, "refs/tags/site/www/x")
		f.Add(s, "refs/heads/site/www/a/b")
	}
	f.Fuzz(func(t *testing.T, path, shown string) {
		p, ok := parsePlace(path)
		if !ok {
			return
		}
		real, ok := p.real(shown)
		if !ok {
			return
		}
		if !object.ValidRefName(real) {
			t.Errorf("%q %q: %q is not a valid ref", path, shown, real)
		}
		at, again, ok := locate(real)
		if !ok || p.kind != all && (at != p || again != shown) {
			t.Errorf("%q %q: %q belongs to %v as %q (%v)", path, shown, real, at, again, ok)
		}
	})
}
