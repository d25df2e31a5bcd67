package caldav

import (
	"testing"
)

func TestCopyMove(t *testing.T) {
	h := open(t)
	must := func(a *answer, status int) *answer {
		t.Helper()
		if a.want(status); a.status != status {
			t.FailNow()
		}
		return a
	}
	const home, work = "/calendars/alice/home/", "/calendars/alice/work/"
	must(h.do("alice", "MKCALENDAR", work, ""), 201)
	put := must(h.do("alice", "PUT", home+"x.ics", anEvent("u1", "x")), 201)
	must(h.do("alice", "PROPPATCH", home+"x.ics", `<propertyupdate xmlns="DAV:"><set><prop><mood xmlns="urn:x">good</mood></prop></set></propertyupdate>`), 207)

	// Within a calendar, its UID is in its own way.
	must(h.do("alice", "COPY", home+"x.ics", "", "Destination: "+home+"y.ics"), 403).want(403, "<cal:no-uid-conflict><d:href>"+home+"x.ics<")
	must(h.do("alice", "MOVE", home+"x.ics", "", "Destination: "+home+"y.ics"), 201)
	must(h.do("alice", "GET", home+"x.ics", ""), 404)
	// To another one, with an absolute URL too, and over what is there.
	must(h.do("alice", "COPY", home+"y.ics", "", "Destination: "+h.server.URL+work+"x.ics"), 201)
	if got := must(h.do("alice", "GET", work+"x.ics", ""), 200).header.Get("ETag"); got != put.header.Get("ETag") {
		t.Errorf("copied, the ETag is %s", got)
	}
	h.propfind("alice", work+"x.ics", "0", `<mood xmlns="urn:x"/>`).want(207, ">good<")
	must(h.do("alice", "COPY", home+"y.ics", "", "Destination: "+work+"x.ics", "Overwrite: F"), 412)
	must(h.do("alice", "COPY", home+"y.ics", "", "Destination: "+work+"x.ics"), 204)
	must(h.do("alice", "PUT", work+"z.ics", anEvent("u2", "z")), 201)
	must(h.do("alice", "MOVE", home+"y.ics", "", "Destination: "+work+"z.ics"), 403).want(403, "no-uid-conflict")
	must(h.do("alice", "GET", home+"y.ics", ""), 200)
	must(h.do("alice", "MOVE", work+"x.ics", "", "Destination: "+work+"z.ics", `If-Match: "other"`), 412)
	must(h.do("alice", "MOVE", work+"x.ics", "", "Destination: "+work+"z.ics"), 204)
	must(h.do("alice", "GET", work+"z.ics", ""), 200).want(200, "SUMMARY:x")

	// Whole calendars.
	must(h.do("alice", "COPY", work, "", "Destination: /calendars/alice/copy/"), 201)
	must(h.do("alice", "GET", "/calendars/alice/copy/z.ics", ""), 200)
	must(h.do("alice", "COPY", work, "", "Destination: /calendars/alice/empty/", "Depth: 0"), 201)
	must(h.do("alice", "GET", "/calendars/alice/empty/z.ics", ""), 404)
	must(h.do("alice", "MOVE", work, "", "Destination: /calendars/alice/empty/", "Overwrite: F"), 412)
	must(h.do("alice", "MOVE", work, "", "Destination: /calendars/alice/empty"), 204)
	must(h.do("alice", "GET", "/calendars/alice/empty/z.ics", ""), 200)
	must(h.do("alice", "GET", work+"z.ics", ""), 404)

	for _, c := range []struct {
		method, from, to string
		header           string
		status           int
	}{
		{"COPY", home + "none.ics", work + "x.ics", "", 404},
		{"COPY", home + "y.ics", "/calendars/alice/none/x.ics", "", 409},
		{"COPY", home + "y.ics", "/calendars/alice/", "", 403},
		{"COPY", home + "y.ics", "/calendars/alice/new/", "", 403},
		{"COPY", home + "y.ics", "/contacts/alice/contacts/x.vcf", "", 403},
		{"COPY", home + "y.ics", "/files/alice/x.ics", "", 403},
		{"COPY", home + "y.ics", "/calendars/bob/home/x.ics", "", 403},
		{"COPY", home + "y.ics", "/calendars/alice/inbox/x.ics", "", 403},
		{"COPY", home + "y.ics", home + "y.ics", "", 403},
		{"MOVE", home, home + "y.ics", "", 403},
		{"COPY", home, "/calendars/alice/~bob~home/", "", 404},
		{"COPY", home + "y.ics", "http://elsewhere.example/x.ics", "", 502},
		{"COPY", home + "y.ics", "", "", 400},
		{"COPY", home, "/calendars/alice/new/", "Depth: 1", 400},
		{"MOVE", home, "/calendars/alice/new/", "Depth: 0", 400},
		{"COPY", home + "y.ics", "/calendars/alice/empty/q.ics", "Overwrite: X", 400},
		{"MOVE", "/calendars/alice/", "/calendars/alice/new/", "", 405},
		{"MOVE", "/files/alice/", "/files/alice/x/", "", 403},
		{"COPY", "/principals/alice/", "/files/alice/x", "", 405},
	} {
		header := []string{"Destination: " + c.to}
		if c.header != "" {
			header = append(header, c.header)
		}
		a := h.do("alice", c.method, c.from, "", header...)
		if a.status != c.status {
			t.Errorf("%s %s to %s: got %d, want %d: %s", c.method, c.from, c.to, a.status, c.status, a.body)
		}
	}
	must(h.do("alice", "MKCALENDAR", "/calendars/alice/tasks/", mkcalendarBody(`<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>`)), 201)
	must(h.do("alice", "COPY", home+"y.ics", "", "Destination: /calendars/alice/tasks/y.ics"), 403).want(403, "supported-calendar-component")
}

