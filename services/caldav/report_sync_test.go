package caldav

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sync asks for what has changed.
func (h *house) sync(user, path, token, more string, header ...string) *answer {
	h.t.Helper()
	return h.report(user, path, `<D:sync-collection><D:sync-token>`+token+`</D:sync-token><D:sync-level>1</D:sync-level>`+more+`<D:prop><D:getetag/></D:prop></D:sync-collection>`, header...)
}

var syncToken = regexp.MustCompile(`<d:sync-token>([^<]+)</d:sync-token>`)

func (a *answer) token() string {
	a.t.Helper()
	m := syncToken.FindStringSubmatch(a.body)
	if m == nil {
		a.t.Fatalf("%s: no token in %s", a.what, a.body)
	}
	return m[1]
}

func limit(n int) string { return fmt.Sprintf("<D:limit><D:nresults>%d</D:nresults></D:limit>", n) }

func TestSync(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	first := h.sync("alice", home, "", "").want(207).wantNames().token()
	h.put(home+"a.ics", anEvent("a", "A"))
	h.put(home+"b%20%C3%BC.ics", anEvent("b", "B"))
	a := h.sync("alice", home, first, "").want(207, "<d:getetag>").wantNames("a.ics", "b%20%C3%BC.ics")
	second := a.token()
	h.sync("alice", home, second, "").want(207).wantNames()
	h.do("alice", "DELETE", home+"a.ics", "").want(204)
	h.do("alice", "PUT", home+"b%20%C3%BC.ics", anEvent("b", "changed"), "Content-Type: text/calendar").want(204)
	a = h.sync("alice", home, second, "").want(207, "a.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>").wantNames("a.ics", "b%20%C3%BC.ics")
	third := a.token()
	// From the beginning nothing that is gone is told of; from an old token all that has changed since.
	h.sync("alice", home, "", "").want(207).wantNames("b%20%C3%BC.ics").without("404 Not Found")
	h.sync("alice", home, first, "").want(207)
	if got := h.propfind("alice", home, "0", "<sync-token/>"); !strings.Contains(got.body, third) {
		t.Errorf("the property is %s, the report gave %s", got.body, third)
	}
}

// TestSyncInParts pages through many changes, and through those that come meanwhile.
func TestSyncInParts(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	var want []string
	for i := range 7 {
		name := fmt.Sprintf("e%d.ics", i)
		want = append(want, name)
		h.put(home+name, anEvent(name, "x"))
	}
	seen := map[string]bool{}
	token, parts := "", 0
	for {
		a := h.sync("alice", home, token, limit(3)).want(207)
		token = a.token()
		parts++
		self := 0
		for _, name := range a.names() {
			if name == "home/" {
				self++
				continue
			}
			seen[name] = true
		}
		if self == 0 {
			break
		}
		a.want(207, "<d:href>"+home+"</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status><d:error><d:number-of-matches-within-limits")
		if got := len(a.names()) - 1; got > 3 {
			t.Errorf("got %d members, want at most 3", got)
		}
		if parts == 1 {
			h.put(home+"f.ics", anEvent("f", "x"))
			want = append(want, "f.ics")
		}
		if parts > 10 {
			t.Fatal("there is no end")
		}
	}
	for _, name := range want {
		if !seen[name] {
			t.Errorf("%s was left out", name)
		}
	}
	h.sync("alice", home, token, "").want(207).wantNames()
}

func TestSyncTokens(t *testing.T) {
	h := open(t)
	h.do("alice", "MKCALENDAR", "/calendars/alice/work/", "").want(201)
	h.put("/calendars/alice/work/a.ics", anEvent("a", "A"))
	work := h.sync("alice", "/calendars/alice/work/", "", "").want(207).token()
	bob := h.sync("bob", "/calendars/bob/home/", "", "").want(207).token()
	for _, token := range []string{"x", "http://example.org/sync/1", work, bob, work + "x", work[:len(work)-1], strings.ToUpper(work), strings.Repeat("x", 5000)} {
		h.sync("alice", "/calendars/alice/home/", token, "").want(403, "<d:error", "<d:valid-sync-token")
	}
	h.sync("bob", "/calendars/alice/work/", work, "").want(404)
}

