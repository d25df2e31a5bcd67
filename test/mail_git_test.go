package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
)

// TestMailGit reads mail in a clone, and pushes a deletion and a flag, which a program that waits
// sees at once. Nobody else may fetch it.
func TestMailGit(t *testing.T) {
	i, _ := upMail(t)
	alice, bob := newPerson(t, i, "alice"), newPerson(t, i, "bob")
	var texts []string
	for n := range 3 {
		texts = append(texts, letter("carol@example.org", "alice@localhost", fmt.Sprint("number", n+1), "Hello."))
		i.deliver(t, "carol@example.org", "alice@localhost", texts[n])
	}
	dir := t.TempDir()
	work := filepath.Join(dir, "mail")
	git(t, dir, "clone", "-q", alice.mailURL(), work)
	file := func(n int) string {
		found, err := filepath.Glob(filepath.Join(work, "mailboxes/INBOX/*/*/"+fmt.Sprint(n)+".eml"))
		if err != nil || len(found) != 1 {
			t.Fatalf("message %d in the clone: got %q, %v", n, found, err)
		}
		return found[0]
	}
	for n, text := range texts {
		if got := read(t, file(n+1)); got != text {
			t.Errorf("message %d in the clone: got %q, want %q", n+1, got, text)
		}
		if trace := read(t, strings.TrimSuffix(file(n+1), ".eml")+".trace"); !strings.HasPrefix(trace, "Return-Path: <carol@example.org>\r\n") {
			t.Errorf("what was put in front of message %d: got %q", n+1, trace)
		}
	}
	for _, url := range []string{strings.Replace(bob.mailURL(), "mail/bob", "mail/alice", 1), i.Git + "/mail/alice"} {
		if out, err := tryGit(dir, "clone", "-q", url, filepath.Join(dir, "stolen")); err == nil {
			t.Errorf("%s could be cloned\n%s", url, out)
		}
	}
	if out, err := tryGit(work, "push", "-q", strings.Replace(bob.mailURL(), "mail/bob", "mail/alice", 1), "HEAD:main"); err == nil {
		t.Errorf("bob could push to alice's mail\n%s", out)
	}

	seen := make(chan string, 100)
	waiting := alice.imap(&imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Expunge: func(n uint32) { seen <- fmt.Sprint("expunged ", n) },
		Fetch: func(m *imapclient.FetchMessageData) {
			if b, err := m.Collect(); err == nil {
				seen <- fmt.Sprint(b.SeqNum, " has ", b.Flags)
			}
		},
	}})
	if _, err := waiting.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	idle, err := waiting.Idle()
	if err != nil {
		t.Fatal(err)
	}
	await := func(want string) {
		t.Helper()
		for timeout := time.After(time.Minute); ; {
			select {
			case got := <-seen:
				if got == want {
					return
				}
				t.Logf("waiting for %q: %q", want, got)
			case <-timeout:
				t.Fatalf("the program that waits is not told: %s", want)
			}
		}
	}
	push := func(what string) (string, error) {
		git(t, work, "add", "-A")
		git(t, work, "commit", "-qm", what)
		return tryGit(work, "push", "-q", "origin", "HEAD:main")
	}
	if err := os.Remove(file(2)); err != nil {
		t.Fatal(err)
	}
	if out, err := push("Delete number 2"); err != nil {
		t.Fatalf("push of a deletion: %v\n%s", err, out)
	}
	await("expunged 2")

	// What was pushed is brought in order, by one more commit.
	settled := func(done func() bool) {
		t.Helper()
		err := wait("that the push is brought in order", func() error {
			git(t, work, "pull", "-q", "--rebase")
			if !done() {
				return fmt.Errorf("not in\n%s", git(t, work, "log", "--stat"))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	flags := filepath.Join(filepath.Dir(file(1)), "flags.txt")
	settled(func() bool { return !strings.Contains(read(t, flags), "\n2 ") })

	write(t, file(3), []byte("another text\r\n"))
	if out, err := push("Change a message"); err == nil || !strings.Contains(out, "a message cannot be changed") {
		t.Errorf("push of another text for a message: got %v\n%s", err, out)
	}
	git(t, work, "reset", "-q", "--hard", "HEAD~1")
	lines := strings.SplitAfter(read(t, flags), "\n")
	for n, line := range lines {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "3" {
			fields[1] = "?"
			lines[n] = strings.Join(append(fields, "\\Flagged\n"), " ")
		}
	}
	write(t, flags, []byte(strings.Join(lines, "")))
	if out, err := push("Flag number 3"); err != nil {
		t.Fatalf("push of a flag: %v\n%s", err, out)
	}
	await(`2 has [\Flagged]`)
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	settled(func() bool { return !strings.Contains(read(t, flags), "?") })
	if got := read(t, flags); !strings.Contains(got, ` \Flagged`+"\n") {
		t.Errorf("afterwards flags.txt is\n%s", got)
	}
}
