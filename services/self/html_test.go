package self

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A form is one of a page.
type form struct {
	action string
	fields map[string]string // hidden ones
	names  []string          // all others
}

func (f *form) fits(fields []string) bool {
	for i := 0; i < len(fields); i += 2 {
		hidden, ok := f.fields[fields[i]]
		if ok && hidden != fields[i+1] || !ok && !slices.Contains(f.names, fields[i]) {
			return false
		}
	}
	return true
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func (a *answer) forms() []*form {
	var all []*form
	for n := range a.doc.Descendants() {
		if n.Data != "form" || n.Type != html.ElementNode {
			continue
		}
		f := &form{action: attr(n, "action"), fields: map[string]string{}}
		for in := range n.Descendants() {
			switch {
			case in.Data == "input" && attr(in, "type") == "hidden":
				f.fields[attr(in, "name")] = attr(in, "value")
			case in.Data == "input" || in.Data == "select" || in.Data == "textarea":
				f.names = append(f.names, attr(in, "name"))
			}
		}
		all = append(all, f)
	}
	return all
}

// read parses the page and checks what must hold of each: the policy, no scripts nor
// styles that it would refuse, one h1, each id once, a label for each field, and a
// token in each form but that of the log-in.
func (a *answer) read(t testing.TB, path string) {
	t.Helper()
	for key, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"} {
		if got := a.header.Get(key); got != want {
			t.Errorf("%s: %s: got %q, want %q", path, key, got, want)
		}
	}
	if csp := a.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("%s: got policy %q", path, csp)
	}
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	a.doc = doc
	ids, labelled, h1 := map[string]bool{}, map[string]bool{}, 0
	for n := range doc.Descendants() {
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("%s: id %q stands twice", path, id)
			}
			ids[id] = true
		}
		if n.Data == "label" {
			labelled[attr(n, "for")] = true
		}
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.TextNode && n.Parent.Data != "style":
			b.WriteString(n.Data)
		case n.Type != html.ElementNode:
			continue
		case n.Data == "h1":
			h1++
		case n.Data == "script" || n.Data == "img" || n.Data == "iframe":
			t.Errorf("%s has a <%s>", path, n.Data)
		case (n.Data == "input" && attr(n, "type") != "hidden" && attr(n, "type") != "radio" && attr(n, "aria-hidden") == "" || n.Data == "select" || n.Data == "textarea") && !labelled[attr(n, "id")]:
			t.Errorf("%s: the field %q has no label", path, attr(n, "name"))
		}
		for _, x := range n.Attr {
			if strings.HasPrefix(x.Key, "on") || x.Key == "style" || x.Key == "href" && strings.HasPrefix(x.Val, "javascript:") {
				t.Errorf("%s: <%s> has %s=%q", path, n.Data, x.Key, x.Val)
			}
		}
	}
	if h1 != 1 && a.code/100 != 3 {
		t.Errorf("%s has %d h1, want 1", path, h1)
	}
	for _, f := range a.forms() {
		if f.fields["token"] == "" && f.action != "/self/login" {
			t.Errorf("%s: the form for %s has no token", path, f.action)
		}
	}
	a.text = strings.Join(strings.Fields(b.String()), " ")
}