// TestCopyFiles is what litmus does not ask.
func TestCopyFiles(t *testing.T) {
	h := open(t)
	const mood = `<propertyupdate xmlns="DAV:"><set><prop><mood xmlns="urn:x">good</mood></prop></set></propertyupdate>`
	h.do("alice", "MKCOL", "/files/alice/a/", "").want(201)
	h.do("alice", "PUT", "/files/alice/a/x", "x").want(201)
	h.do("alice", "PROPPATCH", "/files/alice/a/", mood).want(207)
	h.do("alice", "PROPPATCH", "/files/alice/a/x", mood).want(207)
	h.do("alice", "COPY", "/files/alice/a/", "", "Destination: /files/alice/b/").want(201)
	h.do("alice", "COPY", "/files/alice/a/", "", "Destination: /files/alice/c/", "Depth: 0").want(201)
	for path, status := range map[string]int{"/files/alice/b/": 207, "/files/alice/b/x": 207, "/files/alice/c/": 207, "/files/alice/c/x": 404} {
		if a := h.propfind("alice", path, "0", `<mood xmlns="urn:x"/>`).want(status); status == 207 {
			a.want(207, ">good<")
		}
	}
	h.do("alice", "PUT", "/files/alice/plain", "plain").want(201)
	h.do("alice", "COPY", "/files/alice/plain", "", "Destination: /files/alice/b/x").want(204)
	h.propfind("alice", "/files/alice/b/x", "0", `<mood xmlns="urn:x"/>`).want(207, "404") // it is another file now
	h.do("alice", "MOVE", "/files/alice/b/x", "", "Destination: /files/alice/y").want(201)
	h.do("alice", "PROPFIND", "/files/alice/b/", "", "Depth: 0").want(207) // empty, and there
	h.do("alice", "COPY", "/files/alice/a/", "", "Destination: /files/alice/a/b/").want(403)
	h.do("alice", "MOVE", "/files/alice/a/x", "", "Destination: /files/alice/a").want(403)
	h.do("alice", "COPY", "/files/alice/y", "", "Destination: /files/alice/a/").want(204)
	h.do("alice", "GET", "/files/alice/a", "").want(200, "plain")
	h.do("alice", "PUT", "/files/alice/a/x", "x").want(409)
}
