package dav

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	_ "time/tzdata"

	"cairn/libos"
	"cairn/services/accounts"
	"cairn/services/monitor"
	"cairn/services/secrets"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A host is a whole service with the users alice and bob, whose passwords are their
// names with " password" after them.
type host struct {
	t      *testing.T
	server *httptest.Server
	people *accounts.Accounts
}

func newHost(t *testing.T) *host {
	t.Helper()
	repo := store.New(mem.New(), store.Options{})
	people := accounts.New(repo.Branch("accounts"))
	by := object.Signature{Name: "Root", Email: "root@localhost"}
	for _, name := range []string{"alice", "bob"} {
		if err := people.Add(t.Context(), by, name, name+" password", name == "alice"); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := secrets.Open(repo.Branch("secrets"), [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := OpenShelf(libos.Env{Log: slog.New(slog.DiscardHandler)}, repo, people, keys)
	if err != nil {
		t.Fatal(err)
	}
	h, err := (&Dav{Shelf: shelf, Accounts: people, Secrets: keys, Watch: monitor.New(), Log: slog.New(slog.DiscardHandler)}).Handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return &host{t, server, people}
}

// dav sends a request as a device does, and returns status and body.
func (h *host) dav(user, method, path, body string) (int, string) {
	h.t.Helper()
	r, err := http.NewRequest(method, h.server.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, user+" password")
	}
	return h.do(h.server.Client(), r)
}

func (h *host) do(client *http.Client, r *http.Request) (int, string) {
	h.t.Helper()
	resp, err := client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// A visitor is somebody on their page.
type visitor struct {
	*host
	client *http.Client
	token  string
}

func (h *host) visit(user string) *visitor {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	v := &visitor{host: h, client: &http.Client{Jar: jar}}
	v.post("/self/login", "name", user, "password", user+" password")
	found := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(v.get("/self/"))
	if found == nil {
		h.t.Fatal("not logged in")
	}
	v.token = found[1]
	return v
}

func (v *visitor) get(path string) string {
	v.t.Helper()
	r, err := http.NewRequest("GET", v.server.URL+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	status, body := v.do(v.client, r)
	if status != 200 {
		v.t.Fatalf("%s: got %d\n%s", path, status, body)
	}
	return body
}

// post sends a form and returns the page that follows.
func (v *visitor) post(path string, fields ...string) string {
	v.t.Helper()
	form := url.Values{"token": {v.token}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequest("POST", v.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, body := v.do(v.client, r)
	return body
}

const event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261103T190000Z\r\nSUMMARY:Choir\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// A person makes a calendar on their page, a device fills it, the world sees it, another
// person shares it, and all of it is taken back.
func TestSelfPage(t *testing.T) {
	h := newHost(t)
	alice := h.visit("alice")
	const id, object = "calendars/singing-club", "/calendars/alice/singing-club/1.ics"
	alice.post("/self/collections/make", "kind", "calendar", "name", "Singing Club", "colour", "#123456")
	if status, body := h.dav("alice", "PUT", object, event); status != 201 {
		t.Fatalf("PUT: got %d\n%s", status, body)
	}

	if status, _ := h.dav("", "GET", "/public/alice/singing-club/", ""); status != 404 {
		t.Errorf("the page before it is public: got %d", status)
	}
	if page := alice.post("/self/collection/publish", "id", id, "on", "yes"); !strings.Contains(page, "/public/alice/singing-club.ics") {
		t.Errorf("the address is not shown:\n%s", page)
	}
	for _, path := range []string{"/public/alice/singing-club/?view=agenda&from=2026-11-01", "/public/alice/singing-club.ics"} {
		if status, body := h.dav("", "GET", path, ""); status != 200 || !strings.Contains(body, "Choir") {
			t.Errorf("%s: got %d\n%s", path, status, body)
		}
	}
	page := alice.post("/self/collection/link", "id", id, "on", "yes")
	link := regexp.MustCompile(`/feed/[^<]+\.ics`).FindString(page)
	if status, body := h.dav("", "GET", link, ""); status != 200 || !strings.Contains(body, "Choir") {
		t.Errorf("the secret address %q: got %d\n%s", link, status, body)
	}
	alice.post("/self/collection/link", "id", id, "on", "no")
	if status, _ := h.dav("", "GET", link, ""); status != 404 {
		t.Errorf("the secret address after it was switched off: got %d", status)
	}

	shared := strings.Replace(object, "/alice/singing-club/", "/bob/~alice~singing-club/", 1)
	alice.post("/self/collection/share", "id", id, "with", "bob", "access", "read")
	if page := h.visit("bob").get("/self/collections"); !strings.Contains(page, "Singing Club") {
		t.Errorf("bob does not see what is shared:\n%s", page)
	}
	if status, _ := h.dav("bob", "GET", shared, ""); status != 200 {
		t.Errorf("bob reads: got %d", status)
	}
	if status, _ := h.dav("bob", "DELETE", shared, ""); status != 403 {
		t.Errorf("bob deletes: got %d", status)
	}

	page = alice.post("/self/collection/delete", "id", id)
	if status, _ := h.dav("alice", "GET", object, ""); status != 404 {
		t.Errorf("after it was deleted: got %d", status)
	}
	change := regexp.MustCompile(`name="change" value="([0-9a-f]{40})"`).FindStringSubmatch(page)
	if change == nil {
		t.Fatalf("nothing can be undone:\n%s", page)
	}
	alice.post("/self/history/undo", "change", change[1])
	if status, body := h.dav("alice", "GET", object, ""); status != 200 || body != event {
		t.Errorf("after that was taken back: got %d\n%s", status, body)
	}
}

// Who has no account any more shows nothing to anybody.
func TestFeedsOfSomebodyGone(t *testing.T) {
	h := newHost(t)
	bob := h.visit("bob")
	const id = "calendars/home"
	if status, _ := h.dav("bob", "PUT", "/calendars/bob/home/1.ics", event); status != 201 {
		t.Fatalf("PUT: got %d", status)
	}
	bob.post("/self/collection/publish", "id", id, "on", "yes")
	link := regexp.MustCompile(`/feed/[^<]+\.ics`).FindString(bob.post("/self/collection/link", "id", id, "on", "yes"))
	paths := []string{link, "/public/bob/home.ics", "/public/bob/home/"}
	for _, want := range []int{200, 404} {
		for _, path := range paths {
			if status, _ := h.dav("", "GET", path, ""); status != want {
				t.Errorf("%s: got %d, want %d", path, status, want)
			}
		}
		if err := h.people.Remove(t.Context(), object.Signature{Name: "Root", Email: "root@localhost"}, "bob"); err != nil && want == 200 {
			t.Fatal(err)
		}
	}
}

// Birthdays and calendars elsewhere are made on the page too.
func TestSelfPageDerived(t *testing.T) {
	h := newHost(t)
	alice := h.visit("alice")
	card := "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Carol\r\nBDAY:1985-04-12\r\nEND:VCARD\r\n"
	if status, body := h.dav("alice", "PUT", "/contacts/alice/contacts/1.vcf", card); status != 201 {
		t.Fatalf("PUT: got %d\n%s", status, body)
	}
	if page := alice.post("/self/collections/make", "kind", "birthdays", "name", "Birthdays", "colour", ""); !strings.Contains(page, "1 entry · birthdays of your contacts") {
		t.Errorf("there is no birthday:\n%s", page)
	}
	if page := alice.post("/self/collections/make", "kind", "follow", "name", "Holidays", "source", "webcal://example.org/h.ics"); !strings.Contains(page, "follows another") {
		t.Errorf("it does not follow:\n%s", page)
	}
	if page := alice.post("/self/collections/make", "kind", "follow", "name", "Holidays", "source", "file:///etc/passwd"); !strings.Contains(page, "That cannot be followed") {
		t.Errorf("it follows:\n%s", page)
	}
}
