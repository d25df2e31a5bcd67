package caldav

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cairn/services/caldav/shelf"
)

const lockBody = `<lockinfo xmlns="DAV:"><lockscope><%s/></lockscope><locktype><write/></locktype><owner>me &amp; <href>mailto:alice@example.org</href></owner></lockinfo>`

func (h *house) lock(user, path, scope string, header ...string) (*answer, string) {
	h.t.Helper()
	a := h.do(user, "LOCK", path, fmt.Sprintf(lockBody, scope), header...)
	return a, strings.Trim(a.header.Get("Lock-Token"), "<>")
}

// TestLockCalendar: litmus tries locks below /files/; these are in a calendar, which
// two people write.
func TestLockCalendar(t *testing.T) {
	h := open(t)
	now := time.Now() // a clock that stands still: nothing is taken off a lock's time
	h.service.Now = func() time.Time { return now }
	const cal = "/calendars/alice/home/"
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "x")).want(201)
	h.edit("alice", func(e *shelf.Edit) error {
		return e.SetProps(shelf.Path{Kind: shelf.Calendars, Collection: "home"}, &shelf.Props{Shares: map[string]shelf.Access{"bob": shelf.ReadWrite}})
	})
	const bobs = "/calendars/bob/~alice~home/"
	a, token := h.lock("alice", cal+"x.ics", "exclusive", "Timeout: Infinite, Second-5")
	a.want(200, "<d:exclusive/>", "me &amp; <", "mailto:alice@example.org", "<d:timeout>Second-86400</d:timeout>", "<d:locktoken><d:href>"+token+"<", "<d:lockroot><d:href>"+cal+"x.ics<", "<d:depth>infinity<")
	if !strings.HasPrefix(token, "urn:uuid:") {
		t.Fatalf("token %q", token)
	}
	h.propfind("bob", bobs+"x.ics", "0", "<lockdiscovery/>").want(207, "<d:lockroot><d:href>"+bobs+"x.ics<")
	// Nobody writes without the token, nor with somebody else's.
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "y")).want(423, "<d:lock-token-submitted><d:href>"+cal+"x.ics<")
	h.do("bob", "PUT", bobs+"x.ics", anEvent("u1", "y")).want(423, "<d:href>"+bobs+"x.ics<")
	h.do("bob", "PUT", bobs+"x.ics", anEvent("u1", "y"), "If: (<"+token+">)").want(423)
	h.do("alice", "DELETE", cal+"x.ics", "").want(423)
	h.do("alice", "DELETE", cal, "").want(423, cal+"x.ics")
	h.do("alice", "MOVE", cal+"x.ics", "", "Destination: "+cal+"y.ics").want(423)
	h.do("alice", "PROPPATCH", cal+"x.ics", `<propertyupdate xmlns="DAV:"><set><prop><m xmlns="urn:x"/></prop></set></propertyupdate>`).want(423)
	h.do("alice", "PUT", cal+"y.ics", anEvent("u2", "y")).want(201)
	h.do("alice", "COPY", cal+"y.ics", "", "Destination: "+cal+"x.ics").want(423)
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "y"), "If: (<"+token+">)").want(204)
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "z"), "If: <"+cal+"x.ics> (<"+token+">)").want(204)
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "z"), "If: <"+cal+"y.ics> (<"+token+">)").want(412)
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "z"), "If: (<urn:uuid:other>)").want(412)
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "z"), "If: nonsense").want(400)
	etag := h.do("alice", "GET", cal+"x.ics", "").header.Get("ETag")
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "z"), "If: (<"+token+"> [\"other\"]) (<"+token+"> ["+etag+"])").want(204)
	h.do("alice", "PUT", cal+"x.ics", anEvent("u1", "z"), "If: (Not <"+token+">)").want(412)
	// Another lock does not go beside it.
	b, _ := h.lock("bob", bobs+"x.ics", "shared")
	b.want(423, "<d:no-conflicting-lock><d:href>"+bobs+"x.ics<")
	b, _ = h.lock("alice", cal, "exclusive")
	b.want(423, "no-conflicting-lock")
	b, depth0 := h.lock("bob", bobs, "exclusive", "Depth: 0")
	b.want(200)
	// A lock on the calendar alone keeps its members: no new ones, none less.
	h.do("alice", "PUT", cal+"new.ics", anEvent("u3", "new")).want(423)
	h.do("alice", "DELETE", cal+"y.ics", "").want(423)
	h.do("alice", "PUT", cal+"y.ics", anEvent("u2", "z")).want(204)
	h.do("bob", "PUT", bobs+"new.ics", anEvent("u3", "new"), "If: <"+bobs+"> (<"+depth0+">)").want(201)
	h.do("bob", "UNLOCK", bobs, "", "Lock-Token: <"+token+">").want(409, "lock-token-matches-request-uri")
	h.do("bob", "UNLOCK", bobs+"x.ics", "", "Lock-Token: <"+token+">").want(403)
	h.do("bob", "UNLOCK", bobs, "", "Lock-Token: nonsense").want(400)
	h.do("alice", "UNLOCK", cal, "", "Lock-Token: <"+depth0+">").want(204) // it is her calendar
	h.do("alice", "LOCK", cal+"x.ics", "", "If: (<"+token+">)", "Timeout: Second-60").want(200, "<d:timeout>Second-60</d:timeout>")
	h.do("alice", "LOCK", cal+"x.ics", "").want(400)
	h.do("alice", "LOCK", cal+"y.ics", "", "If: <"+cal+"x.ics> (<"+token+">)").want(412)
	h.do("alice", "UNLOCK", cal+"x.ics", "", "Lock-Token: <"+token+">").want(204)
	h.do("alice", "UNLOCK", cal+"x.ics", "", "Lock-Token: <"+token+">").want(409)
	h.propfind("alice", cal+"x.ics", "0", "<lockdiscovery/>").want(207, "<d:lockdiscovery></d:lockdiscovery>")
}

