package caldav

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cairn/services/accounts"
	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A house is a service on a loopback listener, with some people.
type house struct {
	t       testing.TB
	repo    *store.Repo
	service *Service
	server  *httptest.Server
	secrets map[string]string // user → app password
}

// open makes a house with alice and bob.
func open(t testing.TB) *house { return openOn(t, mem.New(), shelf.Options{}) }

func openOn(t testing.TB, b store.Backend, o shelf.Options) *house {
	t.Helper()
	repo := store.New(b, store.Options{})
	h := &house{t: t, repo: repo, secrets: map[string]string{}}
	o.Now = time.Now
	h.service = &Service{
		Shelf:    shelf.New(repo, o),
		Accounts: accounts.New(repo.Branch("accounts")),
		Now:      time.Now,
	}
	for _, name := range []string{"alice", "bob"} {
		h.addUser(name)
	}
	h.server = httptest.NewServer(h.service.Handler())
	t.Cleanup(h.server.Close)
	return h
}

func (h *house) addUser(name string) {
	h.t.Helper()
	ctx, by := context.Background(), object.Signature{}
	// Nobody's chosen password is needed, and to hash one takes long.
	check(h.t, h.repo.Branch("accounts").Update(ctx, store.Change{Message: "Add " + name}, func(tx *store.Tx) error {
		return tx.Put("users/"+name+".toml", []byte(`addresses = ["`+name+`@example.org"]`))
	}))
	secret, err := h.service.Accounts.NewAppPassword(ctx, by, name, "test")
	check(h.t, err)
	h.secrets[name] = secret
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An answer is what came back.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

// do sends a request as somebody. header has "Name: value" lines.
func (h *house) do(user, method, path, body string, header ...string) *answer {
	h.t.Helper()
	a := h.tryDo(user, method, path, body, header...)
	if a == nil {
		h.t.Fatalf("%s %s: no answer", method, path)
	}
	return a
}

// tryDo is do for requests that net/http may refuse to send: nil.
func (h *house) tryDo(user, method, path, body string, header ...string) *answer {
	h.t.Helper()
	req, err := http.NewRequest(method, h.server.URL, strings.NewReader(body))
	check(h.t, err)
	req.URL.Opaque = path // as it stands, whatever net/url thinks of it
	if strings.HasPrefix(path, "//") {
		req.URL.Opaque = "//" + req.URL.Host + path
	}
	if user != "" {
		req.SetBasicAuth(user, h.secrets[strings.TrimSuffix(user, "@example.org")])
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		h.t.Log(err)
		return nil
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	check(h.t, err)
	return &answer{h.t, method + " " + path, resp.StatusCode, resp.Header, string(data)}
}

// want makes sure of the status, and that the body has all of some words.
func (a *answer) want(status int, words ...string) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: got %d, want %d: %s", a.what, a.status, status, a.body)
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			a.t.Errorf("%s: got %s, want %q in it", a.what, a.body, w)
		}
	}
	return a
}

// without makes sure that none of some words is in the body.
func (a *answer) without(words ...string) *answer {
	a.t.Helper()
	for _, w := range words {
		if strings.Contains(a.body, w) {
			a.t.Errorf("%s: got %s, want no %q in it", a.what, a.body, w)
		}
	}
	return a
}

// propfind asks for properties, written as elements.
func (h *house) propfind(user, path, depth, props string) *answer {
	h.t.Helper()
	return h.do(user, "PROPFIND", path, `<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"`+
		` xmlns:S="http://calendarserver.org/ns/" xmlns:I="http://apple.com/ns/ical/"><prop>`+props+`</prop></propfind>`, "Depth: "+depth)
}

// anEvent is an event of an hour.
func anEvent(uid, summary string) string {
	return crlf(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:` + uid + `
DTSTAMP:20261101T120000Z
DTSTART:20261124T100000Z
DTEND:20261124T110000Z
SUMMARY:` + summary + `
END:VEVENT
END:VCALENDAR
`)
}

// aCard is somebody's.
func aCard(uid, name string) string {
	return crlf(`BEGIN:VCARD
VERSION:3.0
UID:` + uid + `
FN:` + name + `
N:` + name + `;;;;
END:VCARD
`)
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// edit changes what somebody has, past the protocol.
func (h *house) edit(user string, f func(e *shelf.Edit) error) {
	h.t.Helper()
	check(h.t, h.service.Shelf.Update(context.Background(), store.Change{Message: "test"}, []string{user}, func(edits map[string]*shelf.Edit) error {
		return f(edits[user])
	}))
}

// serve puts another service in the place of the one that there is.
func (h *house) serve(s *Service) { h.server.Config.Handler = s.Handler() }

func (h *house) removeUser(name string) {
	h.t.Helper()
	check(h.t, h.repo.Branch("accounts").Update(context.Background(), store.Change{Message: "Remove " + name}, func(tx *store.Tx) error {
		return tx.Remove("users/" + name + ".toml")
	}))
}
