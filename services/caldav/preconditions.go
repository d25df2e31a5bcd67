package caldav

import (
	"encoding/hex"
	"net/http"
	"strings"

	"cairn/services/caldav/dav"
	"cairn/store"
)

// hashTag is the ETag of a file: strong, for the bytes that GET returns are the
// bytes that its hash is of.
func hashTag(h store.Hash) string {
	var b [2*len(h) + 2]byte
	b[0], b[len(b)-1] = '"', '"'
	hex.Encode(b[1:], h[:])
	return string(b[:])
}

// entityTag is an opaque text as a strong entity tag.
func entityTag(opaque string) string { return `"` + opaque + `"` }

// precondition judges If-Match and If-None-Match (RFC 9110 §13.1) for a method
// that writes. etag is what the resource has now, "" when it does not exist.
func precondition(h http.Header, etag string) error {
	if list, ok := header(h, "If-Match"); ok && !matchTags(list, etag, false) {
		return dav.Errorf(http.StatusPreconditionFailed, "it has changed since you saw it")
	}
	if list, ok := header(h, "If-None-Match"); ok && matchTags(list, etag, true) {
		return dav.Errorf(http.StatusPreconditionFailed, "it exists already")
	}
	return nil
}

// unchanged judges the conditions of GET and HEAD and returns the status to answer
// instead: 304, 412, or 0 for none (RFC 9110 §13.2.2). Those about dates do not
// count: when something was last changed takes a walk through history, and its
// entity tag says more.
func unchanged(h http.Header, etag string) int {
	if list, ok := header(h, "If-Match"); ok {
		if !matchTags(list, etag, false) {
			return http.StatusPreconditionFailed
		}
	}
	if list, ok := header(h, "If-None-Match"); ok {
		if matchTags(list, etag, true) {
			return http.StatusNotModified
		}
	}
	return 0
}

// header returns the fields of one name as one list.
func header(h http.Header, name string) (string, bool) {
	v, ok := h[name]
	return strings.Join(v, ","), ok
}

// matchTags reports whether a list of entity tags has etag, "" being that of what
// does not exist. Ours are strong, so a weak tag matches only where weak
// comparison is meant (RFC 9110 §8.8.3.2).
func matchTags(list, etag string, weak bool) bool {
	if etag == "" {
		return false
	}
	for list = strings.Trim(list, " \t,"); list != ""; list = strings.Trim(list, " \t,") {
		if list[0] == '*' {
			return true
		}
		isWeak := strings.HasPrefix(list, "W/")
		rest := strings.TrimPrefix(list, "W/")
		var tag string
		if strings.HasPrefix(rest, `"`) {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return false
			}
			tag, list = rest[:end+2], rest[end+2:]
		} else { // some clients send tags without quotes
			tag, list, _ = strings.Cut(rest, ",")
			tag = `"` + strings.TrimSpace(tag) + `"`
		}
		if tag == etag && (weak || !isWeak) {
			return true
		}
	}
	return false
}
