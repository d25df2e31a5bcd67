package publish

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"cairn/services/accounts"
	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

var by = object.Signature{Name: "Alice", Email: "alice@localhost"}

// A kit is a Service over a shelf of alice's.
type kit struct {
	testing.TB
	*Service
}

func newKit(t testing.TB) *kit {
	t.Helper()
	repo := store.New(mem.New(), store.Options{})
	now := func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }
	b := repo.Branch("accounts")
	err := b.Update(t.Context(), store.Change{Author: by, Message: "Begin\n"}, func(tx *store.Tx) error {
		return tx.Put("users/alice.toml", []byte("name = \"Alice L\"\n"))
	})
	if err != nil {
		t.Fatal(err)
	}
	return &kit{t, &Service{Shelf: shelf.New(repo, shelf.Options{Now: now}), Accounts: accounts.New(b), Base: "https://dav.example.org/", Now: now}}
}

// make makes a calendar of events given as the lines of their VEVENTs.
func (k *kit) make(user, name string, props *shelf.Props, events ...string) {
	k.Helper()
	err := k.Shelf.Update(k.Context(), store.Change{Author: by, Message: "make\n"}, []string{user}, func(edits map[string]*shelf.Edit) error {
		e := edits[user]
		if err := e.Make(shelf.Path{Kind: shelf.Calendars, Collection: name}, props); err != nil {
			return err
		}
		for i, lines := range events {
			text := fmt.Sprintf("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:%d\nDTSTAMP:20260101T000000Z\n%s\nEND:VEVENT\nEND:VCALENDAR\n", i, strings.ReplaceAll(lines, "|", "\n"))
			o, err := k.Shelf.Parse(shelf.Calendars, []byte(text))
			if err != nil {
				return err
			}
			if _, err := e.Put(shelf.Path{Kind: shelf.Calendars, Collection: name, Name: fmt.Sprint(i, ".ics")}, o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		k.Fatal(err)
	}
}

func (k *kit) get(path string) (*http.Response, string) {
	k.Helper()
	w := httptest.NewRecorder()
	k.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		k.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestPage(t *testing.T) {
	k := newKit(t)
	k.make("alice", "club & co", &shelf.Props{DisplayName: "Singing Club", Color: "#123456ff", TimezoneID: "Europe/Vienna", Public: true},
		"DTSTART:20261124T083000Z|DTEND:20261124T090000Z|SUMMARY:Rehearsal|RRULE:FREQ=DAILY;COUNT=2", "DTSTART:20200101T083000Z|SUMMARY:Long ago",
		"DTSTART:20261125T083000Z|SUMMARY:Dentist|CLASS:PRIVATE")
	const path = "/public/alice/club%20&%20co/"
	r, body := k.get(path)
	if r.StatusCode != 200 {
		t.Fatalf("got %d", r.StatusCode)
	}
	for _, want := range []string{"<h1>Singing Club</h1>", "Calendar of Alice L", "Rehearsal", "09:30 – 10:00", "Europe/Vienna", "#123456", "webcal://dav.example.org/public/alice/club%20&amp;%20co.ics",
		"/public/alice/club%20&amp;%20co/?month=2026-12"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Count(body, `class="title">Rehearsal`) != 2 || strings.Contains(body, "Long ago") || strings.Contains(body, "Dentist") {
		t.Errorf("the page shows other events:\n%s", body)
	}
	if r, _ := k.get(strings.TrimSuffix(path, "/")); r.StatusCode != 303 || r.Header.Get("Location") != "/public/alice/club%20&%20co/" {
		t.Errorf("without the slash: got %d to %q", r.StatusCode, r.Header.Get("Location"))
	}
}

// What is not public is not there.
func TestNotPublic(t *testing.T) {
	k := newKit(t)
	k.make("alice", "club", &shelf.Props{Public: true}, "DTSTART:20261124T083000Z|SUMMARY:Rehearsal")
	k.make("alice", "secret", &shelf.Props{DisplayName: "Secret"})
	k.make("gone", "club", &shelf.Props{Public: true})
	if r, _ := k.get("/public/alice/club/"); r.StatusCode != 200 {
		t.Fatalf("got %d", r.StatusCode)
	}
	_, same := k.get("/public/alice/none/")
	for _, path := range []string{"/public/alice/secret/", "/public/alice/secret", "/public/gone/club/", "/public/nobody/club/", "/public/alice/", "/public/", "/public/alice/club/x", "/public/alice/../alice/club/",
		"/public/alice%2Fclub/", "/public/Alice/club/", "/public/alice/%2e%2e/", "/public/alice/~bob~club/", "/public/alice/%ff/", "/elsewhere/"} {
		if r, body := k.get(path); r.StatusCode != 404 || body != same {
			t.Errorf("%s: got %d %q", path, r.StatusCode, body)
		}
	}
}

// The zone is the owner's, or that of the events.
func TestZone(t *testing.T) {
	const vienna, york = "DTSTART;TZID=Europe/Vienna:20261124T083000|SUMMARY:a", "DTSTART;TZID=America/New_York:20261124T083000|SUMMARY:b"
	for i, c := range []struct {
		props  shelf.Props
		events []string
		want   string
	}{
		{shelf.Props{TimezoneID: "Asia/Tokyo"}, []string{vienna}, "Asia/Tokyo"},
		{shelf.Props{}, []string{york, vienna, vienna}, "Europe/Vienna"},
		{shelf.Props{}, []string{york, "DTSTART:20261124T083000Z|SUMMARY:c", "DTSTART;VALUE=DATE:20261124|SUMMARY:d"}, "America/New York"},
		{shelf.Props{}, []string{"DTSTART:20261124T083000Z|SUMMARY:c"}, "UTC"},
		{shelf.Props{}, nil, "UTC"},
	} {
		k := newKit(t)
		c.props.Public = true
		k.make("alice", "club", &c.props, c.events...)
		if _, body := k.get("/public/alice/club/"); !strings.Contains(body, "Times are those of "+c.want+".") {
			t.Errorf("%d: the page does not say %s", i, c.want)
		}
	}
}

// A page changes its tag with the calendar.
func TestTag(t *testing.T) {
	k := newKit(t)
	k.make("alice", "club", &shelf.Props{Public: true})
	first, _ := k.get("/public/alice/club/")
	again, _ := k.get("/public/alice/club/")
	k.make("alice", "other", &shelf.Props{Public: true})
	other, _ := k.get("/public/alice/club/")
	if tag := first.Header.Get("ETag"); tag == "" || again.Header.Get("ETag") != tag || other.Header.Get("ETag") != tag {
		t.Errorf("got tags %s, %s, %s, want one", tag, again.Header.Get("ETag"), other.Header.Get("ETag"))
	}
	err := k.Shelf.Update(t.Context(), store.Change{Author: by, Message: "x\n"}, []string{"alice"}, func(edits map[string]*shelf.Edit) error {
		return edits["alice"].SetProps(shelf.Path{Kind: shelf.Calendars, Collection: "club"}, &shelf.Props{Public: true, DisplayName: "Club"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if after, _ := k.get("/public/alice/club/"); after.Header.Get("ETag") == first.Header.Get("ETag") {
		t.Error("the tag is the same after a change")
	}
}
