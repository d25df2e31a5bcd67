package self

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"cairn/store"
)

const home = "/self/collection?id=calendars%2Fhome"

func TestCollections(t *testing.T) {
	h := newHouse(t)
	b := h.as("alice")
	b.get("/self/collections").says(t, 200, "Home", "3 entries", "Friends", "1 contact", "Shared with you", "Bob's work", "bob · read only")
	b.submit("/self/collections", "/self/collections/make", "name", "Club", "kind", "calendar", "colour", "#123456").says(t, 200, "It was made.", "Club", "0 entries")
	b.submit("/self/collections", "/self/collections/make", "name", "Family", "kind", "addressbook", "colour", "#123456").says(t, 200, "Family", "0 contacts")
	b.submit("/self/collections", "/self/collections/make", "name", "Days", "kind", "birthdays", "colour", "#123456").says(t, 200, "Days", "birthdays of your contacts")
	b.submit("/self/collections", "/self/collections/make", "name", "Holidays", "kind", "follow", "colour", "#123456", "source", " webcal://example.org/h.ics ").says(t, 200, "Holidays", "follows another")
	b.get("/self/collection?id=calendar%2FHolidays").says(t, 200, "It follows webcal://example.org/h.ics")
	b.post("/self/collections/make", "token", b.token(), "name", "x", "kind", "follow", "source", " ").says(t, 422, "give the address")
	b.submit(home, "/self/collection/set", "name", "At home", "colour", "#00ff00").says(t, 200, "Your changes were saved.", "At home")
	if c := h.shelf.own["alice"][0]; c.Name != "At home" || c.Colour != "#00ff00" {
		t.Errorf("got %+v", c)
	}
	b.submit(home, "/self/collection/delete").says(t, 200, "It was deleted.", "Undo")
	b.get(home).says(t, 404, "not there any more")
}

func TestSharing(t *testing.T) {
	h := newHouse(t)
	b := h.as("alice")
	const share = "/self/collection/share"
	b.get(home).says(t, 200, "Nobody.")
	b.submit(home, share, "with", "bob", "access", "read").says(t, 200, "Who may use it was changed.", "bob")
	h.as("bob").get("/self/collections").says(t, 200, "Shared with you", "Home", "alice · read only")
	b.submit(home, share, "with", "bob", "access", "write")
	h.as("bob").get("/self/collections").says(t, 200, "alice · you may change it")
	h.as("bob").get(home).says(t, 404)
	b.submit(home, share, "with", "bob", "access", "")
	if bob := h.as("bob").get("/self/collections"); strings.Contains(bob.text, "Shared with you") {
		t.Errorf("it is still shared: %s", bob.text)
	}
	token := b.token()
	for _, c := range []struct {
		with, access string
		code         int
	}{{"nobody", "read", 422}, {"alice", "read", 422}, {"bob", "all", 422}, {"", "read", 422}, {"gone", "", 303}} {
		if a := b.post(share, "token", token, "id", "calendars/home", "with", c.with, "access", c.access); a.code != c.code {
			t.Errorf("%s %s: got %d, want %d", c.with, c.access, a.code, c.code)
		}
	}
	if got := h.shelf.own["alice"][0].Shares; len(got) != 0 {
		t.Errorf("got %v, want no share", got)
	}
}

func TestPublic(t *testing.T) {
	h := newHouse(t)
	b := h.as("alice")
	b.submit(home, "/self/collection/publish").says(t, 200, "It is public now.", h.server.URL+"/public/alice/x/", h.server.URL+"/public/alice/x.ics")
	b.get("/self/collections").says(t, 200, "public")
	b.submit(home, "/self/collection/publish").says(t, 200, "not public any more", "Make it public")
	b.submit(home, "/self/collection/link", "on", "yes").says(t, 200, "new secret address", h.server.URL+"/feed/secret1.ics")
	b.submit(home, "/self/collection/link", "on", "yes").says(t, 200, h.server.URL+"/feed/secret2.ics")
	if a := b.submit(home, "/self/collection/link", "on", "no"); strings.Contains(a.text, "/feed/") {
		t.Errorf("the secret address is still there: %s", a.text)
	}
	if a := b.get("/self/collection?id=contacts%2Ffriends"); strings.Contains(a.text, "Public page") {
		t.Error("an address book can be made public")
	}
}

