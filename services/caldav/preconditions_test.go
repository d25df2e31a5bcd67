package caldav

import (
	"net/http"
	"strings"
	"testing"
)

func TestMatchTags(t *testing.T) {
	for _, c := range []struct {
		list, etag string
		weak, want bool
	}{
		{`"a"`, `"a"`, false, true},
		{`"a"`, `"b"`, false, false},
		{`"a", "b"`, `"b"`, false, true},
		{`"a","b"`, `"b"`, false, true},
		{` , "a" ,, "b" , `, `"b"`, false, true},
		{`"a,b"`, `"b"`, false, false},
		{`W/"a"`, `"a"`, false, false},
		{`W/"a"`, `"a"`, true, true},
		{`*`, `"a"`, false, true},
		{`*`, ``, false, false},
		{`"a"`, ``, false, false},
		{``, `"a"`, false, false},
		{`a`, `"a"`, false, true}, // some clients forget the quotes
		{`a, b`, `"b"`, false, true},
		{`"a`, `"a"`, false, false},
		{`"`, `"a"`, false, false},
		{`""`, `"a"`, false, false},
	} {
		if got := matchTags(c.list, c.etag, c.weak); got != c.want {
			t.Errorf("%s has %s (weak %v): got %v", c.list, c.etag, c.weak, got)
		}
	}
}

func TestPrecondition(t *testing.T) {
	for _, c := range []struct {
		header, etag string
		ok           bool
	}{
		{"", `"a"`, true},
		{"", "", true},
		{`If-Match: "a"`, `"a"`, true},
		{`If-Match: "b"`, `"a"`, false},
		{`If-Match: *`, "", false},
		{`If-None-Match: *`, "", true},
		{`If-None-Match: *`, `"a"`, false},
		{`If-None-Match: "b"`, `"a"`, true},
		{"If-Match: ", `"a"`, false},
		{"If-None-Match: ", `"a"`, true},
	} {
		h := http.Header{}
		if name, value, ok := strings.Cut(c.header, ": "); ok {
			h.Set(name, value)
		}
		if got := precondition(h, c.etag) == nil; got != c.ok {
			t.Errorf("%q with %s: holds = %v", c.header, c.etag, got)
		}
	}
}

func FuzzMatchTags(f *testing.F) {
	f.Add(`"a", W/"b", c, *`, `"b"`)
	f.Add(`W/`, `""`)
	f.Fuzz(func(t *testing.T, list, etag string) {
		strong, weak := matchTags(list, etag, false), matchTags(list, etag, true)
		if strong && !weak {
			t.Errorf("%q has %q strongly, and not weakly", list, etag)
		}
		if strong && !strings.Contains(list, "*") && !strings.Contains(list, strings.Trim(etag, `"`)) {
			t.Errorf("%q has %q", list, etag)
		}
	})
}
