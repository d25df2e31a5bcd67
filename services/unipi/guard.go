package unipi

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A Guard asks for a name and password (basic authentication, RFC 7617) before
// it lets anybody see a path. What lies behind one is never cached publicly.
type Guard struct {
	// Path is what is guarded, with all below it: "/" is the whole site,
	// "/members" also /members.html and every other way to reach the
	// same files.
	Path string

	// Realm is shown by browsers; empty: the site's.
	Realm string

	// Check says whether a name and password may pass; from is the client's
	// address. It is asked at every request, so it remembers what it can. It also
	// counts wrong guesses: wait says that there were too many, and that nothing was
	// checked. An error makes the page unavailable.
	Check func(ctx context.Context, from netip.Addr, user, password string) (passed bool, wait time.Duration, err error)
}

// guarding returns the guards over any of the paths.
func (s *snapshot) guarding(paths ...string) []*Guard {
	var list []*Guard
	for i := range s.guards {
		for _, p := range paths {
			if s.guards[i].covers(p) {
				list = append(list, &s.guards[i])
				break
			}
		}
	}
	return list
}

// covers reports whether a path, or the page that it is another name of, lies
// at or below the guard's.
func (g *Guard) covers(p string) bool {
	base, p := plainPath(g.Path), plainPath(p)
	return base == "" || p == base || strings.HasPrefix(p, base+"/")
}

// plainPath strips what makes several names of one page: closing slashes,
// index.html, .html and the endings of precompressed files.
func plainPath(p string) string {
	p = singleSlashes("/" + p)
	for before := ""; before != p; {
		before = p
		for _, ext := range codingExt {
			p = strings.TrimSuffix(p, ext)
		}
	}
	p = strings.TrimSuffix(p, ".html")
	if trimmed, ok := strings.CutSuffix(p, "/index"); ok {
		p = trimmed
	}
	return strings.TrimRight(p, "/")
}

// admit lets a request through all guards, or returns the answer that stops it.
func admit(guards []*Guard, r *http.Request) (user string, stop *prepared) {
	user, password, ok := r.BasicAuth()
	if !ok || len(user) > 256 || len(password) > 1024 || !utf8.ValidString(user) {
		return "", guards[0].ask()
	}
	for _, g := range guards {
		passed, wait, err := g.Check(r.Context(), clientAddr(r), user, password)
		switch {
		case err != nil:
			return user, errorPage(http.StatusServiceUnavailable)
		case wait > 0:
			p := *errorPage(http.StatusTooManyRequests)
			p.head = p.head.with("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
			return user, &p
		case !passed:
			return user, g.ask()
		}
	}
	return user, nil
}

// ask is the 401 that makes a browser ask for a password.
func (g *Guard) ask() *prepared {
	realm := g.Realm
	if realm == "" {
		realm = "This site"
	}
	p := *errorPage(http.StatusUnauthorized)
	p.head = p.head.with("Www-Authenticate", `Basic realm="`+strings.NewReplacer(`\`, ``, `"`, ``, "\r", "", "\n", "").Replace(realm)+`", charset="UTF-8"`)
	return &p
}

// clientAddr is the address of the client; the zero Addr when there is none.
func clientAddr(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}
