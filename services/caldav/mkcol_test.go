package caldav

import (
	"strings"
	"testing"
)

func mkcolBody(props string) string {
	return `<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav" xmlns:I="http://apple.com/ns/ical/"><set><prop>` + props + `</prop></set></mkcol>`
}

func mkcalendarBody(props string) string {
	return strings.ReplaceAll(strings.Replace(mkcolBody(props), "<mkcol ", "<C:mkcalendar ", 1), "</mkcol>", "</C:mkcalendar>")
}

func TestMake(t *testing.T) {
	h := open(t)
	const (
		calendarType = "<resourcetype><collection/><C:calendar/></resourcetype>"
		bookType     = "<resourcetype><collection/><A:addressbook/></resourcetype>"
	)
	for _, c := range []struct {
		method, path, body string
		status             int
		words              string
	}{
		{"MKCALENDAR", "/calendars/alice/a/", "", 201, ""},
		{"MKCALENDAR", "/calendars/alice/b", mkcalendarBody("<displayname>B</displayname><I:calendar-color>#00ff00</I:calendar-color><x xmlns='urn:x'>kept</x>" +
			`<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>`), 201, ""},
		{"MKCOL", "/calendars/alice/c/", mkcolBody(calendarType + "<displayname>C</displayname>"), 201, ""},
		{"MKCOL", "/contacts/alice/d/", mkcolBody(bookType + "<displayname>D</displayname>"), 201, ""},
		{"MKCOL", "/contacts/alice/e/", "", 201, ""},
		{"MKCOL", "/files/alice/f/", mkcolBody("<resourcetype><collection/></resourcetype><displayname>F</displayname>"), 201, ""},
		{"MKCALENDAR", "/calendars/alice/%F0%9F%93%85%20caf%C3%A9/", "", 201, ""},

		{"MKCALENDAR", "/calendars/alice/a/", "", 403, "<d:resource-must-be-null"},
		{"MKCOL", "/calendars/alice/a/", "", 405, ""},
		{"MKCOL", "/files/alice/f/", "", 405, ""},
		{"MKCOL", "/files/alice/", "", 405, ""},
		{"MKCOL", "/calendars/alice/", "", 405, ""},
		{"MKCOL", "/calendars/alice/inbox/", "", 405, ""},
		{"MKCALENDAR", "/contacts/alice/x/", "", 405, ""},
		{"MKCALENDAR", "/files/alice/x/", "", 405, ""},
		{"MKCOL", "/files/alice/none/x/", "", 409, ""},
		{"MKCOL", "/elsewhere/alice/x/", "", 409, ""},
		{"MKCOL", "/calendars/alice/a/sub/", "", 403, "calendar-collection-location-ok"},
		{"MKCALENDAR", "/calendars/alice/a/sub/", "", 403, "calendar-collection-location-ok"},
		{"MKCALENDAR", "/calendars/alice/a/sub/sub/", "", 409, ""},
		{"MKCALENDAR", "/calendars/alice/~bob~home/", "", 404, ""},
		{"MKCALENDAR", "/calendars/alice/~x/", "", 403, ""},
		{"MKCOL", "/calendars/alice/x/", mkcolBody(bookType), 403, "<d:valid-resourcetype"},
		{"MKCOL", "/contacts/alice/x/", mkcolBody(calendarType), 403, "<d:valid-resourcetype"},
		{"MKCOL", "/files/alice/x/", mkcolBody(calendarType), 403, "<d:valid-resourcetype"},
		{"MKCOL", "/calendars/alice/x/", mkcolBody("<resourcetype><C:calendar/></resourcetype>"), 403, "<d:mkcol-response"},
		{"MKCALENDAR", "/calendars/alice/x/", mkcalendarBody("<displayname>X</displayname><getetag>x</getetag>"), 403, "<cal:mkcalendar-response"},
		{"MKCALENDAR", "/calendars/alice/x/", mkcalendarBody("<displayname>X</displayname><getetag>x</getetag>"), 403, "424 Failed Dependency"},
		{"MKCALENDAR", "/calendars/alice/x/", mkcalendarBody(`<C:supported-calendar-component-set><C:comp name="VBOX"/></C:supported-calendar-component-set>`), 403, "supported-calendar-component"},
		{"MKCALENDAR", "/calendars/alice/x/", mkcalendarBody("<C:calendar-timezone>x</C:calendar-timezone>"), 403, "valid-calendar-data"},
		{"MKCOL", "/files/alice/x/", "hello", 400, ""},
		{"MKCALENDAR", "/calendars/alice/x/", mkcolBody(calendarType), 400, ""},
	} {
		a := h.do("alice", c.method, c.path, c.body).want(c.status, c.words)
		if t.Failed() {
			t.Fatalf("%s %s: %s", c.method, c.path, a.body)
		}
		if c.status == 405 && a.header.Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", c.method, c.path)
		}
	}
	h.do("alice", "MKCOL", "/files/alice/x/", "hello", "Content-Type: text/plain").want(415)
	h.do("alice", "MKCOL", "/files/alice/x/", "", "Content-Type: text/plain").want(201)
	h.propfind("alice", "/calendars/alice/b/", "0", "<displayname/><I:calendar-color/><x xmlns='urn:x'/><C:supported-calendar-component-set/>").
		want(207, ">B<", "#00ff00", "kept", `<cal:comp name="VTODO"/>`).without("404", "VEVENT")
	h.propfind("alice", "/files/alice/f/", "0", "<displayname/>").want(207, ">F<")
	// The default calendar did not vanish when the first other one was made.
	h.propfind("alice", "/calendars/alice/", "1", "<displayname/>").want(207, "/calendars/alice/home/", "%F0%9F%93%85%20caf%C3%A9/<").without("/calendars/alice/x/")
}

// TestDelete: a collection goes with all that is in it, and its name is free again.
func TestDelete(t *testing.T) {
	h := open(t)
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", "x")).want(201)
	h.do("alice", "DELETE", "/calendars/alice/home/", "", "Depth: 0").want(400)
	h.do("alice", "DELETE", "/calendars/alice/home/", "", "Depth: infinity").want(204)
	h.do("alice", "GET", "/calendars/alice/home/x.ics", "").want(404)
	h.do("alice", "GET", "/calendars/alice/home/", "").want(404)
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", "x")).want(409)
	h.do("alice", "MKCALENDAR", "/calendars/alice/home/", "").want(201)
	if got := hrefsOf(h.propfind("alice", "/calendars/alice/home/", "1", "<getetag/>").body); len(got) != 1 {
		t.Errorf("made anew, it holds %v", got)
	}
	for _, path := range []string{"/", "/principals/", "/principals/alice/", "/calendars/", "/calendars/alice/", "/contacts/alice/", "/calendars/alice/inbox/", "/calendars/alice/outbox/"} {
		h.do("alice", "DELETE", path, "").want(405)
	}
	h.do("alice", "DELETE", "/files/alice/", "").want(403)
	// The last file of a folder goes; the folder stays, also one that was made by a push.
	h.do("alice", "MKCOL", "/files/alice/a/", "").want(201)
	h.do("alice", "PUT", "/files/alice/a/x", "x").want(201)
	h.do("alice", "DELETE", "/files/alice/a/x", "").want(204)
	h.do("alice", "PROPFIND", "/files/alice/a/", "", "Depth: 0").want(207)
	h.do("alice", "DELETE", "/files/alice/a", "").want(204)
	h.do("alice", "PROPFIND", "/files/alice/a/", "", "Depth: 0").want(404)
}
