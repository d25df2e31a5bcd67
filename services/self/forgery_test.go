package self

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Requests from elsewhere change nothing.
func TestForgery(t *testing.T) {
	h := newHouse(t)
	b, other := h.as("bob"), h.as("alice")
	token := b.token()
	for _, c := range []struct {
		name, token string
		header      []string
		code        int
	}{
		{"no token", "", nil, 403},
		{"another session's", other.token(), nil, 403},
		{"from another site", token, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"from a sister host", token, []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"another origin", token, []string{"Sec-Fetch-Site", "", "Origin", "https://evil.example"}, 403},
		{"hidden origin", token, []string{"Sec-Fetch-Site", "", "Origin", "null"}, 403},
		{"own origin", token, []string{"Sec-Fetch-Site", "", "Origin", b.base}, 200},
	} {
		r, err := http.NewRequest("POST", b.base+"/self/devices/make", strings.NewReader(url.Values{"token": {c.token}, "name": {c.name}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(c.header); i += 2 {
			if r.Header.Set(c.header[i], c.header[i+1]); c.header[i+1] == "" {
				r.Header.Del(c.header[i])
			}
		}
		if a := b.do(r); a.code != c.code {
			t.Errorf("%s: got %d, want %d", c.name, a.code, c.code)
		}
	}
	u, err := h.accounts.User(t.Context(), "bob")
	if err != nil || len(u.AppPasswords) != 1 || u.AppPasswords[0].Name != "own origin" {
		t.Errorf("got %v, %v, want the one that was asked for", u.AppPasswords, err)
	}
	r, err := http.NewRequest("POST", b.base+"/self/login", strings.NewReader("name=alice&password=x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := h.browser().do(r); a.code != 403 || len(a.header.Values("Set-Cookie")) != 0 {
		t.Errorf("log-in from another site: got %d", a.code)
	}
}

// Whoever has not logged in sees and does nothing.
func TestAnonymous(t *testing.T) {
	h := newHouse(t)
	for _, sec := range []*section{devices, manage, one, history, account} {
		paths := map[string]string{"/self/" + sec.path: "GET"}
		for p := range sec.actions {
			paths["/self/"+p] = "POST"
		}
		for path, method := range paths {
			var a *answer
			if method == "GET" {
				a = h.browser().get(path)
			} else {
				a = h.browser().post(path, "id", "calendars/home", "name", "x")
			}
			if a.code != 303 || !strings.HasPrefix(a.header.Get("Location"), "/self/login") {
				t.Errorf("%s %s: got %d to %q", method, path, a.code, a.header.Get("Location"))
			}
		}
	}
	if a := h.browser().get("/self/devices/profile"); a.code != 422 {
		t.Errorf("a profile without its link: got %d", a.code)
	}
}