// TestLockName: a name where nothing is yet is kept for whoever has locked it.
func TestLockName(t *testing.T) {
	h := open(t)
	const path = "/calendars/alice/home/new.ics"
	a, token := h.lock("alice", path, "exclusive")
	a.want(201)
	h.do("alice", "GET", path, "").want(404)
	h.do("alice", "PUT", path, anEvent("u1", "x")).want(423)
	h.do("alice", "PUT", path, anEvent("u1", "x"), "If: (<"+token+">)", "If-None-Match: *").want(201)
	h.do("alice", "UNLOCK", path, "", "Lock-Token: <"+token+">").want(204)
	a, token = h.lock("alice", "/files/alice/new", "exclusive")
	a.want(201)
	h.do("alice", "GET", "/files/alice/new", "").want(200)
	h.do("alice", "DELETE", "/files/alice/new", "", "If: (<"+token+">)").want(204)
	h.do("alice", "PUT", "/files/alice/new", "x").want(201) // the lock went with the file
	for path, status := range map[string]int{"/calendars/alice/none/x.ics": 409, "/files/alice/none/x": 409, "/calendars/alice/none/": 404, "/": 405, "/principals/alice/": 405} {
		a, _ := h.lock("alice", path, "exclusive")
		a.want(status)
	}
	a, _ = h.lock("alice", "/calendars/alice/home/", "exclusive", "Depth: 1")
	a.want(400)
	h.do("alice", "LOCK", "/files/alice/new", `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><read/></locktype></lockinfo>`).want(422)
	h.do("alice", "LOCK", "/files/alice/new", `<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>`+strings.Repeat("x", 5000)+`</owner></lockinfo>`).want(413)
}

// TestLockOverwritten: what is overwritten loses the locks on what was in it, and keeps its own,
// which is on the URL.
func TestLockOverwritten(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/files/alice/a/", "/files/alice/b/"} {
		h.do("alice", "MKCOL", path, "").want(201)
		h.do("alice", "PUT", path+"x", path).want(201)
	}
	_, inner := h.lock("alice", "/files/alice/b/x", "exclusive")
	h.do("alice", "COPY", "/files/alice/a/", "", "Destination: /files/alice/b/").want(423, "/files/alice/b/x<")
	h.do("alice", "COPY", "/files/alice/a/", "", "Destination: /files/alice/b/", "If: </files/alice/b/x> (<"+inner+">)").want(204)
	h.do("alice", "PUT", "/files/alice/b/x", "free").want(204)
	_, outer := h.lock("alice", "/files/alice/b/", "exclusive")
	h.do("alice", "MOVE", "/files/alice/a/", "", "Destination: /files/alice/b/", "If: </files/alice/b/> (<"+outer+">)").want(204)
	h.do("alice", "PUT", "/files/alice/b/x", "locked").want(423, "/files/alice/b/<")
	_, shared := h.lock("alice", "/files/alice/", "shared")
	if shared != "" {
		t.Error("a lock went beside an exclusive one below")
	}
}

// TestLockRoot: the root of a lock is spelled as the client spells it, and right where it did not
// spell it at all.
func TestLockRoot(t *testing.T) {
	h := open(t)
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", "x")).want(201)
	a, _ := h.lock("alice", "/calendars/alice/", "exclusive")
	a.want(200)
	for path, root := range map[string]string{
		"/calendars/":                               "/calendars/alice/",
		"/calendars/alice/home/x.ics":               "/calendars/alice/",
		"/calendars/alice%40example.org/home/x.ics": "/calendars/alice%40example.org/",
		"/calendars/ALICE@example.org/home/":        "/calendars/ALICE%40example.org/",
	} {
		h.propfind("alice", path, "1", "<lockdiscovery/>").want(207, "<d:lockroot><d:href>"+root+"</d:href></d:lockroot>")
	}
	h.do("alice", "PUT", "/calendars/alice/home/x.ics", anEvent("u1", "y")).want(423, "<d:href>/calendars/alice/</d:href>")
	h.do("alice", "MKCALENDAR", "/calendars/alice/new/", "").want(423)
}

// TestLockExpires: a lock ends by itself, and another process on the same
// repository sees it as long as it lasts.
func TestLockExpires(t *testing.T) {
	h := open(t)
	now := time.Now()
	clock := func() time.Time { return now }
	open := func() *Service {
		return &Service{Shelf: shelf.New(h.repo, shelf.Options{Now: clock}), Accounts: h.service.Accounts, Now: clock}
	}
	h.serve(open())
	h.do("alice", "PUT", "/files/alice/x", "x").want(201)
	a, token := h.lock("alice", "/files/alice/x", "exclusive", "Timeout: Second-100")
	a.want(200, "Second-100")
	h.serve(open()) // as after a restart
	now = now.Add(99 * time.Second)
	h.do("alice", "PUT", "/files/alice/x", "y").want(423)
	h.do("alice", "PUT", "/files/alice/x", "y", "If: (<"+token+">)").want(204)
	now = now.Add(2 * time.Second)
	h.do("alice", "PUT", "/files/alice/x", "z", "If: (<"+token+">)").want(412)
	h.do("alice", "PUT", "/files/alice/x", "z").want(204)
	h.do("alice", "UNLOCK", "/files/alice/x", "", "Lock-Token: <"+token+">").want(409)
}
