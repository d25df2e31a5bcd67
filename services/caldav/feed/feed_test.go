package feed

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"cairn/services/caldav/ical"
	"cairn/services/caldav/shelf"
	"cairn/store/mem"
)

func TestSecretLink(t *testing.T) {
	each(t, func(k *kit) {
		k.put(shelf.Calendars, "home", "a.ics", event("a", "Lunch", "CLASS:PRIVATE"))
		if link := k.feed.Link(k.coll(shelf.Calendars, "home")); link != "" {
			t.Errorf("without a nonce there is a link: %q", link)
		}
		k.props(shelf.Calendars, "home", func(p *shelf.Props) { p.Nonce = "one"; p.DisplayName = "At, home"; p.Color = "#ff0000" })
		c := k.coll(shelf.Calendars, "home")
		link := k.feed.Link(c)
		w := k.get(link)
		for _, want := range []string{"SUMMARY:Lunch", "METHOD:PUBLISH", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", `NAME:At\, home`, "X-APPLE-CALENDAR-COLOR:#ff0000"} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%q is missing in %s", want, w.Body)
			}
		}
		if got := w.Header().Get("Content-Type"); got != "text/calendar; charset=utf-8" {
			t.Errorf("type %q", got)
		}
		etag := w.Header().Get("ETag")
		if etag != `"`+c.CTag()+`"` {
			t.Errorf("ETag %s, want the hash of the folder, %s", etag, c.CTag())
		}
		if w := k.get(link, "If-None-Match", `"x", W/`+etag); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("not modified: %d, %d bytes", w.Code, w.Body.Len())
		}
		k.put(shelf.Calendars, "home", "b.ics", event("b", "Dinner"))
		if w := k.get(link, "If-None-Match", etag); w.Code != http.StatusOK {
			t.Errorf("after a change: %d", w.Code)
		}
		for what, path := range map[string]string{
			"as an address book":     strings.TrimSuffix(link, ".ics") + ".vcf",
			"shortened":              link[:len(link)-8] + ".ics",
			"changed":                link[:10] + "AAAA" + link[14:],
			"of nobody":              "/feed/AAAAAAAAAAAAAAAAAAAAAAAA.ics",
			"of somebody else's key": (&Service{Shelf: k.Shelf}).Link(c),
			"public":                 "/public/alice/home.ics",
		} {
			if w := k.get(path); w.Code != http.StatusNotFound {
				t.Errorf("a link %s (%s): %d, want 404", what, path, w.Code)
			}
		}
		k.props(shelf.Calendars, "home", func(p *shelf.Props) { p.Nonce = "two" })
		if w := k.get(link); w.Code != http.StatusNotFound {
			t.Errorf("after it was revoked: %d", w.Code)
		}
		k.removed = true
		if w := k.get(k.feed.Link(k.coll(shelf.Calendars, "home"))); w.Code != http.StatusNotFound {
			t.Errorf("of who has no account any more: %d", w.Code)
		}
		k.removed = false
		if w := k.get(k.feed.Link(k.coll(shelf.Calendars, "home"))); w.Code != http.StatusOK {
			t.Errorf("the new one: %d", w.Code)
		}
	})
}

func TestPublic(t *testing.T) {
	each(t, func(k *kit) {
		alarm := "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nDESCRIPTION:x\nEND:VALARM"
		k.put(shelf.Calendars, "home", "open.ics", event("open", "Open", "LOCATION:Park", "ATTENDEE:mailto:bob@example.com", "ORGANIZER:mailto:alice@example.com", "X-SECRET:1", alarm))
		k.put(shelf.Calendars, "home", "private.ics", event("private", "Private", "CLASS:PRIVATE"))
		k.put(shelf.Calendars, "home", "odd.ics", event("odd", "Odd", "CLASS:X-WORK"))
		k.put(shelf.Calendars, "home", "busy.ics", event("busy", "Doctor", "CLASS:CONFIDENTIAL", "DESCRIPTION:where"))
		if w := k.get("/public/alice/home.ics"); w.Code != http.StatusNotFound {
			t.Errorf("before it is public: %d", w.Code)
		}
		k.props(shelf.Calendars, "home", func(p *shelf.Props) { p.Public = true })
		path := Public(k.coll(shelf.Calendars, "home"))
		w := k.get(path)
		body := w.Body.String()
		for _, want := range []string{"SUMMARY:Open", "LOCATION:Park", "UID:busy", "SUMMARY:Busy"} {
			if !strings.Contains(body, want) {
				t.Errorf("%q is missing in %s", want, body)
			}
		}
		for _, no := range []string{"example.com", "X-SECRET", "VALARM", "Private", "Odd", "Doctor", "where"} {
			if strings.Contains(body, no) {
				t.Errorf("%q is in %s", no, body)
			}
		}
		if _, err := ical.Parse(w.Body.Bytes()); err != nil {
			t.Error(err)
		}
		r := httptest.NewRequest(http.MethodHead, path, nil)
		h := httptest.NewRecorder()
		k.feed.ServeHTTP(h, r)
		if h.Code != http.StatusOK || h.Body.Len() > 0 || h.Header().Get("ETag") != w.Header().Get("ETag") {
			t.Errorf("HEAD: %d %v", h.Code, h.Header())
		}
		for _, path := range []string{"/public/alice/none.ics", "/public/none/home.ics", "/public/../alice/home.ics", "/public/alice%2f..%2fbob/home.ics", "/public/alice/home", "/public/", "/public/alice/home.vcf", "/feed/", "/"} {
			if w := k.get(path); w.Code != http.StatusNotFound {
				t.Errorf("%s: %d, want 404", path, w.Code)
			}
		}
		r = httptest.NewRequest(http.MethodPut, path, nil)
		h = httptest.NewRecorder()
		k.feed.ServeHTTP(h, r)
		if h.Code != http.StatusMethodNotAllowed {
			t.Errorf("PUT: %d", h.Code)
		}
	})
}

