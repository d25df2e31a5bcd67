package test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMailSwaks has swaks bring mail, with everything that servers and programs do and some
// things that they may not.
func TestMailSwaks(t *testing.T) {
	i, _ := upMail(t, "-tls", "seed", "-submissions", "127.0.0.1:0")
	alice, bob := newPerson(t, i, "alice"), newPerson(t, i, "bob")
	in, out, tls := i.Mail["smtp"], i.Mail["submission"], i.Mail["submissions"]
	login := []string{"--auth-user", "bob", "--auth-password", secret}
	write(t, filepath.Join(i.home, "eight.txt"), []byte(strings.ReplaceAll(letter("Bob <bob@example.org>", "alice@localhost", "eight", "grün"), "\r\n", "\n")))
	for _, c := range []struct {
		name, says string
		status     int // of swaks: 0 taken, 23 sender refused, 24 receiver, 26 message, 28 log-in
		args       []string
	}{
		{"in the clear", "250 2.0.0 ", 0, []string{"--server", in, "--from", "carol@example.org", "--to", "alice@localhost"}},
		{"STARTTLS", "=== TLS started", 0, []string{"--server", in, "-tls", "--from", "carol@example.org", "--to", "alice+lists@localhost"}},
		{"pipelined", "250 2.0.0 ", 0, []string{"--server", in, "--pipeline", "--from", "<>", "--to", "alice@localhost,bob@localhost"}},
		{"8BITMIME", "250 2.0.0 ", 0, []string{"--server", in, "--from", "carol@example.org", "--to", "alice@localhost", "--data", "@" + filepath.Join(i.home, "eight.txt")}},
		{"nobody", "550 5.1.1 ", 24, []string{"--server", in, "--from", "carol@example.org", "--to", "nobody@localhost"}},
		{"relay", "5.7.1 ", 24, []string{"--server", in, "--from", "carol@example.org", "--to", "carol@elsewhere.example"}},
		{"relay in alice's name", "5.7.1 ", 24, []string{"--server", in, "--from", "alice@localhost", "--to", "carol@elsewhere.example"}},
		{"log-in at 25", "", 28, append([]string{"--server", in, "--auth", "PLAIN", "--from", "bob@localhost", "--to", "alice"}, login...)},
		{"PLAIN", "250 2.0.0 ", 0, append([]string{"--server", out, "--auth", "PLAIN", "--from", "bob@localhost", "--to", "alice"}, login...)},
		{"LOGIN", "250 2.0.0 ", 0, append([]string{"--server", out, "-tls", "--auth", "LOGIN", "--from", "bob@localhost", "--to", "alice@localhost"}, login...)},
		{"TLS from the beginning", "250 2.0.0 ", 0, append([]string{"--server", tls, "-tlsc", "--auth", "PLAIN", "--from", "bob@localhost", "--to", "alice@localhost"}, login...)},
		{"another's name", "5.7.1 ", 23, append([]string{"--server", out, "--auth", "PLAIN", "--from", "alice@localhost", "--to", "alice"}, login...)},
		{"another's From", "5.7.1 ", 26, append([]string{"--server", out, "--auth", "PLAIN", "--from", "bob@localhost", "--h-From", "alice@localhost", "--to", "alice"}, login...)},
		{"wrong password", "535 5.7.8 ", 28, []string{"--server", out, "--auth", "PLAIN", "--auth-user", "bob", "--auth-password", "wrong", "--from", "bob@localhost", "--to", "alice"}},
		{"without log-in", "530 5.7.0 ", 23, []string{"--server", out, "--from", "bob@localhost", "--to", "alice"}},
	} {
		said, err := judged(t, t.TempDir(), "swaks", append([]string{"--helo", "client.example.org", "--h-Subject", c.name}, c.args...)...)
		status := 0
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			status = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if status != c.status || !strings.Contains(said, c.says) {
			t.Errorf("%s: swaks ended with %d, want %d and %q in\n%s", c.name, status, c.status, c.says, said)
		}
	}
	all := alice.awaits("INBOX", 7)
	for n, want := range []string{"by localhost with ESMTP id", "by localhost with ESMTPS (TLS 1.3", "Return-Path: <>", "\r\n\r\ngrün", "from bob by localhost with ESMTPA", "from bob by localhost with ESMTPSA", "ESMTPSA"} {
		if !strings.Contains(unfolded(all[n]), want) {
			t.Errorf("message %d lacks %q:\n%s", n+1, want, all[n])
		}
	}
	bob.awaits("INBOX", 1)
}

// TestMailCurl has curl send and read.
func TestMailCurl(t *testing.T) {
	i, _ := upMail(t, "-tls", "seed", "-submissions", "127.0.0.1:0", "-imaps", "127.0.0.1:0")
	newPerson(t, i, "alice")
	bob := newPerson(t, i, "bob")
	dir := t.TempDir()
	text := letter("Bob <bob@localhost>", "alice@localhost", "lunch", "At noon.")
	write(t, filepath.Join(dir, "letter"), []byte(text))
	curl := func(user string, args ...string) string {
		out, err := judged(t, dir, "curl", append([]string{"-sS", "--insecure", "-u", user + ":" + secret}, args...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	for _, url := range []string{"smtp://" + i.Mail["submission"], "smtps://" + i.Mail["submissions"]} {
		curl("bob", "--url", url, "--ssl-reqd", "--mail-from", "bob@localhost", "--mail-rcpt", "alice@localhost", "--upload-file", "letter")
	}
	for _, url := range []string{"imap://" + i.Mail["imap"], "imaps://" + i.Mail["imaps"]} {
		if got := curl("alice", "--ssl-reqd", url+"/INBOX;UID=2"); !strings.HasSuffix(got, "\r\nSubject: lunch\r\n"+text[strings.Index(text, "Date:"):]) {
			t.Errorf("%s: got\n%s", url, got)
		}
	}
	curl("bob", "--url", "imap://"+i.Mail["imap"]+"/Sent", "--upload-file", "letter")
	if sent := bob.awaits("Sent", 1); sent[0] != text {
		t.Errorf("in Sent: got\n%s", sent[0])
	}
}