// TestSyncDepth: RFC 6578 §3.3, and clients that were written for its drafts.
func TestSyncDepth(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	h.put(home+"a.ics", anEvent("a", "A"))
	body := func(level string) string {
		return `<D:sync-collection><D:sync-token/>` + level + `<D:prop><D:getetag/></D:prop></D:sync-collection>`
	}
	one, all := `<D:sync-level>1</D:sync-level>`, `<D:sync-level>infinite</D:sync-level>`
	for _, c := range []struct {
		level, depth string
		want         int
	}{
		{one, "", 207}, {one, "0", 207}, {one, "1", 207}, {one, "infinity", 400},
		{all, "", 207}, {all, "0", 207}, {all, "infinity", 207}, {all, "1", 400},
		{"", "1", 207}, {"", "infinity", 207}, {"", "0", 207},
		{`<D:sync-level>2</D:sync-level>`, "0", 400}, {one, "2", 400},
	} {
		a := h.report("alice", home, body(c.level), "Depth: "+c.depth).want(c.want)
		if c.want == 207 {
			a.wantNames("a.ics")
		}
	}
	h.report("alice", home, `<D:sync-collection><D:sync-level>1</D:sync-level></D:sync-collection>`).want(400)
	h.report("alice", home, `<D:sync-collection><D:sync-token/>`+limit(0)+`</D:sync-collection>`).want(400)
	h.report("alice", home+"a.ics", body(one)).want(403, "<d:supported-report")
}

// TestSyncShared synchronizes a calendar that somebody else shares, under the name that it has here.
func TestSyncShared(t *testing.T) {
	h := open(t)
	h.put("/calendars/alice/home/a.ics", anEvent("a", "A"))
	h.do("alice", "POST", "/calendars/alice/home/", `<CS:share xmlns:D="DAV:" xmlns:CS="http://calendarserver.org/ns/"><CS:set><D:href>mailto:bob@example.org</D:href><CS:read/></CS:set></CS:share>`,
		"Content-Type: application/xml").want(200)
	const there = "/calendars/bob/~alice~home/"
	token := h.sync("bob", there, "", "").want(207, "<d:href>"+there+"a.ics</d:href>").token()
	h.do("alice", "DELETE", "/calendars/alice/home/a.ics", "").want(204)
	h.sync("bob", there, token, "").want(207, "<d:href>"+there+"a.ics</d:href><d:status>HTTP/1.1 404")
}

func TestSyncContacts(t *testing.T) {
	h := open(t)
	const home = "/contacts/alice/home/"
	book := homeBook(h)
	token := h.sync("alice", book, "", "").want(207).wantNames().token()
	h.put(book+"a.vcf", aCard("a", "Alice"))
	a := h.sync("alice", book, token, "").want(207).wantNames("a.vcf")
	if slices.Contains(a.names(), home) {
		t.Error("the address book is a member of itself")
	}
}

// homeBook is alice's default address book.
func homeBook(h *house) string {
	a := h.propfind("alice", "/contacts/alice/", "1", "<resourcetype/>")
	for _, m := range responseHref.FindAllStringSubmatch(a.body, -1) {
		if m[1] != "/contacts/alice/" {
			return m[1]
		}
	}
	h.t.Fatalf("no address book in %s", a.body)
	return ""
}

// TestSyncInbox: scheduling messages are told of like events.
func TestSyncInbox(t *testing.T) {
	h := open(t)
	const inbox = "/calendars/alice/inbox/"
	token := h.sync("alice", inbox, "", "").want(207).wantNames().token()
	h.plant("alice", "inbox/m.ics", strings.Replace(anEvent("m", "Meeting"), "VERSION", "METHOD:REQUEST\r\nVERSION", 1))
	token = h.sync("alice", inbox, token, "").want(207, "<d:href>"+inbox+"m.ics</d:href>").wantNames("m.ics").token()
	h.report("alice", inbox, query("20261124T000000Z", "20261125T000000Z"), "Depth: 1").want(207, "METHOD:REQUEST").wantNames("m.ics")
	h.propfind("alice", inbox, "0", "<sync-token/>").want(207, token)
}

// TestIfSyncToken is RFC 6578 §5: a change is made only if nothing else has changed.
func TestIfSyncToken(t *testing.T) {
	h := open(t)
	const home = "/calendars/alice/home/"
	h.put(home+"a.ics", anEvent("a", "A"))
	token := h.sync("alice", home, "", "").want(207).token()
	h.do("alice", "MKCALENDAR", "/calendars/alice/work/", "").want(201) // elsewhere
	put := func(name, token string) *answer {
		return h.do("alice", "PUT", home+name, anEvent(name, "x"), "Content-Type: text/calendar", "If: <"+home+"> (<"+token+">)")
	}
	put("b.ics", token).want(201)
	put("c.ics", token).want(412)
	put("c.ics", "urn:x").want(412)
	put("c.ics", h.sync("alice", "/calendars/alice/work/", "", "").token()).want(412)
	token = h.sync("alice", home, "", "").want(207).wantNames("a.ics", "b.ics").token()
	h.do("alice", "DELETE", home+"a.ics", "", "If: <"+h.server.URL+home+"> (<"+token+">)").want(204)
	h.do("alice", "DELETE", home+"b.ics", "", "If: <"+home+"> (Not <"+token+">)").want(204)
	h.do("alice", "PUT", home+"d.ics", anEvent("d", "x"), "Content-Type: text/calendar", "If: (<"+token+">)").want(412)
}
