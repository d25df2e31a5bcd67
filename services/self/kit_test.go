package self

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"cairn/services/accounts"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"

	"golang.org/x/net/html"
)

var by = object.Signature{Name: "Root", Email: "root@localhost"}

// people are the records of alice, an administrator with an e-mail address, and bob,
// made once: hashes are dear, with -race very.
var people = sync.OnceValue(func() map[string][]byte {
	b := store.New(mem.New(), store.Options{}).Branch("accounts")
	a := accounts.New(b)
	records := map[string][]byte{}
	for _, name := range []string{"alice", "bob"} {
		if err := a.Add(context.Background(), by, name, name+"'s password", name == "alice"); err != nil {
			panic(err)
		}
		tree, err := b.Tree(context.Background())
		if err != nil {
			panic(err)
		}
		if records[name], err = tree.ReadFile("users/" + name + ".toml"); err != nil {
			panic(err)
		}
	}
	records["alice"] = append([]byte("addresses = [\"alice@example.org\"]\n"), records["alice"]...)
	return records
})

func newAccounts(t testing.TB) *accounts.Accounts {
	t.Helper()
	b := store.New(mem.New(), store.Options{}).Branch("accounts")
	records := people()
	err := b.Update(t.Context(), store.Change{Author: by, Message: "Begin\n"}, func(tx *store.Tx) error {
		for name, record := range records {
			if err := tx.Put("users/"+name+".toml", record); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return accounts.New(b)
}

// A clock can be set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A house has the page, and what it is about.
type house struct {
	t        testing.TB
	page     *Service
	accounts *accounts.Accounts
	shelf    *shelf
	clock    *clock
	server   *httptest.Server
	log      *strings.Builder
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, accounts: newAccounts(t), shelf: newShelf(), clock: &clock{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}, log: &strings.Builder{}}
	h.page = &Service{Accounts: h.accounts, Collections: h.shelf, Key: [32]byte{1}, Prefix: "/self", Now: h.clock.Now,
		Log: slog.New(slog.NewTextHandler(h.log, nil))}
	h.serve()
	return h
}

// serve starts the server with the page as it is now.
func (h *house) serve() {
	h.server = httptest.NewServer(h.page.Handler())
	h.t.Cleanup(h.server.Close)
}

// A browser is somebody's, with its cookies.
type browser struct {
	t    testing.TB
	http *http.Client
	base string
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	client := *h.server.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{h.t, &client, h.server.URL}
}

// as returns a browser in which somebody has logged in.
func (h *house) as(name string) *browser {
	h.t.Helper()
	b := h.browser()
	if a := b.post("/self/login", "name", name, "password", name+"'s password"); a.code != http.StatusSeeOther {
		h.t.Fatalf("log in as %s: got %d\n%s", name, a.code, a.text)
	}
	return b
}

// An answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   string
	text   string // what is to be read of it
	doc    *html.Node
}

func (b *browser) do(r *http.Request) *answer {
	b.t.Helper()
	resp, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := &answer{code: resp.StatusCode, header: resp.Header, body: string(body)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		a.read(b.t, r.URL.Path)
	}
	return a
}

func (b *browser) get(path string) *answer {
	b.t.Helper()
	r, err := http.NewRequest("GET", b.base+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) post(path string, fields ...string) *answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequest("POST", b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

// submit fills in a form of a page and sends it, then follows to the next page. The
// form is the one with that action whose hidden fields do not contradict.
func (b *browser) submit(page, action string, fields ...string) *answer {
	b.t.Helper()
	a := b.get(page)
	for _, f := range a.forms() {
		if f.action != action || !f.fits(fields) {
			continue
		}
		var all []string
		for name, value := range f.fields {
			all = append(all, name, value)
		}
		got := b.post(action, append(all, fields...)...)
		if got.code == http.StatusSeeOther {
			return b.get(got.header.Get("Location"))
		}
		return got
	}
	b.t.Fatalf("%s has no form for %s with %q:\n%s", page, action, fields, a.body)
	return nil
}

// token returns the token of the session's forms.
func (b *browser) token() string {
	b.t.Helper()
	for _, f := range b.get("/self/account").forms() {
		if f.fields["token"] != "" {
			return f.fields["token"]
		}
	}
	b.t.Fatal("no form has a token")
	return ""
}

// says checks what a page says.
func (a *answer) says(t testing.TB, code int, texts ...string) {
	t.Helper()
	if a.code != code {
		t.Errorf("got %d, want %d:\n%s", a.code, code, a.text)
	}
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			t.Errorf("the page does not say %q:\n%s", text, a.text)
		}
	}
}
