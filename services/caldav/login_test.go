package caldav

import (
	"net/http"
	"strings"
	"testing"
)

func TestLogin(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/", "/principals/", "/principals/alice/", "/calendars/alice/", "/calendars/nobody/", "/files/alice/x", "/nothing"} {
		for _, method := range []string{"GET", "PROPFIND", "PUT", "OPTIONS", "DELETE", "REPORT"} {
			a := h.do("", method, path, "").want(401)
			if got := a.header.Get("WWW-Authenticate"); got != `Basic realm="Cairn", charset="UTF-8"` {
				t.Errorf("%s %s: WWW-Authenticate %q", method, path, got)
			}
		}
	}
	for _, user := range []string{"alice", "alice@example.org"} {
		h.propfind(user, "/", "0", "<current-user-principal/>").want(207, "<d:href>/principals/alice/</d:href>")
	}
	h.propfind("alice@example.org", "/calendars/alice%40example.org/", "0", "<current-user-principal/>").
		want(207, "<d:href>/calendars/alice%40example.org/</d:href>", "<d:href>/principals/alice/</d:href>")
	h.propfind("alice", "/calendars/bob%40example.org/", "0", "<resourcetype/>").want(404)
}

// TestGuessing: who has guessed too often waits, and hears how long.
func TestGuessing(t *testing.T) {
	h := open(t)
	for range 100 {
		req, err := http.NewRequest("GET", h.server.URL+"/", nil)
		check(t, err)
		req.SetBasicAuth("bob", "guess")
		resp, err := http.DefaultClient.Do(req)
		check(t, err)
		resp.Body.Close()
		if resp.StatusCode == 429 {
			if resp.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			return
		}
		if resp.StatusCode != 401 {
			t.Fatalf("got %d", resp.StatusCode)
		}
	}
	t.Error("100 guesses, and still no 429")
}

func TestWellKnown(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/.well-known/caldav", "/.well-known/carddav", "/.well-known/caldav/"} {
		for _, method := range []string{"GET", "PROPFIND", "OPTIONS"} {
			for _, user := range []string{"", "alice"} {
				a := h.do(user, method, path, "").want(301)
				if got := a.header.Get("Location"); got != "/" {
					t.Errorf("%s %s: Location %q", method, path, got)
				}
			}
		}
	}
}

// TestOthers: what is somebody else's answers as what is not there, to the letter.
func TestOthers(t *testing.T) {
	h := open(t)
	h.do("bob", "PUT", "/calendars/bob/home/x.ics", anEvent("u1", "Secret")).want(201)
	h.do("bob", "PUT", "/contacts/bob/contacts/x.vcf", aCard("u1", "Secret")).want(201)
	h.do("bob", "PUT", "/files/bob/x", "Secret").want(201)
	for _, space := range []string{"/calendars/", "/contacts/", "/files/"} {
		for _, rest := range []string{"/", "/home/", "/home/x.ics", "/contacts/x.vcf", "/x", "/new/", "/inbox/"} {
			for _, method := range []string{"GET", "HEAD", "OPTIONS", "PROPFIND", "PROPPATCH", "PUT", "DELETE", "MKCOL", "MKCALENDAR", "LOCK", "UNLOCK", "REPORT", "ACL", "POST", "COPY", "MOVE"} {
				body := ""
				if method == "PUT" {
					body = anEvent("u2", "mine")
				}
				theirs := h.do("alice", method, space+"bob"+rest, body, "Destination: /files/alice/y")
				nobodys := h.do("alice", method, space+"nobody"+rest, body, "Destination: /files/alice/y")
				if theirs.status != 404 || nobodys.status != 404 || theirs.body != nobodys.body {
					t.Errorf("%s %sbob%s: got %d %q, of nobody %d %q", method, space, rest, theirs.status, theirs.body, nobodys.status, nobodys.body)
				}
				for name := range theirs.header {
					if name != "Date" && strings.Join(theirs.header[name], ",") != strings.Join(nobodys.header[name], ",") {
						t.Errorf("%s %sbob%s: header %s differs", method, space, rest, name)
					}
				}
			}
		}
		if space != "/files/" {
			h.unshared(space)
		}
		a := h.do("alice", "COPY", "/files/alice/", "", "Destination: "+space+"bob/x")
		b := h.do("alice", "COPY", "/files/alice/", "", "Destination: "+space+"nobody/x")
		if a.status != b.status || a.body != b.body {
			t.Errorf("COPY to %sbob: got %d, to nobody %d", space, a.status, b.status)
		}
	}
}

// unshared makes sure that what bob does not share with alice answers as what nobody
// has, also under the name that it would have if he did, and though it is locked.
func (h *house) unshared(space string) {
	h.t.Helper()
	own := map[string]string{"/calendars/": "home", "/contacts/": "contacts"}[space]
	a, _ := h.lock("bob", space+"bob/"+own+"/", "exclusive")
	a.want(200)
	for _, rest := range []string{"/", "/x.ics", "/new.ics"} {
		for _, m := range methods {
			body := ""
			switch m.name {
			case "PUT":
				body = anEvent("u2", "mine")
			case "LOCK":
				body = strings.Replace(lockBody, "%s", "shared", 1)
			}
			ask := func(owner string) *answer {
				return h.do("alice", m.name, space+"alice/~"+owner+"~"+own+rest, body, "Destination: "+space+"alice/~"+owner+"~"+own+"2"+rest,
					"Lock-Token: <urn:uuid:x>", "If: (Not <urn:uuid:x>)", "Depth: 0")
			}
			his, nobodys := ask("bob"), ask("nobody")
			if his.status != nobodys.status || strings.ReplaceAll(his.body, "~bob~", "~nobody~") != nobodys.body || his.status < 400 && m.name != "OPTIONS" {
				h.t.Errorf("%s %s~bob~%s%s: got %d %q, of nobody %d %q", m.name, space, own, rest, his.status, his.body, nobodys.status, nobodys.body)
			}
		}
	}
}
