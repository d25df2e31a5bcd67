package unipi

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// Limits of a request's path, decoded, in bytes.
const (
	maxPath    = 4096
	maxSegment = 255
)

// pathProblem returns the status that refuses a path which no file can have,
// or 0. What is refused here could be read differently by whoever stands between
// client and server: encoded slashes, backslashes, dot segments, control
// characters and bytes that are not UTF-8 (overlong forms among them).
func pathProblem(u *url.URL) int {
	p := u.Path
	if p == "" || p[0] != '/' {
		return 400
	}
	if len(p) > maxPath {
		return 414
	}
	if strings.Contains(p, "\\") || !utf8.ValidString(p) {
		return 400
	}
	for i := 0; i < len(p); i++ {
		if p[i] < ' ' || p[i] == 0x7f {
			return 400
		}
	}
	if raw := u.RawPath; raw != "" && (strings.Contains(raw, "%2f") || strings.Contains(raw, "%2F")) {
		return 400
	}
	for segment := range strings.SplitSeq(p, "/") {
		if segment == "." || segment == ".." {
			return 400
		}
		if len(segment) > maxSegment {
			return 404
		}
	}
	return 0
}

// singleSlashes returns p with runs of slashes made one.
func singleSlashes(p string) string {
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	return p
}

// hidden reports whether a path of the tree is never served: dot-files
// everywhere (.well-known at the top excepted) and the site's own settings.
func hidden(name string) bool {
	if name == "_redirects" || name == "_headers" {
		return true
	}
	rest, wellKnown := strings.CutPrefix(name, ".well-known/")
	if wellKnown || name == ".well-known" {
		name = rest
	}
	return strings.HasPrefix(name, ".") && !(wellKnown && name == "") || strings.Contains(name, "/.")
}
