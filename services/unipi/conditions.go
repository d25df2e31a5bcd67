package unipi

import (
	"net/http"
	"strings"
	"time"
)

// A verdict is what the conditions of a request make of its answer.
type verdict int

const (
	proceed verdict = iota
	notModified
	preconditionFailed
)

// judge evaluates the conditional headers of a GET or HEAD in the order of RFC
// 9110, section 13.2.2. matches tells whether an entity tag, quotes included and
// without W/, names the content in any coding. For a 304 it returns the
// tag that matched.
//
// If-Modified-Since counts only when it is exactly the date we gave: a branch
// may be moved back to a commit with an older date, and what a client got
// meanwhile is not current then although it is newer.
func judge(h http.Header, modified string, matches func(tag string) bool) (verdict, string) {
	if v := h["If-Match"]; v != nil {
		if _, ok := anyTag(v, false, matches); !ok {
			return preconditionFailed, ""
		}
	} else if v := h["If-Unmodified-Since"]; v != nil && modified != "" {
		if since, err := http.ParseTime(v[0]); err == nil && parseDate(modified).After(since) {
			return preconditionFailed, ""
		}
	}
	if v := h["If-None-Match"]; v != nil {
		if tag, ok := anyTag(v, true, matches); ok {
			return notModified, tag
		}
	} else if v := h["If-Modified-Since"]; v != nil && modified != "" && v[0] == modified {
		return notModified, ""
	}
	return proceed, ""
}

// anyTag finds the first tag of a list that matches; "*" matches all there is.
// Weak tags count only where weak is true.
func anyTag(lists []string, weak bool, matches func(string) bool) (string, bool) {
	for _, list := range lists {
		for list != "" {
			list = strings.TrimLeft(list, " \t,")
			if strings.HasPrefix(list, "*") {
				return "", true
			}
			rest, isWeak := strings.CutPrefix(list, "W/")
			if !strings.HasPrefix(rest, `"`) {
				break
			}
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				break
			}
			tag := rest[:end+2]
			if (weak || !isWeak) && matches(tag) {
				return tag, true
			}
			list = rest[end+2:]
		}
	}
	return "", false
}

// rangeHolds reports whether If-Range, if there is one, names exactly this
// representation (RFC 9110, section 13.1.5).
func rangeHolds(h http.Header, etag, modified string) bool {
	v := h["If-Range"]
	if v == nil {
		return true
	}
	return v[0] == etag || modified != "" && v[0] == modified
}

func parseDate(s string) time.Time {
	t, _ := http.ParseTime(s)
	return t
}
