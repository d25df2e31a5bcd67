package caldav

import (
	"fmt"
	"strings"
	"testing"

	"cairn/services/caldav/shelf"
	"cairn/store/mem"
	"cairn/store/object"
)

// TestPushedFiles: what somebody has pushed is there, whatever it is, and no more of
// it is told than anybody could read.
func TestPushedFiles(t *testing.T) {
	h := openOn(t, mem.New(), shelf.Options{Quota: 1 << 30})
	h.edit("alice", func(e *shelf.Edit) error {
		tx := e.Tx()
		check(t, tx.Put("files/a/b.txt", []byte("b")))
		check(t, tx.PutMode("files/link", object.ModeSymlink, []byte("../../etc/passwd")))
		check(t, tx.PutMode("files/run", object.ModeExecutable, []byte("#!")))
		check(t, tx.Put("files/.hidden", []byte("x")))
		return tx.Put("files/a:b", []byte("x")) // FileName would have escaped it
	})
	a := h.do("alice", "PROPFIND", "/files/alice/", "", "Depth: infinity").want(207)
	if got, want := strings.Join(hrefsOf(a.body), " "), "/files/alice/ /files/alice/a/ /files/alice/a/b.txt /files/alice/run"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	h.do("alice", "GET", "/files/alice/link", "").want(403)
	h.do("alice", "GET", "/files/alice/run", "").want(200)
	for _, method := range []string{"PUT", "DELETE", "MOVE", "COPY", "LOCK"} {
		h.do("alice", method, "/files/alice/link", strings.Replace(lockBody, "%s", "shared", 1), "Destination: /files/alice/x").want(403)
	}
	h.do("alice", "MKCOL", "/files/alice/link", "").want(403)
	h.do("alice", "COPY", "/files/alice/run", "", "Destination: /files/alice/link").want(403)
	h.do("alice", "PUT", "/files/alice/link/x", "x").want(403)
	// The folder had no file that keeps it; it stays all the same.
	h.do("alice", "DELETE", "/files/alice/a/b.txt", "").want(204)
	h.do("alice", "PROPFIND", "/files/alice/a/", "", "Depth: 0").want(207)
}

// TestLongNames: a name that is too long once it is escaped is refused, also where it is
// only too long for the file with its properties.
func TestLongNames(t *testing.T) {
	h := open(t)
	const mood = `<propertyupdate xmlns="DAV:"><set><prop><mood xmlns="urn:x">good</mood></prop></set></propertyupdate>`
	for n, status := range map[int][2]int{83: {201, 207}, 84: {201, 403}, 86: {404, 404}} {
		path := "/files/alice/" + strings.Repeat("*", n)
		h.do("alice", "PUT", path, "x").want(status[0])
		h.do("alice", "PROPPATCH", path, mood).want(status[1])
		h.do("alice", "PUT", "/calendars/alice/home/"+strings.Repeat("*", n), anEvent(strings.Repeat("u", n), "x")).want(map[bool]int{true: 201, false: 403}[n < 84])
	}
	h.do("alice", "MKCALENDAR", "/calendars/alice/"+strings.Repeat("*", 86), "").want(403)
}

// TestPushedInbox: a calendar that was pushed under the name of the inbox does not
// stand in its place.
func TestPushedInbox(t *testing.T) {
	h := open(t)
	h.edit("alice", func(e *shelf.Edit) error {
		check(t, e.Tx().Put("calendars/home/x.ics", []byte(anEvent("u1", "x"))))
		return e.Tx().Put("calendars/inbox/y.ics", []byte(anEvent("u2", "y")))
	})
	a := h.propfind("alice", "/calendars/alice/", "1", "<resourcetype/>").want(207, "<cal:schedule-inbox/>")
	if got, want := strings.Join(hrefsOf(a.body), " "), "/calendars/alice/ /calendars/alice/home/ /calendars/alice/inbox/ /calendars/alice/outbox/"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPushedBomb: a tree that names one folder twice, and that twice again, 40 deep.
func TestPushedBomb(t *testing.T) {
	h := openOn(t, mem.New(), shelf.Options{Quota: 1 << 30})
	for i := range 40 {
		h.edit("alice", func(e *shelf.Edit) error {
			tx := e.Tx()
			if i == 0 {
				check(t, tx.Put("files/a/x", []byte("x")))
				return tx.Put("files/b/x", []byte("x"))
			}
			below, err := tx.Lookup("files")
			check(t, err)
			check(t, tx.Remove("files"))
			check(t, tx.Link("files/a", below))
			return tx.Link("files/b", below)
		})
	}
	a := h.propfind("alice", "/files/alice/", "infinity", "<resourcetype/>").want(207, "507 Insufficient Storage", "number-of-matches-within-limits")
	if got := strings.Count(a.body, "<d:response>"); got != maxMembers+2 {
		t.Errorf("got %d responses", got)
	}
	h.propfind("alice", "/files/alice/", "0", "<quota-used-bytes/>").want(207, fmt.Sprint(int64(1)<<40))
	h.do("alice", "COPY", "/files/alice/a/", "", "Destination: /files/alice/c/").want(507)
	h.do("alice", "DELETE", "/files/alice/a/", "").want(204)
	h.do("alice", "GET", "/files/alice"+strings.Repeat("/b", 30)+"/", "").want(200)
	h.do("alice", "GET", "/files/alice"+strings.Repeat("/b", 80)+"/", "").want(404)
}
