package dav

import (
	"net/http"
	"net/url"
	"strings"
)

// EscapeName returns a name of a path as an href has it: everything but unreserved characters and parentheses is
// percent-encoded, so that clients which compare hrefs as text, and those which forget to escape, see one form.
func EscapeName(s string) string {
	n := 0
	for i := range len(s) {
		if !plainInPath[s[i]] {
			n++
		}
	}
	if n == 0 {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; plainInPath[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

var plainInPath = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~()", byte(c)) >= 0
	}
	return t
}()

// Href reads an href from the body of r: a path, or a URL on the same host (others are 403). The
// result has only Path (decoded) and RawPath.
func Href(r *http.Request, href string) (*url.URL, error) {
	return resolveHref(r, href, http.StatusForbidden)
}

// resolveHref is Href with the status for what is elsewhere.
func resolveHref(r *http.Request, href string, elsewhere int) (*url.URL, error) {
	u, err := url.Parse(href)
	if err != nil || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") {
		return nil, Errorf(http.StatusBadRequest, "%.200q is not an absolute path or URL", href)
	}
	if u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" || u.Host != "" && !sameHost(u.Host, r.Host) {
		return nil, Errorf(elsewhere, "%.200q is on another host", href)
	}
	return &url.URL{Path: u.Path, RawPath: u.RawPath}, nil
}

// sameHost compares what stands in a URL with the Host header. A header without a port may be that of a proxy which
// took it away.
func sameHost(inURL, header string) bool {
	hu, pu := splitHost(inURL)
	hh, ph := splitHost(header)
	return strings.EqualFold(hu, hh) && (pu == ph || ph == "")
}

// splitHost returns a host without its final dot, and its port unless that is the usual one.
func splitHost(h string) (host, port string) {
	if i := strings.LastIndexByte(h, ':'); i >= 0 && i > strings.LastIndexByte(h, ']') {
		h, port = h[:i], h[i+1:]
	}
	if port == "80" || port == "443" {
		port = ""
	}
	return strings.TrimSuffix(h, "."), port
}
