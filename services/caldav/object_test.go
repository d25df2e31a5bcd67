package caldav

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"cairn/services/caldav/shelf"
	"cairn/store/mem"
)

// TestPutGet: what was put is what comes back, byte for byte, under a strong ETag
// that is git's hash of it.
func TestPutGet(t *testing.T) {
	h := open(t)
	for _, c := range []struct{ path, body, contentType string }{
		{"/calendars/alice/home/x.ics", anEvent("u1", "Grüße, \\n"), "text/calendar; charset=utf-8; component=VEVENT"},
		{"/calendars/alice/home/without-extension", strings.ReplaceAll(anEvent("u2", "bare"), "\r\n", "\n"), "text/calendar; charset=utf-8; component=VEVENT"},
		{"/calendars/alice/home/caf%C3%A9%20%26%3C.ics", strings.ReplaceAll(anEvent("u3", "x"), "VEVENT", "VTODO"), ""},
		{"/contacts/alice/contacts/c.vcf", aCard("c1", "Carol"), "text/vcard; charset=utf-8"},
		{"/files/alice/notes.txt", "\x00any\xff bytes", "text/plain; charset=utf-8"},
		{"/files/alice/empty", "", "application/octet-stream"},
	} {
		if c.contentType == "" {
			c.body = strings.ReplaceAll(c.body, "DTEND:", "DUE:")
			c.contentType = "text/calendar; charset=utf-8; component=VTODO"
		}
		put := h.do("alice", "PUT", c.path, c.body, "If-None-Match: *").want(201)
		etag := put.header.Get("ETag")
		if len(etag) != 42 || etag[0] != '"' {
			t.Errorf("%s: ETag %q", c.path, etag)
		}
		got := h.do("alice", "GET", c.path, "").want(200)
		if got.body != c.body || got.header.Get("ETag") != etag || got.header.Get("Content-Type") != c.contentType {
			t.Errorf("%s: got %q of type %q with ETag %s, want ETag %s", c.path, got.body, got.header.Get("Content-Type"), got.header.Get("ETag"), etag)
		}
		head := h.do("alice", "HEAD", c.path, "").want(200)
		if head.body != "" || head.header.Get("ETag") != etag || head.header.Get("Content-Length") != fmt.Sprint(len(c.body)) {
			t.Errorf("HEAD %s: got %q, %v", c.path, head.body, head.header)
		}
		h.do("alice", "GET", c.path, "", "If-None-Match: "+etag).want(304)
		h.do("alice", "GET", c.path, "", "If-None-Match: W/"+etag).want(304)
		h.do("alice", "GET", c.path, "", `If-None-Match: "other", `+etag).want(304)
		h.do("alice", "GET", c.path, "", `If-None-Match: "other"`).want(200)
		h.do("alice", "GET", c.path, "", `If-Match: "other"`).want(412)
		h.do("alice", "GET", c.path, "", "If-Match: "+etag).want(200)
		h.do("alice", "PUT", c.path, c.body, "If-None-Match: *").want(412)
		h.do("alice", "PUT", c.path, c.body, `If-Match: "other"`).want(412)
		h.do("alice", "PUT", c.path, c.body, "If-Match: W/"+etag).want(412)
		h.do("alice", "PUT", c.path, c.body, "If-Match: "+etag).want(204)
		h.propfind("alice", c.path, "0", "<getetag/><getcontenttype/><getcontentlength/><resourcetype/>").
			want(207, "<d:getetag>"+etag+"</d:getetag>", "<d:getcontenttype>"+c.contentType, fmt.Sprintf("<d:getcontentlength>%d<", len(c.body))).without("404")
		h.do("alice", "DELETE", c.path, "", `If-Match: "other"`).want(412)
		h.do("alice", "DELETE", c.path, "", "If-Match: "+etag).want(204)
		h.do("alice", "DELETE", c.path, "").want(404)
		h.do("alice", "GET", c.path, "").want(404)
		h.do("alice", "PUT", c.path, c.body, "If-Match: *").want(412)
	}
}

