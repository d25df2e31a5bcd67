package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
)

const mbsyncConfig = `IMAPAccount cairn
Host 127.0.0.1
Port %s
User alice
Pass %s
SSLType None
AuthMechs *

IMAPStore far
Account cairn

MaildirStore near
Path %s/
Inbox %[3]s/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
`

// TestMailMbsync keeps a Maildir and mail the same, both ways, with deletions, flags and new
// mailboxes.
func TestMailMbsync(t *testing.T) {
	i, _ := upMail(t)
	alice := newPerson(t, i, "alice")
	// One for a device: mbsync takes SCRAM where it can, for which chosen passwords are not kept.
	app := strings.Fields(i.cairn(t, "user", "app", "alice", "laptop"))
	dir := t.TempDir()
	maildir := mkdir(t, filepath.Join(dir, "mail"))
	write(t, filepath.Join(dir, "config"), fmt.Appendf(nil, mbsyncConfig, port(i.Mail["imap"]), app[1], maildir))
	sync := func() {
		t.Helper()
		if out, err := judged(t, dir, "mbsync", "-c", "config", "-a"); err != nil {
			t.Fatalf("%v\n%s\n%s", err, out, i.said())
		}
	}
	files := func(box string) (names []string) {
		for _, sub := range []string{"cur", "new"} {
			list, err := filepath.Glob(filepath.Join(maildir, box, sub, "*"))
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, list...)
		}
		return names
	}
	find := func(box, subject string) string {
		t.Helper()
		for _, name := range files(box) {
			if strings.Contains(read(t, name), "\nSubject: "+subject+"\n") {
				return name
			}
		}
		t.Fatalf("there is no %q in %s", subject, box)
		return ""
	}
	for n := range 5 {
		i.deliver(t, "carol@example.org", "alice@localhost", letter("carol@example.org", "alice@localhost", fmt.Sprint("number", n+1), "Hello."))
	}
	sync()
	if got := len(files("INBOX")); got != 5 {
		t.Fatalf("in the Maildir: got %d messages, want 5", got)
	}

	// Here: number1 is deleted, number2 answered, a draft is new, and a mailbox.
	if err := os.Remove(find("INBOX", "number1")); err != nil {
		t.Fatal(err)
	}
	name := find("INBOX", "number2")
	base, _, _ := strings.Cut(filepath.Base(name), ":2,")
	if err := os.Rename(name, filepath.Join(maildir, "INBOX/cur", base+":2,RS")); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"cur", "new", "tmp"} {
		mkdir(t, filepath.Join(maildir, "Club", sub))
	}
	draft := strings.ReplaceAll(letter("alice@localhost", "bob@localhost", "draft", "Not yet."), "\r\n", "\n")
	write(t, filepath.Join(maildir, "Drafts/cur/1.1.here:2,D"), []byte(draft))
	write(t, filepath.Join(maildir, "Club/cur/2.1.here:2,S"), []byte(draft))
	// There: number3 is deleted, number4 flagged.
	c := alice.imap(nil)
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	for uid, flag := range map[imap.UID]imap.Flag{3: imap.FlagDeleted, 4: imap.FlagFlagged} {
		if err := c.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{flag}}, nil).Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Expunge().Close(); err != nil {
		t.Fatal(err)
	}
	sync()
	sync() // finds nothing to do

	if got := len(files("INBOX")); got != 3 {
		t.Errorf("in the Maildir: got %d messages, want 3", got)
	}
	if name := find("INBOX", "number4"); !strings.HasSuffix(name, ":2,F") {
		t.Errorf("the flagged message is %s", name)
	}
	got := map[string][]imap.Flag{}
	for _, box := range []string{"INBOX", "Drafts", "Club"} {
		selected, err := c.Select(box, nil).Wait()
		if err != nil {
			t.Fatal(err)
		}
		if selected.NumMessages == 0 {
			continue
		}
		list, err := c.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{Envelope: true, Flags: true}).Collect()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			slices.Sort(m.Flags)
			got[box+" "+m.Envelope.Subject] = m.Flags
		}
	}
	want := map[string][]imap.Flag{"INBOX number2": {imap.FlagAnswered, imap.FlagSeen}, "INBOX number4": {imap.FlagFlagged}, "INBOX number5": {},
		"Drafts draft": {imap.FlagDraft}, "Club draft": {imap.FlagSeen}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
