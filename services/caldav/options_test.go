package caldav

import (
	"slices"
	"strings"
	"testing"
)

// aPlaceOf is a path of each kind that exists in a house that was furnished.
var aPlaceOf = map[kind]string{
	root: "/", principals: "/principals/", principal: "/principals/alice/", homes: "/calendars/",
	calendarHome: "/calendars/alice/", contactHome: "/contacts/alice/", calendar: "/calendars/alice/home/", inbox: "/calendars/alice/inbox/",
	outbox: "/calendars/alice/outbox/", addressbook: "/contacts/alice/contacts/", event: "/calendars/alice/home/x.ics",
	card: "/contacts/alice/contacts/x.vcf", folder: "/files/alice/a/", file: "/files/alice/x",
}

func furnished(t testing.TB) *house {
	h := open(t)
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", "x")).want(201)
	h.do("alice", "PUT", "/contacts/alice/contacts/x.vcf", aCard("u1", "x")).want(201)
	h.do("alice", "PUT", "/files/alice/x", "x").want(201)
	h.do("alice", "MKCOL", "/files/alice/a/", "").want(201)
	return h
}

// TestAllow: what the Allow header names is answered, and what it does not is 405.
func TestAllow(t *testing.T) {
	h := furnished(t)
	for k, path := range aPlaceOf {
		allow := strings.Split(h.do("alice", "OPTIONS", path, "").want(200).header.Get("Allow"), ", ")
		for _, m := range methods {
			if m.name == "DELETE" || m.name == "MOVE" {
				continue // the house is needed further on; TestDelete has them
			}
			a := h.do("alice", m.name, path, "nonsense", "Depth: 0", "Destination: /nowhere", "Lock-Token: <urn:uuid:none>")
			refused := a.status == 405 || a.status == 501
			// What exists cannot be made, though its name could.
			if named := slices.Contains(allow, m.name); named == refused && !strings.HasPrefix(m.name, "MK") && !(m.name == "PUT" && k == folder) {
				t.Errorf("%s %s (kind %d): got %d, Allow is %v", m.name, path, k, a.status, allow)
			}
			if a.status == 405 && a.header.Get("Allow") == "" {
				t.Errorf("%s %s: 405 without Allow", m.name, path)
			}
		}
		h.do("alice", "BREW", path, "").want(501)
	}
}

// TestFeatures: the DAV header says what is true of the resource.
func TestFeatures(t *testing.T) {
	h := furnished(t)
	for path, want := range map[string]string{
		"/":                            "1, 3, access-control, calendar-access, calendar-auto-schedule, addressbook",
		"/principals/alice/":           "1, 3, access-control, calendar-access, calendar-auto-schedule, addressbook",
		"/calendars/alice/":            "1, 2, 3, access-control, extended-mkcol, calendar-access, calendar-auto-schedule, addressbook",
		"/calendars/alice/home/":       "1, 2, 3, access-control, extended-mkcol, calendar-access, calendar-auto-schedule, calendarserver-sharing",
		"/calendars/alice/home/x.ics":  "1, 2, 3, access-control, calendar-access, calendar-auto-schedule",
		"/contacts/alice/contacts/":    "1, 2, 3, access-control, extended-mkcol, addressbook, calendarserver-sharing",
		"/contacts/alice/contacts/new": "1, 2, 3, access-control, addressbook",
		"/files/alice/":                "1, 2, 3, access-control, extended-mkcol",
		"/files/alice/x":               "1, 2, 3, access-control",
	} {
		if got := h.do("alice", "OPTIONS", path, "").want(200).header.Get("DAV"); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// TestList: a browser sees what is there, and runs nothing of it.
func TestList(t *testing.T) {
	h := furnished(t)
	h.do("alice", "PUT", "/files/alice/%3Cscript%3E.html", "<script>alert(1)</script>").want(201)
	for _, path := range aPlaceOf {
		a := h.do("alice", "GET", path, "").want(200)
		if csp := a.header.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
	}
	h.do("alice", "GET", "/files/alice/", "").want(200, "&lt;script&gt;.html", `href="/files/alice/%3Cscript%3E.html"`).without("<script>")
	h.do("alice", "GET", "/calendars/alice/home/", "").want(200, "<h1>Calendar</h1>", `<a href="/calendars/alice/home/x.ics">x.ics</a>`, `href="/calendars/alice/"`)
	if a := h.do("alice", "HEAD", "/calendars/alice/home/", "").want(200); a.body != "" {
		t.Errorf("HEAD has a body")
	}
}