func TestPreferRepresentation(t *testing.T) {
	h := open(t)
	const path = "/calendars/alice/home/x.ics"
	one, two := anEvent("u1", "one"), anEvent("u1", "two")
	for _, c := range []struct {
		body   string
		header string
		status int
		got    string
	}{
		{one, "If-None-Match: *", 201, one},
		{two, "X: y", 200, two},
		{one, `If-Match: "other"`, 412, two},
	} {
		a := h.do("alice", "PUT", path, c.body, "Prefer: return=representation", c.header).want(c.status)
		if a.body != c.got || a.header.Get("ETag") == "" || a.header.Get("Content-Location") != path || a.header.Get("Preference-Applied") != "return=representation" {
			t.Errorf("got %q with %v", a.body, a.header)
		}
	}
}

// TestPreconditions: each is refused by its name (RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1).
func TestPreconditions(t *testing.T) {
	h := openOn(t, mem.New(), shelf.Options{MaxResource: 100 << 10})
	h.do("alice", "MKCALENDAR", "/calendars/alice/tasks/", `<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop>`+
		`<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></prop></set></C:mkcalendar>`, "Content-Type: application/xml").want(201)
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", "x")).want(201)
	h.do("alice", "PUT", "/contacts/alice/contacts/x.vcf", aCard("c1", "x")).want(201)
	event, card := "/calendars/alice/home/new.ics", "/contacts/alice/contacts/new.vcf"
	for _, c := range []struct {
		name, path, body string
		status           int
		words            []string
		header           []string
	}{
		{"not iCalendar", event, "hello", 403, []string{"<cal:valid-calendar-data"}, nil},
		{"a card", event, aCard("c2", "x"), 403, []string{"<cal:"}, nil},
		{"two UIDs", event, strings.Replace(anEvent("a", "x"), "END:VCALENDAR", strings.SplitAfter(strings.SplitN(anEvent("b", "y"), "//EN\r\n", 2)[1], "END:VEVENT\r\n")[0]+"END:VCALENDAR", 1),
			403, []string{"<cal:valid-calendar-object-resource"}, nil},
		{"with METHOD", event, strings.Replace(anEvent("a", "x"), "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST", 1), 403, []string{"<cal:valid-calendar-object-resource"}, nil},
		{"iCalendar 1.0", event, strings.Replace(anEvent("a", "x"), "VERSION:2.0", "VERSION:1.0", 1), 403, []string{"<cal:supported-calendar-data"}, nil},
		{"component", "/calendars/alice/tasks/new.ics", anEvent("a", "x"), 403, []string{"<cal:supported-calendar-component"}, nil},
		{"UID taken", event, anEvent("u1", "y"), 403, []string{"<cal:no-uid-conflict><d:href>/calendars/alice/home/x.ics</d:href>"}, nil},
		{"another UID", "/calendars/alice/home/x.ics", anEvent("u2", "y"), 403, []string{"<cal:no-uid-conflict><d:href>/calendars/alice/home/x.ics</d:href>"}, nil},
		{"too large", event, anEvent("a", strings.Repeat("x", 110<<10)), 403, []string{"<cal:max-resource-size"}, nil},
		{"far too large", event, anEvent("a", strings.Repeat("x", 500<<10)), 413, []string{"<cal:max-resource-size"}, nil},
		{"attendees", event, strings.Replace(anEvent("a", "x"), "SUMMARY", strings.Repeat("ATTENDEE:mailto:bob@example.org\r\n", 1001)+"SUMMARY", 1), 403, []string{"<cal:max-attendees-per-instance"}, nil},
		{"instances", event, strings.Replace(anEvent("a", "x"), "SUMMARY", "RRULE:FREQ=MINUTELY;COUNT=60000\r\nSUMMARY", 1), 403, []string{"<cal:max-instances"}, nil},
		{"type", event, anEvent("a", "x"), 415, []string{"<cal:supported-calendar-data"}, []string{"Content-Type: application/json"}},
		{"part", event, anEvent("a", "x"), 400, nil, []string{"Content-Range: bytes 0-3/10"}},
		{"encoded", event, anEvent("a", "x"), 415, nil, []string{"Content-Encoding: gzip"}},
		{"no calendar", "/calendars/alice/none/new.ics", anEvent("a", "x"), 409, nil, nil},
		{"in an object", "/calendars/alice/home/x.ics/y.ics", anEvent("a", "x"), 409, nil, nil},
		{"the calendar itself", "/calendars/alice/home/", anEvent("a", "x"), 405, nil, nil},
		{"handmade name", "/calendars/alice/home/~a~b.ics", anEvent("a", "x"), 403, nil, nil},

		{"no card", card, "hello", 403, []string{"<card:valid-address-data"}, nil},
		{"an event", card, anEvent("a", "x"), 403, []string{"<card:"}, nil},
		{"UID taken", card, aCard("c1", "y"), 403, []string{"<card:no-uid-conflict><d:href>/contacts/alice/contacts/x.vcf</d:href>"}, nil},
		{"too large", card, aCard("a", strings.Repeat("x", 110<<10)), 403, []string{"<card:max-resource-size"}, nil},
		{"type", card, aCard("a", "x"), 415, []string{"<card:supported-address-data"}, []string{"Content-Type: text/calendar"}},
		{"no book", "/contacts/alice/none/new.vcf", aCard("a", "x"), 409, nil, nil},

		{"no folder", "/files/alice/none/new", "x", 409, nil, nil},
		{"too large", "/files/alice/new", strings.Repeat("x", 110<<10), 413, nil, nil},
		{"a folder", "/files/alice/", "x", 405, nil, nil},
	} {
		a := h.do("alice", "PUT", c.path, c.body, c.header...).want(c.status, c.words...)
		if t.Failed() {
			t.Fatalf("%s (%s): %s", c.name, c.path, a.body)
		}
		if c.status != 405 && !strings.HasSuffix(c.path, "/x.ics") {
			h.do("alice", "GET", c.path, "").want(404)
		}
	}
	h.do("alice", "PUT", event, strings.Replace(anEvent("a", "x"), "SUMMARY", "RRULE:FREQ=DAILY;UNTIL=99991231T000000Z\r\nSUMMARY", 1)).want(201)
}

