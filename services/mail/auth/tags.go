package auth

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// maxTags bounds a tag list.
const maxTags = 100

// A tagList is what RFC 6376 §3.2 calls so: "a=b; c=d". Values are trimmed and else
// as written, with the folding that may be in them.
type tagList []tag

type tag struct {
	name, value string
	from, to    int // where the value with the white space around it lies in the source
}

var errTags = errors.New("not a list of tags")

// parseTags reads a tag list. A name that stands there twice makes it invalid.
func parseTags(s string) (tagList, error) {
	var list tagList
	for pos := 0; pos <= len(s); {
		end := len(s)
		if i := strings.IndexByte(s[pos:], ';'); i >= 0 {
			end = pos + i
		}
		name, _, ok := strings.Cut(s[pos:end], "=")
		from := pos + len(name) + 1
		switch name = trim(name); {
		case ok && isTagName(name) && !list.has(name) && len(list) < maxTags:
			list = append(list, tag{name, trim(s[from:end]), from, end})
		case name != "" || ok:
			return nil, errTags
		}
		pos = end + 1
	}
	return list, nil
}

func isTagName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// trim takes away the white space that may stand around a tag's name and value.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }

// solid takes away all white space.
func solid(s string) string {
	if !strings.ContainsAny(s, " \t\r\n") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, s)
}

func (l tagList) find(name string) (tag, bool) {
	for _, t := range l {
		if t.name == name {
			return t, true
		}
	}
	return tag{}, false
}

func (l tagList) has(name string) bool { _, ok := l.find(name); return ok }

// get returns a value without any white space, "" where there is no such tag.
func (l tagList) get(name string) string {
	t, _ := l.find(name)
	return solid(t.value)
}

// list returns the parts of a value with colons between them.
func (l tagList) list(name string) []string {
	v := l.get(name)
	if v == "" {
		return nil
	}
	return strings.Split(v, ":")
}

func (l tagList) base64(name string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(l.get(name))
}

// time returns the seconds since 1970 in a tag, and the zero time where there is none.
func (l tagList) time(name string) (time.Time, error) {
	v := l.get(name)
	if v == "" {
		return time.Time{}, nil
	}
	// Twelve digits reach the year 33,658 (RFC 6376 §3.5, t=).
	if len(v) > 12 || strings.Trim(v, "0123456789") != "" {
		return time.Time{}, errors.New("not a time")
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return time.Unix(n, 0).UTC(), err
}
