package test

import (
	"encoding/base64"
	"fmt"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMailRules has alice's mail sorted by a script that she keeps by ManageSieve, and then by one that she pushes. A
// script that means nothing is refused both ways, and bob may do neither.
func TestMailRules(t *testing.T) {
	i, _ := upMail(t)
	alice, bob := newPerson(t, i, "alice"), newPerson(t, i, "bob")
	c, err := textproto.Dial("tcp", i.Mail["sieve"])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	says := func(want string) {
		t.Helper()
		for {
			line, err := c.ReadLine()
			if err != nil {
				t.Fatalf("want %q: %v", want, err)
			}
			if word, _, _ := strings.Cut(line, " "); word == "OK" || word == "NO" || word == "BYE" {
				if !strings.HasPrefix(line, want) {
					t.Fatalf("got %q, want %q", line, want)
				}
				return
			}
		}
	}
	ask := func(want, format string, args ...any) {
		t.Helper()
		if err := c.PrintfLine(format, args...); err != nil {
			t.Fatal(err)
		}
		says(want)
	}
	says("OK")
	ask("OK", "AUTHENTICATE \"PLAIN\" \"%s\"", base64.StdEncoding.EncodeToString([]byte("\x00alice\x00"+alice.password)))
	ask(`NO "line 1, column 5: `, `PUTSCRIPT "rules" "keep"`)
	script := "require [\"fileinto\", \"mailbox\", \"imap4flags\"];\r\nif header :contains \"subject\" \"chess\" { fileinto :create :flags \"\\\\Seen\" \"Clubs/Chess\"; }\r\n"
	ask("OK", "PUTSCRIPT \"rules\" {%d+}\r\n%s", len(script), script)
	ask("OK", `SETACTIVE "rules"`)
	ask("OK", "LOGOUT")

	deliver := func(subject string) {
		i.deliver(t, "carol@example.org", "alice@localhost", letter("carol@example.org", "alice@localhost", subject, "Hello."))
	}
	deliver("chess on Monday")
	deliver("something else")
	alice.awaits("Clubs/Chess", 1)
	alice.awaits("INBOX", 1)

	dir := t.TempDir()
	work := filepath.Join(dir, "mail")
	git(t, dir, "clone", "-q", alice.mailURL(), work)
	if got := read(t, filepath.Join(work, "sieve/rules.sieve")); got != script {
		t.Errorf("the script in the clone: got %q, want %q", got, script)
	}
	push := func(url, content string) (string, error) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(work, "sieve/rules.sieve"), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		git(t, work, "commit", "-qam", "New rules")
		return tryGit(work, "push", "-q", url, "HEAD:main")
	}
	if out, err := push("origin", "require \"fileinto\";\nfilinto \"Archive\";\n"); err == nil || !strings.Contains(out, `sieve/rules.sieve: line 2, column 1: there is no command "filinto"`) {
		t.Errorf("a push of nonsense: %v\n%s", err, out)
	}
	good := "require \"fileinto\";\nfileinto \"Archive\";\n"
	if out, err := push(strings.Replace(bob.mailURL(), "mail/bob", "mail/alice", 1), good); err == nil {
		t.Errorf("bob could push to alice's rules\n%s", out)
	}
	if out, err := push("origin", good+fmt.Sprintln("# again")); err != nil {
		t.Fatalf("push: %v\n%s", err, out)
	}
	deliver("chess on Tuesday")
	alice.awaits("Archive", 1)
	alice.awaits("Clubs/Chess", 1)
}