func TestQuota(t *testing.T) {
	h := openOn(t, mem.New(), shelf.Options{Quota: 2000})
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", strings.Repeat("x", 1000))).want(201)
	h.do("alice", "PUT", "/calendars/alice/home/y.ics", anEvent("u2", strings.Repeat("x", 1000))).want(507, "quota-not-exceeded")
	h.do("alice", "MKCOL", "/files/alice/a/", "").want(201)
	h.do("alice", "PUT", "/files/alice/a/x", strings.Repeat("x", 300)).want(201)
	h.do("alice", "PUT", "/files/alice/a/y", strings.Repeat("x", 1000)).want(507, "quota-not-exceeded")
	h.do("alice", "PUT", "/files/alice/a/x", strings.Repeat("y", 250)).want(204)
	h.do("alice", "COPY", "/files/alice/a/", "", "Destination: /files/alice/b/").want(201)
	h.do("alice", "COPY", "/files/alice/b/", "", "Destination: /files/alice/a/b/").want(201)
	h.do("alice", "COPY", "/files/alice/a/", "", "Destination: /files/alice/c/").want(507)
	h.do("alice", "MOVE", "/files/alice/a/", "", "Destination: /files/alice/c/").want(201)
	a := h.propfind("alice", "/calendars/alice/home/", "0", "<quota-used-bytes/><quota-available-bytes/>").want(207)
	var used, free int
	if _, err := fmt.Sscanf(between(a.body, "<d:quota-used-bytes>", "<"), "%d", &used); err != nil || used < 1750 {
		t.Errorf("used: %d, %v", used, err)
	}
	if _, err := fmt.Sscanf(between(a.body, "<d:quota-available-bytes>", "<"), "%d", &free); err != nil || used+free != 2000 {
		t.Errorf("free: %d, %v", free, err)
	}
}

