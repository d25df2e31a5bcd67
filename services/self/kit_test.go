package self

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
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

// A shelf is Collections in memory. Its changes are those of alice.
type shelf struct {
	mu      sync.Mutex
	own     map[string][]Collection // by user
	changes []Change
	undone  []string
	fails   error // what every method returns, if it is set
	links   int
}

func newShelf() *shelf {
	return &shelf{own: map[string][]Collection{
		"alice": {
			{ID: "calendars/home", Kind: Calendar, Owner: "alice", Settings: Settings{"Home", "#aa0000"}, Items: 3, Access: ReadWrite},
			{ID: "contacts/friends", Kind: AddressBook, Owner: "alice", Settings: Settings{"Friends", ""}, Items: 1, Access: ReadWrite},
		},
		"bob": {{ID: "calendars/work", Kind: Calendar, Owner: "bob", Settings: Settings{"Bob's work", "#00aa00"}, Access: ReadWrite,
			Shares: []Share{{"alice", ReadOnly}}}},
	}, changes: []Change{{ID: "c1", When: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), What: "Deleted “Lunch” from Home", Undo: true},
		{ID: "c0", When: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC), Who: "bob", What: "Something by hand"}}}
}

func (s *shelf) Own(_ context.Context, u *accounts.User) ([]Collection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.own[u.Name]), s.fails
}

func (s *shelf) Shared(_ context.Context, u *accounts.User) ([]Collection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Collection
	for _, list := range s.own {
		for _, c := range list {
			for _, with := range c.Shares {
				if with.With == u.Name {
					c.Access, c.Shares = with.Access, nil
					all = append(all, c)
				}
			}
		}
	}
	return all, s.fails
}

func (s *shelf) Make(_ context.Context, u *accounts.User, c New) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own[u.Name] = append(s.own[u.Name], Collection{ID: string(c.Kind) + "/" + c.Name, Kind: c.Kind, Owner: u.Name, Settings: c.Settings,
		Source: c.Source, Birthdays: c.Birthdays, Access: ReadWrite})
	return s.fails
}

// edit changes one collection.
func (s *shelf) edit(u *accounts.User, id string, f func(*Collection)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.own[u.Name]
	i := slices.IndexFunc(list, func(c Collection) bool { return c.ID == id })
	if i < 0 {
		return fmt.Errorf("%s: %w", id, fs.ErrNotExist)
	}
	f(&list[i])
	return s.fails
}

func (s *shelf) Set(_ context.Context, u *accounts.User, id string, set Settings) error {
	return s.edit(u, id, func(c *Collection) { c.Settings = set })
}

func (s *shelf) Delete(_ context.Context, u *accounts.User, id string) error {
	err := s.edit(u, id, func(*Collection) {})
	if err == nil {
		s.own[u.Name] = slices.DeleteFunc(s.own[u.Name], func(c Collection) bool { return c.ID == id })
	}
	return err
}

func (s *shelf) Share(_ context.Context, u *accounts.User, id, with string, a Access) error {
	return s.edit(u, id, func(c *Collection) {
		c.Shares = slices.DeleteFunc(slices.Clone(c.Shares), func(s Share) bool { return s.With == with })
		if a != NoAccess {
			c.Shares = append(c.Shares, Share{with, a})
		}
	})
}

func (s *shelf) Publish(_ context.Context, u *accounts.User, id string, on bool) error {
	return s.edit(u, id, func(c *Collection) {
		c.Page, c.Feed = "", ""
		if on {
			c.Page, c.Feed = "/public/"+u.Name+"/x/", "/public/"+u.Name+"/x.ics"
		}
	})
}

func (s *shelf) Link(_ context.Context, u *accounts.User, id string, on bool) error {
	return s.edit(u, id, func(c *Collection) {
		c.Link = ""
		if on {
			s.links++
			c.Link = fmt.Sprintf("/feed/secret%d.ics", s.links)
		}
	})
}

func (s *shelf) Changes(_ context.Context, u *accounts.User, n int) ([]Change, error) {
	if u.Name != "alice" {
		return nil, s.fails
	}
	return s.changes[:min(n, len(s.changes))], s.fails
}

func (s *shelf) Undo(_ context.Context, u *accounts.User, change string) error {
	if u.Name != "alice" || change != "c1" {
		return fmt.Errorf("%s: %w", change, fs.ErrNotExist)
	}
	if slices.Contains(s.undone, change) {
		return &Refusal{"It was changed again since."}
	}
	s.undone = append(s.undone, change)
	return s.fails
}
