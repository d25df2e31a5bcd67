package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestDavPublic publishes a calendar by a push, shows it to strangers as a page and as a
// file, and has another person's calendar follow the file.
func TestDavPublic(t *testing.T) {
	i := up(t, "--allow-private")
	alice, bob := newPerson(t, i, "alice"), newPerson(t, i, "bob")
	work := filepath.Join(t.TempDir(), "work")
	alice.do(201, "PUT", "/calendars/alice/home/private.ics", event("private", "Dentist", "20261203T080000Z"), "Content-Type: text/calendar")
	git(t, filepath.Dir(work), "clone", "-q", alice.gitURL(), work)
	write(t, filepath.Join(mkdir(t, filepath.Join(work, "calendars/club")), ".props.toml"), []byte("name = \"Chess club\"\npublic = true\n"))
	write(t, filepath.Join(work, "calendars/club/chess.ics"), []byte(event("chess", "Chess evening", "20261204T190000Z")))
	git(t, work, "add", "-A")
	git(t, work, "commit", "-qm", "The club, for everybody")
	git(t, work, "push", "-q", "origin", "HEAD:main")

	stranger := func(path string) answer {
		t.Helper()
		res, err := patient.Get(i.Dav + path)
		if err != nil {
			t.Fatal(err)
		}
		a, err := readAnswer(res)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := stranger("/public/alice/club/"); a.status != 200 || !strings.Contains(a.body, "Chess club") {
		t.Errorf("the page: got %d\n%s", a.status, a.body)
	}
	if a := stranger("/public/alice/club.ics"); a.status != 200 || !strings.Contains(a.body, "SUMMARY:Chess evening") {
		t.Errorf("the file: got %d\n%s", a.status, a.body)
	}
	for _, path := range []string{"/public/alice/home/", "/public/alice/home.ics", "/public/alice/nothing/", "/public/nobody/home.ics"} {
		if a := stranger(path); a.status != 404 {
			t.Errorf("%s: got %d, want 404", path, a.status)
		}
	}

	theirs := filepath.Join(t.TempDir(), "theirs")
	bob.do(201, "PUT", "/calendars/bob/home/x.ics", event("x", "X", "20261203T080000Z"), "Content-Type: text/calendar")
	git(t, filepath.Dir(theirs), "clone", "-q", bob.gitURL(), theirs)
	write(t, filepath.Join(mkdir(t, filepath.Join(theirs, "calendars/club")), ".props.toml"), []byte("name = \"The club\"\n\n[source]\nurl = \""+i.Dav+"/public/alice/club.ics\"\n"))
	git(t, theirs, "add", "-A")
	git(t, theirs, "commit", "-qm", "Follow the club")
	git(t, theirs, "push", "-q", "origin", "HEAD:main")
	err := wait("the club in bob's calendar", func() error {
		if _, names, _ := bob.syncToken("/calendars/bob/club/", ""); len(names) != 1 {
			return fmt.Errorf("there are %q", names)
		}
		return nil
	})
	if err != nil {
		t.Errorf("%v\n%s", err, i.said())
	}
}