// between is what stands between two texts.
func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// TestOneWins: of concurrent writes on the same condition exactly one is done.
func TestOneWins(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/calendars/alice/home/x.ics", "/files/alice/x"} {
		for round, condition := range []string{"If-None-Match: *", "", ""} {
			if condition == "" {
				condition = "If-Match: " + h.do("alice", "GET", path, "").want(200).header.Get("ETag")
			}
			var wins, losses atomic.Int32
			var winner atomic.Value
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					body := anEvent("u1", fmt.Sprintf("round %d by %d", round, i))
					switch a := h.do("alice", "PUT", path, body, condition); a.status {
					case 201, 204:
						wins.Add(1)
						winner.Store(body)
					case 412:
						losses.Add(1)
					default:
						t.Errorf("got %d: %s", a.status, a.body)
					}
				})
			}
			all.Wait()
			if wins.Load() != 1 || losses.Load() != 7 {
				t.Errorf("%s %s: %d have won, %d lost", path, condition, wins.Load(), losses.Load())
			}
			if got := h.do("alice", "GET", path, "").body; got != winner.Load() {
				t.Errorf("%s: got %q, want what has won", path, got)
			}
		}
	}
}

// TestUnconditional: writes of different objects at once are all done.
func TestUnconditional(t *testing.T) {
	h := open(t)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 5 {
				h.do("alice", "PUT", fmt.Sprintf("/calendars/alice/home/%d-%d.ics", i, j), anEvent(fmt.Sprintf("u%d-%d", i, j), "x")).want(201)
				h.propfind("alice", "/calendars/alice/home/", "1", "<getetag/>").want(207)
			}
		})
	}
	all.Wait()
	a := h.propfind("alice", "/calendars/alice/home/", "1", "<getetag/>").want(207)
	if got := strings.Count(a.body, "<d:response>"); got != 21 {
		t.Errorf("got %d responses, want 21", got)
	}
}

// meanwhile is a body of which the second half is not sent before something else has
// happened.
type meanwhile struct {
	text string
	then func()
	read bool
}

func (m *meanwhile) Read(p []byte) (int, error) {
	if m.text == "" {
		return 0, io.EOF
	}
	if m.read {
		m.then()
	}
	m.read = true
	n := copy(p, m.text[:(len(m.text)+1)/2])
	m.text = m.text[n:]
	return n, nil
}

// Two write the same event at once, without saying which version they replace: what does not
// contradict is merged, and of what does nothing is lost.
func TestPutMeanwhile(t *testing.T) {
	h := open(t)
	const path = "/calendars/alice/home/a.ics"
	put := func(theirs, ours string) {
		t.Helper()
		h.do("alice", "PUT", path, anEvent("a", "Lunch")).want(201)
		body := &meanwhile{text: ours, then: func() {
			h.edit("alice", func(e *shelf.Edit) error {
				o, err := h.service.Shelf.Parse(shelf.Calendars, []byte(theirs))
				if err != nil {
					return err
				}
				_, err = e.Put(shelf.Path{Kind: shelf.Calendars, Collection: "home", Name: "a.ics"}, o)
				return err
			})
		}}
		req := httptest.NewRequest("PUT", path, body)
		req.SetBasicAuth("alice", h.secrets["alice"])
		w := httptest.NewRecorder()
		h.service.Handler().ServeHTTP(w, req)
		if w.Code != http.StatusNoContent || w.Header().Get("ETag") != "" {
			t.Errorf("got %d and ETag %q, want 204 and none", w.Code, w.Header().Get("ETag"))
		}
	}
	put(strings.Replace(anEvent("a", "Lunch"), "SUMMARY", "LOCATION:Garden\r\nSUMMARY", 1), anEvent("a", "Dinner"))
	h.do("alice", "GET", path, "").want(200, "SUMMARY:Dinner", "LOCATION:Garden")
	h.do("alice", "DELETE", path, "").want(204)

	put(anEvent("a", "Breakfast"), anEvent("a", "Dinner"))
	h.do("alice", "GET", path, "").want(200, "SUMMARY:Breakfast")
	h.do("alice", "GET", h.one("alice", "/calendars/alice/conflicts/"), "").want(200, "SUMMARY:Dinner")
}
