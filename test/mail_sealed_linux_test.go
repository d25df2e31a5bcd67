package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSealedMail runs mail as a sealed process whose state is elsewhere: it takes mail from many
// at a time, and gives it out.
func TestSealedMail(t *testing.T) {
	program(t, "smtp-source")
	s := newSeal(t)
	z := newZone(t) // it is asked of nothing: the process has no way to it
	cmd := s.start("mail", "--dns", z.address)
	i := launchMail(t, cmd, filepath.Join(s.dir, "mail.log"))
	isSealed(t, i.cmd.Process.Pid)
	const messages = 100
	s.run("smtp-source", "-s", "10", "-m", fmt.Sprint(messages), "-l", "4000", "-f", "", "-t", "owner@localhost", sealedAt+":25")
	isSealed(t, i.cmd.Process.Pid)
	write(t, filepath.Join(s.dir, "letter"), []byte(letter("owner@localhost", "owner@localhost", "note", "Hello.")))
	login := []string{"--insecure", "--ssl-reqd", "-u", "owner:" + i.password}
	s.curl(append(login, "smtp://"+sealedAt+":587", "--mail-from", "owner@localhost", "--mail-rcpt", "owner@localhost", "--upload-file", "letter")...)
	if got := s.curl(append(login, "imap://"+sealedAt+"/INBOX;UID=101")...); !strings.Contains(got, "\r\nSubject: note\r\n") {
		t.Errorf("got\n%s", got)
	}
	if got := s.curl(append(login, "imap://"+sealedAt+"/INBOX", "-X", "STATUS INBOX (MESSAGES)")...); !strings.Contains(got, "(MESSAGES 101)") {
		t.Errorf("got %s, want 101 messages", got)
	}
}

// launchMail starts a mail alone and waits until it serves.
func launchMail(t *testing.T, cmd *exec.Cmd, log string) *instance {
	t.Helper()
	i := &instance{log: log, cmd: cmd, done: make(chan error, 1)}
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { i.done <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := i.stop(syscall.SIGTERM); err != nil {
			t.Errorf("mail ended with %v\n%s", err, i.said())
		}
	})
	err = wait("mail", func() error {
		select {
		case err := <-i.done:
			i.done <- err
			return errors.Join(errEnded, err)
		default:
		}
		if !strings.Contains(i.said(), "mail: serving ") {
			return errors.New("it does not say that it serves")
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, i.said())
	}
	i.password = i.told("Password")
	return i
}
