package self

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestLogin(t *testing.T) {
	h := newHouse(t)
	app, err := h.accounts.NewAppPassword(t.Context(), by, "alice", "phone")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, password string
		code           int
		says           string
	}{
		{"alice", "alice's password", 303, ""},
		{" alice ", "alice's password", 303, ""},
		{"alice@example.org", "alice's password", 303, ""},
		{"bob", "bob's password", 303, ""},
		{"alice", "bob's password", 403, "The name or the password is wrong."},
		{"nobody", "bob's password", 403, "The name or the password is wrong."},
		{"", "", 403, "The name or the password is wrong."},
		{"alice", app, 403, "This is the password of a device."},
		{"bob", app, 403, "The name or the password is wrong."},
		{"<b>", "x", 403, "The name or the password is wrong."},
	} {
		b := h.browser()
		a := b.post("/self/login", "name", c.name, "password", c.password)
		if a.code != c.code || !strings.Contains(a.text, c.says) || strings.Contains(a.body, c.password) && c.password != "x" && c.password != "" {
			t.Errorf("%q, %.12q: got %d %q, want %d %q", c.name, c.password, a.code, a.text, c.code, c.says)
		}
		if in := b.get("/self/").code == 200; in != (c.code == 303) {
			t.Errorf("%q, %.12q: logged in: %v", c.name, c.password, in)
		}
	}
	if strings.Contains(h.log.String(), "password=") || strings.Contains(h.log.String(), "bob's password") {
		t.Errorf("the log has a password:\n%s", h.log)
	}
}

func TestCookie(t *testing.T) {
	h := newHouse(t)
	cookie := func(server *httptest.Server) *http.Cookie {
		t.Helper()
		client := server.Client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		r, err := client.PostForm(server.URL+"/self/login", url.Values{"name": {"alice"}, "password": {"alice's password"}})
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if len(r.Cookies()) != 1 {
			t.Fatalf("got %v, want one cookie", r.Cookies())
		}
		return r.Cookies()[0]
	}
	plain := cookie(h.server)
	if !plain.HttpOnly || plain.SameSite != http.SameSiteStrictMode || plain.Path != "/self/" || plain.Secure || plain.MaxAge != int(sessionFor.Seconds()) {
		t.Errorf("without TLS: got %v", plain)
	}
	tls := httptest.NewTLSServer(h.page.Handler())
	defer tls.Close()
	behind := *h.page // something before us ends TLS
	behind.TLS = true
	proxied := httptest.NewServer(behind.Handler())
	defer proxied.Close()
	for name, c := range map[string]*http.Cookie{"TLS": cookie(tls), "TLS before us": cookie(proxied)} {
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || !c.Secure || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("%s: got %v", name, c)
		}
	}
	if strings.Contains(plain.Value, "alice") {
		t.Errorf("the cookie can be read: %s", plain.Value)
	}
}

func TestNext(t *testing.T) {
	h := newHouse(t)
	for asked, want := range map[string]string{
		"/self/collections":            "/self/collections",
		"/self/collection?id=a%2Fb":    "/self/collection?id=a%2Fb",
		"/self/":                       "/self/",
		"":                             "/self/",
		"https://evil.example/self/":   "/self/",
		"//evil.example/self/":         "/self/",
		"/elsewhere":                   "/self/",
		"/self/../elsewhere":           "/self/",
		"/self/%2e%2e/elsewhere":       "/self/",
		"javascript:alert(1)":          "/self/",
		"/self\\evil":                  "/self/",
		"https:/self/x":                "/self/",
		"/self/a\r\nSet-Cookie: x=y":   "/self/",
		"/self/x#fragment":             "/self/x",
		"http://[::1":                  "/self/",
		strings.Repeat("/self/x", 100): strings.Repeat("/self/x", 100),
	} {
		a := h.browser().post("/self/login", "name", "alice", "password", "alice's password", "next", asked)
		if got := a.header.Get("Location"); got != want {
			t.Errorf("%q: got %q, want %q", asked, got, want)
		}
	}
	a := h.browser().get("/self/collection?id=calendars%2Fhome")
	if to := a.header.Get("Location"); a.code != 303 || to != "/self/login?next=%2Fself%2Fcollection%3Fid%3Dcalendars%252Fhome" {
		t.Errorf("without a session: got %d to %q", a.code, to)
	}
}

