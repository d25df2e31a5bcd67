package caldav

import (
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzHandler sends anything as alice: whatever it is, the answer is no fault of
// ours, and nothing of bob's is in it or has changed.
func FuzzHandler(f *testing.F) {
	h := open(f)
	for _, r := range [][3]string{{"PUT", "/calendars/bob/home/x.ics", anEvent("secret", "Secret")}, {"PUT", "/files/bob/x", "Secret"}} {
		h.do("bob", r[0], r[1], r[2]).want(201)
	}
	// An invitation may come to bob; what he has stays.
	his := func(t testing.TB) string {
		tree, err := h.repo.Branch("dav/bob").Tree(context.Background())
		check(t, err)
		_, event, err := tree.Blob("calendars/home/x.ics")
		check(t, err)
		files, err := tree.Lookup("files")
		check(t, err)
		return event.String() + files.Hash.String()
	}
	before := his(f)
	for _, path := range append([]string{"/", "/calendars/alice/home/x.ics", "/files/alice/a", "/calendars/bob/home/x.ics", "/calendars/alice/~bob~home/x.ics"}, hostilePaths...) {
		for _, m := range methods {
			f.Add(m.name, path, "Depth: 1\nDestination: "+path+"\nIf: (<urn:x>)\nOverwrite: F", anEvent("u1", "x"))
		}
	}
	f.Add("PROPFIND", "/calendars/alice/", "Depth: 1", `<propfind xmlns="DAV:"><propname/></propfind>`)
	f.Add("PROPPATCH", "/calendars/alice/home/", "Prefer: return=minimal", `<propertyupdate xmlns="DAV:"><set><prop><displayname>x</displayname></prop></set></propertyupdate>`)
	f.Add("LOCK", "/files/alice/x", "Timeout: Second-5", strings.Replace(lockBody, "%s", "shared", 1))
	f.Add("ACL", "/calendars/alice/home/", "", aclOf(ace("<href>/principals/bob/</href>", "read")))
	f.Add("MKCALENDAR", "/calendars/alice/new/", "", mkcalendarBody("<displayname>X</displayname>"))
	f.Add("REPORT", "/calendars/alice/home/", "Depth: 1", `<C:calendar-multiget xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:"><prop><getetag/></prop><href>/calendars/bob/home/x.ics</href></C:calendar-multiget>`)
	handler := h.service.Handler()
	f.Fuzz(func(t *testing.T, method, path, header, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || method == "" || strings.ContainsAny(method, " \t\r\n") || len(body) > 1<<16 {
			return
		}
		r := httptest.NewRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL, r.RequestURI = method, u, path
		for line := range strings.SplitSeq(header, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Add(name, value)
		}
		r.SetBasicAuth("alice", h.secrets["alice"])
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != 501 && w.Code != 502 && w.Code != 507 {
			t.Errorf("%s %q: got %d", method, path, w.Code)
		}
		if strings.Contains(w.Body.String(), "Secret") && !strings.Contains(body+path+header, "Secret") {
			t.Errorf("%s %q shows what is bob's: %s", method, path, w.Body)
		}
		if after := his(t); after != before {
			t.Errorf("%s %q changed what is bob's", method, path)
		}
	})
}
