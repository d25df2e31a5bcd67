package caldav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"cairn/services/caldav/shelf"
	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A flaky backend does not commit while there is an error.
type flaky struct {
	store.Backend
	err atomic.Pointer[error]
}

func (f *flaky) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return f.Backend.Commit(ctx, objs, changes)
}

// TestTrouble: a repository that is away or refuses says so, nothing is changed, and
// reading goes on.
func TestTrouble(t *testing.T) {
	b := &flaky{Backend: mem.New()}
	h := openOn(t, b, shelf.Options{})
	const path = "/calendars/alice/home/x.ics"
	h.do("alice", "PUT", path, anEvent("u1", "before")).want(201)
	for _, c := range []struct {
		err    error
		status int
		retry  bool
	}{
		{fmt.Errorf("push: %w", store.ErrTemporary), 503, true},
		{fmt.Errorf("push: %w", &store.RefusedError{Ref: "refs/heads/dav/alice", Reason: "protected branch"}), 403, false},
		{errors.New("secret of the disk"), 500, false},
	} {
		b.err.Store(&c.err)
		for _, r := range [][3]string{{"PUT", path, anEvent("u1", "after")}, {"DELETE", path, ""}, {"MKCALENDAR", "/calendars/alice/new/", ""},
			{"LOCK", path, strings.Replace(lockBody, "%s", "shared", 1)}, {"PUT", "/files/alice/x", "x"}} {
			a := h.do("alice", r[0], r[1], r[2]).want(c.status).without("secret")
			if (a.header.Get("Retry-After") != "") != c.retry {
				t.Errorf("%s: Retry-After %q", a.what, a.header.Get("Retry-After"))
			}
		}
		h.do("alice", "GET", path, "").want(200, "before")
	}
	b.err.Store(nil)
	h.do("alice", "PUT", path, anEvent("u1", "after")).want(204)
}

// TestShortBody: a client that goes away in the middle of a body has put nothing.
func TestShortBody(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/calendars/alice/home/x.ics", "/files/alice/x"} {
		r := httptest.NewRequest("PUT", path, io.MultiReader(strings.NewReader(anEvent("u1", "x")), iotest.ErrReader(io.ErrUnexpectedEOF)))
		r.SetBasicAuth("alice", h.secrets["alice"])
		w := httptest.NewRecorder()
		h.service.Handler().ServeHTTP(w, r)
		if w.Code != 400 {
			t.Errorf("%s: got %d", path, w.Code)
		}
		h.do("alice", "GET", path, "").want(404)
	}
}

// TestFault: a fault in one answer is that answer's alone.
func TestFault(t *testing.T) {
	h := open(t)
	h.service.Now = func() time.Time { panic("the clock is broken") }
	h.do("alice", "PUT", "/files/alice/x", "x").want(201)
	h.do("alice", "LOCK", "/files/alice/x", strings.Replace(lockBody, "%s", "shared", 1)).want(500).without("clock")
	h.do("alice", "GET", "/files/alice/x", "").want(200, "x")
}

// TestHostileBodies: what is malformed or too much is refused in bounded memory.
func TestHostileBodies(t *testing.T) {
	h := furnished(t)
	bomb := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><propfind xmlns="DAV:"><prop><displayname>&b;</displayname></prop></propfind>`
	external := `<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><propfind xmlns="DAV:"><allprop/></propfind>`
	deep := strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000)
	wide := `<propfind xmlns="DAV:"><prop>` + strings.Repeat("<x/>", 200_000) + `</prop></propfind>`
	huge := `<propfind xmlns="DAV:"><prop><x>` + strings.Repeat("x", 8<<20) + `</x></prop></propfind>`
	for _, method := range []string{"PROPFIND", "PROPPATCH", "MKCOL", "MKCALENDAR", "LOCK", "REPORT", "ACL", "POST"} {
		for i, body := range []string{bomb, external, deep, wide, huge, "<", "\x00", "<a xmlns:b=''><b:c/></a>", "<?xml version='1.0' encoding='utf-7'?><a/>"} {
			path := "/calendars/alice/home/"
			if strings.HasPrefix(method, "MK") {
				path = "/calendars/alice/new/"
			}
			a := h.tryDo("alice", method, path, body, "Depth: 0", "Content-Type: application/xml")
			if a != nil && (a.status < 400 || a.status >= 500) {
				t.Errorf("%s with body %d: got %d: %.200s", method, i, a.status, a.body)
			}
		}
	}
	// The answer may come while the client still sends, and get lost then.
	for _, c := range [][3]string{{"PROPFIND", "/", huge}, {"PUT", "/calendars/alice/home/y.ics", strings.Repeat("x", 100<<20)}, {"PUT", "/files/alice/y", strings.Repeat("x", 100<<20)}} {
		if a := h.tryDo("alice", c[0], c[1], c[2], "Depth: 0"); a != nil {
			a.want(413)
		}
	}
	h.do("alice", "GET", "/files/alice/y", "").want(404)
	h.do("alice", "PUT", "/calendars/alice/home/y.ics", "BEGIN:VCALENDAR\r\n"+strings.Repeat("BEGIN:X\r\n", 100_000)).want(403, "valid-calendar-data")
	for _, header := range []string{"If: " + strings.Repeat("(<a>)", 10_000), "If: (<a", "Depth: 99999999999999999999", "Overwrite: maybe", "Timeout: Second-99999999999999999999", "Destination: \x7f"} {
		for _, method := range []string{"PUT", "COPY", "LOCK", "PROPFIND", "DELETE"} {
			if a := h.tryDo("alice", method, "/files/alice/a/nothing", "", header); a != nil && a.status >= 500 && a.status != 502 {
				t.Errorf("%s with %.40s: got %d", method, header, a.status)
			}
		}
	}
}
