package dav

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func ifHeader(v ...string) http.Header { return http.Header{"If": v} }

// TestIf evaluates the examples of RFC 4918 §§10.4.6 to 10.4.11, and what litmus sends.
func TestIf(t *testing.T) {
	type resource struct {
		etag   string
		tokens []string
	}
	state := map[string]resource{
		"":             {`"tag"`, []string{"urn:lock:1"}},
		"/resource1":   {`"tag"`, []string{"urn:lock:1"}},
		"http://h/res": {`"other"`, nil},
		"/unlocked":    {`"x[y]"`, nil},
	}
	for _, c := range []struct {
		header string
		want   bool
	}{
		{`(<urn:lock:1>)`, true},
		{`(<urn:lock:2>)`, false},
		{`(<urn:lock:1> ["tag"])`, true},
		{`(<urn:lock:1> ["old"])`, false},
		{`(<urn:lock:2>) (["tag"])`, true},
		{`(<urn:lock:2>) (["old"])`, false},
		{`(Not <urn:lock:1>)`, false},
		{`(Not <urn:lock:2> <urn:lock:1>)`, true},
		{`(not["old"])`, true},
		{`(<urn:lock:2>)(Not <DAV:no-lock>)`, true},
		{`(<DAV:no-lock>)`, false},
		{`([W/"tag"])`, false},
		{`(Not [W/"tag"])`, true},
		{`</resource1> (<urn:lock:1> ["tag"]) (["strange"])`, true},
		{`</resource1> (<urn:lock:2>)`, false},
		{`<http://h/res> (["other"])`, true},
		{`<http://h/res> (["tag"]) </resource1> (["tag"])`, true},
		{`<http://elsewhere/> (["tag"])`, false},
		{`</unlocked> (["x[y]"])`, true},
		{`</absent> (["tag"])`, false},
		{`</absent> (Not ["tag"])`, true},
		{"(<urn:lock:1>\t[\"tag\"] )", true},
	} {
		f, err := ParseIf(ifHeader(c.header))
		if err != nil {
			t.Errorf("%s: %v", c.header, err)
			continue
		}
		if got := f.Holds(func(r string) (string, []string) { return state[r].etag, state[r].tokens }); got != c.want {
			t.Errorf("%s: got %v, want %v", c.header, got, c.want)
		}
	}
}

func TestIfTokens(t *testing.T) {
	f, err := ParseIf(ifHeader(`</a> (<urn:1> ["x"]) (Not <urn:2>)`, `</b> (<urn:3>)`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Tokens(), []string{"urn:1", "urn:2", "urn:3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	want := If{
		{"/a", []Condition{{Token: "urn:1"}, {ETag: `"x"`}}},
		{"/a", []Condition{{Not: true, Token: "urn:2"}}},
		{"/b", []Condition{{Token: "urn:3"}}},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got %v, want %v", f, want)
	}
}

func TestNoIf(t *testing.T) {
	for _, h := range []http.Header{{}, ifHeader(""), ifHeader(" ")} {
		f, err := ParseIf(h)
		if f != nil || err != nil || !f.Holds(nil) {
			t.Errorf("%v: got %v, %v, want what always holds", h, f, err)
		}
	}
}

func TestIfRefuses(t *testing.T) {
	for _, v := range []string{
		"x", "(", ")", "()", "( )", "(Not)", "(Not Not <urn:1>)", "(<urn:1>", "(<urn:1)", "(<>)", "(<a b>)", `(["x)`, `(["x"`, `([x])`, `(["x"y])`, `([V/"x"])`,
		"<urn:1>", "</a>", "</a> </b> (<urn:1>)", "(<urn:1>) </a> (<urn:1>)", "</a> (<urn:1>) </b>", "(<urn:1>), (<urn:2>)", "(<urn:1>) x",
		"(\x00)", strings.Repeat("(<a>)", 4000),
	} {
		if f, err := ParseIf(ifHeader(v)); err == nil {
			t.Errorf("%.60q: got %v, want an error", v, f)
		}
	}
}

func FuzzParseIf(f *testing.F) {
	for _, s := range []string{`(<urn:1> ["x"]) (Not <urn:2>)`, `</a> (<b>) <http://h/c> ([W/"d"])`, `(Not`, `(["]"])`, `()`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := ParseIf(ifHeader(s))
		if err != nil {
			return
		}
		var b strings.Builder
		for _, l := range list {
			if l.Resource != "" {
				b.WriteString("<" + l.Resource + ">")
			}
			b.WriteString("(")
			for _, c := range l.Conditions {
				if c.Not {
					b.WriteString("Not ")
				}
				if c.Token != "" {
					b.WriteString("<" + c.Token + ">")
				} else {
					b.WriteString("[" + c.ETag + "]")
				}
			}
			b.WriteString(")")
		}
		if b.Len() == 0 && strings.TrimSpace(s) == "" {
			return
		}
		again, err := ParseIf(ifHeader(b.String()))
		if len(b.String()) <= maxIf && (err != nil || !reflect.DeepEqual(again, list)) {
			t.Fatalf("%q: read %v, written %q, read %v, %v", s, list, b.String(), again, err)
		}
		list.Holds(func(string) (string, []string) { return "", nil })
	})
}