func TestAddressBook(t *testing.T) {
	each(t, func(k *kit) {
		one := "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Bob\r\nN:Bob;;;;\r\nEND:VCARD"
		two := strings.NewReplacer("Bob", "Carol", "UID:1", "UID:2").Replace(one)
		k.put(shelf.Contacts, "contacts", "1.vcf", one)
		k.put(shelf.Contacts, "contacts", "2.vcf", two+"\r\n\r\n")
		k.props(shelf.Contacts, "contacts", func(p *shelf.Props) { p.Nonce = "x" })
		w := k.get(k.feed.Link(k.coll(shelf.Contacts, "contacts")))
		if got, want := w.Body.String(), one+"\r\n"+two+"\r\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got := w.Header().Get("Content-Type"); got != "text/vcard; charset=utf-8" {
			t.Errorf("type %q", got)
		}
	})
}

// TestZones merges objects that bring time zones of the same names.
func TestZones(t *testing.T) {
	each(t, func(k *kit) {
		k.put(shelf.Calendars, "home", "a.ics", zoned("a", "Europe/Vienna", "+0100"))
		k.put(shelf.Calendars, "home", "b.ics", zoned("b", "Europe/Vienna", "+0100"))
		k.put(shelf.Calendars, "home", "c.ics", zoned("c", "Mine", "+0200"))
		k.put(shelf.Calendars, "home", "d.ics", zoned("d", "Mine", "+0300"))
		k.put(shelf.Calendars, "home", "e.ics", zoned("e", "Mine", "+0300"))
		k.props(shelf.Calendars, "home", func(p *shelf.Props) { p.Nonce = "x" })
		w := k.get(k.feed.Link(k.coll(shelf.Calendars, "home")))
		cal, err := ical.Parse(w.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		var zones []string
		for z := range cal.Root.Sub("VTIMEZONE") {
			zones = append(zones, z.Value("TZID"))
		}
		if want := []string{"Europe/Vienna", "Mine", "Mine 2"}; !slices.Equal(zones, want) {
			t.Errorf("zones: got %q, want %q", zones, want)
		}
		hours := map[string]int{}
		for c, err := range ical.Split(w.Body.Bytes()) {
			if err != nil {
				t.Fatal(err)
			}
			for i, err := range c.Instances(ical.TimeRange{}, nil, 1) {
				if err != nil {
					t.Fatal(err)
				}
				hours[c.UID] = i.Start.UTC().Hour()
			}
		}
		for uid, want := range map[string]int{"a": 9, "b": 9, "c": 8, "d": 7, "e": 7} {
			if hours[uid] != want {
				t.Errorf("%s begins at %d UTC, want %d", uid, hours[uid], want)
			}
		}
	})
}

// TestLargeFeed is sent in several chunks.
func TestLargeFeed(t *testing.T) {
	each(t, func(k *kit) {
		k.update(func(e *shelf.Edit) error {
			for i := range 300 {
				uid := fmt.Sprint("u", i)
				o, err := k.Parse(shelf.Calendars, []byte(event(uid, strings.Repeat("long ", 200))))
				if err != nil {
					return err
				}
				if _, err := e.Put(shelf.Path{Kind: shelf.Calendars, Collection: "home", Name: uid + ".ics"}, o); err != nil {
					return err
				}
			}
			return nil
		})
		k.props(shelf.Calendars, "home", func(p *shelf.Props) { p.Public = true })
		w := k.get("/public/alice/home.ics")
		cal, err := ical.Parse(w.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for range cal.Root.Sub("VEVENT") {
			n++
		}
		if n != 300 {
			t.Errorf("%d events, want 300", n)
		}
	})
}

func FuzzPath(f *testing.F) {
	f.Add("/feed/AAAA.ics")
	f.Add("/public/alice/home.ics")
	f.Add("/public/%2e%2e/a%2f.vcf")
	f.Fuzz(func(t *testing.T, path string) {
		k := newKit(t, mem.New())
		if c, _, err := k.feed.find(t.Context(), path); err == nil {
			t.Errorf("%q: nobody has anything, but there is %v", path, c.Path())
		}
	})
}