// What is another's is not there.
func TestOthers(t *testing.T) {
	h := newHouse(t)
	b := h.as("alice")
	token := b.token()
	for action := range one.actions {
		a := b.post("/self/"+action, "token", token, "id", "calendars/work", "name", "x", "with", "bob", "access", "read")
		a.says(t, 404, "not there any more")
	}
	b.get("/self/collection?id=calendars%2Fwork").says(t, 404)
	b.post("/self/history/undo", "token", token, "change", "c9").says(t, 404)
	if got := h.shelf.own["bob"]; len(got) != 1 || got[0].Name != "Bob's work" {
		t.Errorf("bob's was changed: %+v", got)
	}
}

func TestSettings(t *testing.T) {
	b := newHouse(t).as("alice")
	token := b.token()
	for _, c := range []struct {
		name, colour string
		code         int
	}{{"ok", "#123456", 303}, {"ok", "", 303}, {"", "#123456", 422}, {"ok", "red", 422}, {"ok", "#12345", 422}, {"ok", "url(x)", 422}, {"<i>", "", 422}} {
		if a := b.post("/self/collection/set", "token", token, "id", "calendars/home", "name", c.name, "colour", c.colour); a.code != c.code {
			t.Errorf("%q, %q: got %d, want %d", c.name, c.colour, a.code, c.code)
		}
	}
	b.post("/self/collections/make", "token", token, "kind", "list", "name", "x").says(t, 422, "choose what to make")
}

func TestHistory(t *testing.T) {
	h := newHouse(t)
	b := h.as("alice")
	b.get("/self/history").says(t, 200, "Today", "Deleted “Lunch” from Home", "09:00 UTC", "Tuesday, 3 November 2026", "Something by hand", "bob")
	if n := len(b.get("/self/history").forms()); n != 2 {
		t.Errorf("got %d forms, want the log-out and one change that can be undone", n)
	}
	b.submit("/self/history", "/self/history/undo").says(t, 200, "The change was taken back.")
	b.submit("/self/history", "/self/history/undo").says(t, 422, "It was changed again since.")
}

// What comes from elsewhere is text.
func TestHostile(t *testing.T) {
	h := newHouse(t)
	bad := `"><script>alert(1)</script>'{{.}}`
	h.shelf.own["alice"][0] = Collection{ID: `calendars/"><b>`, Kind: Calendar, Owner: "alice", Settings: Settings{bad, "url(javascript:alert(1))"}, Page: "javascript:alert(1)", Link: "/" + bad,
		Shares: []Share{{bad, ReadOnly}}}
	h.shelf.changes[0].What, h.shelf.changes[0].ID, h.shelf.changes[0].Who = bad, bad, bad
	b := h.as("alice")
	for _, path := range []string{"/self/collections", "/self/collection?id=calendars%2F%22%3E%3Cb%3E", "/self/history"} {
		b.get(path).says(t, 200, bad)
	}
	b.get("/self/?done="+bad).says(t, 200)
	b.get("/self/"+"%22%3E%3Cscript%3E").says(t, 404)
}

func TestFailures(t *testing.T) {
	h := newHouse(t)
	b := h.as("alice")
	h.shelf.fails = fmt.Errorf("push: %w", store.ErrTemporary)
	a := b.get("/self/collections")
	if a.says(t, 503, "cannot be reached"); a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	h.shelf.fails = errors.New("disk on fire")
	if a := b.get("/self/history"); a.code != 500 || strings.Contains(a.body, "fire") || !strings.Contains(h.log.String(), "fire") {
		t.Errorf("got %d %q, and the log\n%s", a.code, a.text, h.log)
	}
	if a := b.post("/self/devices/make", "token", strings.Repeat("x", maxForm)); a.code != 400 {
		t.Errorf("a form that is too large: got %d", a.code)
	}
}

// Without calendars there is the rest.
func TestNoCollections(t *testing.T) {
	h := newHouse(t)
	h.page.Collections = nil
	h.serve()
	b := h.as("alice")
	a := b.submit("/self/", "/self/devices/make", "name", "laptop")
	if a.says(t, 200, "Connect laptop"); strings.Contains(a.text, "DAVx") || strings.Contains(a.text, "Calendars") {
		t.Errorf("it speaks of calendars: %s", a.text)
	}
	for _, path := range []string{"/self/collections", "/self/collection", "/self/history"} {
		b.get(path).says(t, 404)
	}
}

func TestPrefix(t *testing.T) {
	b := newHouse(t).browser()
	if a := b.get("/self"); a.code != 301 || a.header.Get("Location") != "/self/" {
		t.Errorf("got %d to %q", a.code, a.header.Get("Location"))
	}
}
