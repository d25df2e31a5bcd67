package unipi

import (
	"net/url"
	"strings"
)

// target is what a matching rule asks for.
type target struct {
	status   int
	location string // for 3xx: ready for the Location header but for the query of the request
	path     string // otherwise: the decoded path of the page to show
}

// match applies the rule to a request. exists says that there is a file for
// path, which wins over rules without force.
func (r *redirect) match(path string, query url.Values, exists bool) (target, bool) {
	if exists && !r.force {
		return target{}, false
	}
	values, ok := r.from.match(path)
	if !ok {
		return target{}, false
	}
	for _, p := range r.query {
		got, ok := query[p.name]
		if !ok {
			return target{}, false
		}
		if name, isName := strings.CutPrefix(p.value, ":"); isName {
			if values == nil {
				values = map[string]string{}
			}
			values[name] = got[0]
		} else if got[0] != p.value {
			return target{}, false
		}
	}
	if r.moves() {
		return r.move(path, values)
	}
	p, err := url.PathUnescape(strings.SplitN(r.to, "?", 2)[0])
	if err != nil {
		return target{}, false
	}
	return target{status: r.status, path: expand(p, values, func(s string) string { return s })}, true
}

// move makes the Location of a 3xx. A rule that leads to where the client
// already is does not match, and neither does one whose placeholders would turn
// a path of this site into the address of another.
func (r *redirect) move(path string, values map[string]string) (target, bool) {
	loc := expand(r.to, values, escapePath)
	if strings.HasPrefix(r.to, "/") {
		if strings.HasPrefix(loc, "//") {
			loc = "/" + strings.TrimLeft(loc, "/")
		}
		if loc == escapePath(path) {
			return target{}, false
		}
	}
	return target{status: r.status, location: escapeLocation(loc)}, true
}

// escapePath escapes a decoded path for use in a URL; slashes stay.
func escapePath(s string) string {
	return strings.ReplaceAll((&url.URL{Path: "/" + s}).EscapedPath()[1:], "?", "%3F")
}

// escapeLocation makes sure that s can stand in a header: what is not printable
// ASCII is percent-encoded, everything else left alone.
func escapeLocation(s string) string {
	clean := true
	for i := 0; i < len(s); i++ {
		clean = clean && s[i] > ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '<' && s[i] != '>'
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		}
	}
	return b.String()
}

// withQuery adds the query of a request to a Location that has none of its
// own, before the fragment.
func withQuery(location, query string) string {
	if query == "" {
		return location
	}
	head, fragment, hasFragment := strings.Cut(location, "#")
	if strings.Contains(head, "?") {
		return location
	}
	head += "?" + escapeLocation(query)
	if hasFragment {
		head += "#" + fragment
	}
	return head
}
