package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// syncToken asks for what has changed since a token, "" for all, and returns the
// new token and the names of what is new or changed and of what is gone.
func (p *person) syncToken(collection, token string) (next string, changed, gone []string) {
	p.t.Helper()
	a := p.do(207, "REPORT", collection, fmt.Sprintf(`<?xml version="1.0"?><d:sync-collection xmlns:d="DAV:"><d:sync-token>%s</d:sync-token>`+
		`<d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>`, token), "Content-Type: application/xml")
	for _, m := range regexp.MustCompile(`(?s)<d:response>(.*?)</d:response>`).FindAllStringSubmatch(a.body, -1) {
		name := strings.TrimPrefix(following(m[1], `<d:href>([^<]*)</d:href>`), collection)
		if strings.Contains(m[1], "404 Not Found") {
			gone = append(gone, name)
		} else {
			changed = append(changed, name)
		}
	}
	next = following(a.body, `<d:sync-token>([^<]*)</d:sync-token>`)
	if next == "" {
		p.t.Fatalf("no sync token in\n%s", a.body)
	}
	return next, changed, gone
}

// gitURL is where a person's calendars and contacts are cloned from.
func (p *person) gitURL() string {
	return strings.Replace(p.i.Git, "://", "://"+p.name+":"+p.password+"@", 1) + "/dav/" + p.name
}

// TestDavGit clones calendars, edits them with nothing but an editor and pushes; devices
// see it at their next sync.
func TestDavGit(t *testing.T) {
	i := up(t)
	alice, bob := newPerson(t, i, "alice"), newPerson(t, i, "bob")
	const home = "/calendars/alice/home/"
	lunch := event("lunch", "Lunch", "20261202T120000Z")
	alice.do(201, "PUT", home+"lunch.ics", lunch, "Content-Type: text/calendar", "If-None-Match: *")
	alice.do(201, "PUT", "/contacts/alice/contacts/bob.vcf", card("bob", "Bob"), "Content-Type: text/vcard")
	token, changed, _ := alice.syncToken(home, "")
	if fmt.Sprint(changed) != "[lunch.ics]" {
		t.Errorf("at first: got %q, want lunch.ics", changed)
	}

	work := filepath.Join(t.TempDir(), "work")
	git(t, filepath.Dir(work), "clone", "-q", alice.gitURL(), work)
	if got := read(t, filepath.Join(work, "calendars/home/lunch.ics")); got != lunch {
		t.Errorf("in the clone: got %q, want the bytes as they were sent", got)
	}
	if got := git(t, work, "log", "--format=%an", "-1"); got != "alice\n" {
		t.Errorf("author: got %q, want alice", got)
	}
	push := func(text string) (string, error) {
		t.Helper()
		git(t, work, "add", "-A")
		git(t, work, "commit", "-qm", text)
		return tryGit(work, "push", "-q", "origin", "HEAD:main")
	}

	// An editor, with the line ends of this system.
	write(t, filepath.Join(work, "calendars/home/lunch.ics"), []byte(strings.ReplaceAll(strings.Replace(lunch, "SUMMARY:Lunch", "SUMMARY:Late lunch", 1), "\r\n", "\n")))
	write(t, filepath.Join(mkdir(t, filepath.Join(work, "calendars/home/2027")), "fair.ics"), []byte(event("fair", "Fair", "20270103T100000Z")))
	write(t, filepath.Join(mkdir(t, filepath.Join(work, "calendars/club")), "chess.ics"), []byte(event("chess", "Chess", "20261204T190000Z")))
	write(t, filepath.Join(work, "calendars/club/.props.toml"), []byte("name = \"Chess club\"\ncolor = \"#123456\"\n"))
	if out, err := push("By hand"); err != nil {
		t.Fatalf("push: %v\n%s", err, out)
	}
	token, changed, gone := alice.syncToken(home, token)
	if len(changed) != 2 || len(gone) != 0 || !strings.Contains(fmt.Sprint(changed), "lunch.ics") {
		t.Errorf("after the push: got %q changed, %q gone, want lunch and fair", changed, gone)
	}
	if a := alice.do(200, "GET", home+"lunch.ics", ""); !strings.Contains(a.body, "SUMMARY:Late lunch") {
		t.Errorf("after the push: got\n%s", a.body)
	}
	a := alice.do(207, "PROPFIND", "/calendars/alice/", `<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>`, "Depth: 1")
	if !strings.Contains(a.body, "Chess club") {
		t.Errorf("the new calendar is not there:\n%s", a.body)
	}

	// What a device does, the clone sees.
	alice.do(204, "DELETE", home+"lunch.ics", "")
	git(t, work, "pull", "-q", "--rebase", "origin", "main")
	if _, err := os.Stat(filepath.Join(work, "calendars/home/lunch.ics")); !os.IsNotExist(err) {
		t.Errorf("after the deletion: %v, want it gone", err)
	}
	if _, changed, gone = alice.syncToken(home, token); len(changed) != 0 || fmt.Sprint(gone) != "[lunch.ics]" {
		t.Errorf("after the deletion: got %q changed, %q gone, want lunch gone", changed, gone)
	}

	// What would break the rules is refused, and the file is named.
	for _, c := range []struct{ file, text, want string }{
		{"calendars/home/broken.ics", "BEGIN:VCALENDAR\nnonsense\n", "calendars/home/broken.ics"},
		{"calendars/club/again.ics", event("chess", "Chess again", "20261211T190000Z"), "calendars/club/again.ics"},
		{"contacts/contacts/none.vcf", "hello", "contacts/contacts/none.vcf"},
		{"calendars/club/.props.toml", "colour = 7\n", "calendars/club/.props.toml"},
	} {
		write(t, filepath.Join(work, c.file), []byte(c.text))
		if out, err := push("Wrong"); err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: got %v\n%s\nwant it refused by name", c.file, err, out)
		}
		git(t, work, "reset", "-q", "--hard", "HEAD~1")
	}

	// A push that is behind is refused, and so is one by somebody else.
	write(t, filepath.Join(work, "calendars/home/a.ics"), []byte(event("a", "A", "20261205T100000Z")))
	alice.do(201, "PUT", home+"b.ics", event("b", "B", "20261205T100000Z"), "Content-Type: text/calendar")
	if out, err := push("Behind"); err == nil || !strings.Contains(out, "rejected") {
		t.Errorf("a push that is behind: got %v\n%s\nwant it rejected", err, out)
	}
	for _, who := range []string{bob.name + ":" + bob.password, "owner:" + i.password} {
		url := strings.Replace(i.Git, "://", "://"+who+"@", 1) + "/dav/alice"
		if out, err := tryGit(work, "ls-remote", url); err == nil || !strings.Contains(out, "not found") {
			t.Errorf("%s looks into what alice has: got %v\n%s", who, err, out)
		}
	}
}