// Too many wrong passwords, here or where one is changed, are not looked at.
func TestRate(t *testing.T) {
	h := newHouse(t)
	b := h.as("bob")
	for i := 0; ; i++ {
		if i == 20 {
			t.Fatal("20 wrong passwords, and no end")
		}
		a := h.browser().post("/self/login", "name", "alice", "password", fmt.Sprint("guess ", i))
		if a.code == http.StatusTooManyRequests {
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			a.says(t, 429, "too many wrong passwords")
			break
		}
	}
	token := b.token()
	for i := 0; ; i++ {
		if i == 20 {
			t.Fatal("20 wrong passwords in the account, and no end")
		}
		if a := b.post("/self/account/password", "token", token, "old", fmt.Sprint("guess ", i), "new", "another password", "again", "another password"); a.code == 429 {
			break
		}
	}
}

func TestSessionEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*testing.T, *house, *browser)
		in   bool
	}{
		{"nothing happens", func(*testing.T, *house, *browser) {}, true},
		{"almost twelve hours", func(_ *testing.T, h *house, _ *browser) { h.clock.add(sessionFor - time.Second) }, true},
		{"twelve hours", func(_ *testing.T, h *house, _ *browser) { h.clock.add(sessionFor) }, false},
		{"the clock goes back", func(_ *testing.T, h *house, _ *browser) { h.clock.add(-time.Hour) }, false},
		{"log-out", func(t *testing.T, h *house, b *browser) {
			b.submit("/self/", "/self/logout").says(t, 200, "You have logged out.")
		}, false},
		{"password set elsewhere", func(t *testing.T, h *house, _ *browser) {
			if err := h.accounts.SetPassword(t.Context(), by, "bob", "bob's password"); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"another change of the account", func(t *testing.T, h *house, _ *browser) {
			if _, err := h.accounts.NewAppPassword(t.Context(), by, "bob", "phone"); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"user removed", func(t *testing.T, h *house, _ *browser) {
			if err := h.accounts.Remove(t.Context(), by, "bob"); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"another process with the key", func(_ *testing.T, h *house, b *browser) { h.serve(); b.base = h.server.URL }, true},
		{"another key", func(_ *testing.T, h *house, b *browser) { h.page.Key[0]++; h.serve(); b.base = h.server.URL }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			b := h.as("bob")
			c.do(t, h, b)
			if got := b.get("/self/").code == 200; got != c.in {
				t.Errorf("logged in: got %v, want %v", got, c.in)
			}
		})
	}
}

// A cookie that was copied before is worthless after the log-out.
func TestLogoutEndsCopies(t *testing.T) {
	h := newHouse(t)
	b := h.as("bob")
	at, err := url.Parse(h.server.URL + "/self/")
	if err != nil {
		t.Fatal(err)
	}
	thief := h.browser()
	thief.http.Jar.SetCookies(at, b.http.Jar.Cookies(at))
	if thief.get("/self/").code != 200 {
		t.Fatal("the copy does not work before")
	}
	b.submit("/self/", "/self/logout")
	if thief.get("/self/").code == 200 {
		t.Error("the copy works after the log-out")
	}
}

func TestEnded(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	e := ended{ids: map[string]time.Time{}}
	for i := range maxEnded {
		e.ids[fmt.Sprint(i)] = now.Add(time.Duration(i) * time.Second)
	}
	e.add("last", now.Add(time.Hour), now)
	if len(e.ids) > maxEnded || e.has("0") || !e.has("1") || !e.has("last") {
		t.Errorf("full: got %d, first %v, second %v, last %v", len(e.ids), e.has("0"), e.has("1"), e.has("last"))
	}
	e.add("later", now.Add(25*time.Hour), now.Add(24*time.Hour))
	if len(e.ids) > maxEnded || !e.has("later") || e.has("1") {
		t.Errorf("a day later: got %d", len(e.ids))
	}
}
