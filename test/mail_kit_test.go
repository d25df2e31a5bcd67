package test

import (
	"fmt"
	"net/textproto"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// letter is a message with that subject.
func letter(from, to, subject string, lines ...string) string {
	head := []string{"From: " + from, "To: " + to, "Subject: " + subject, "Date: Sun, 22 Nov 2026 12:00:00 +0000", "Message-ID: <" + subject + "@example.org>", ""}
	return strings.Join(append(head, append(lines, "")...), "\r\n")
}

// A session is one of SMTP that a test holds by hand.
type session struct{ *textproto.Conn }

// dialSMTP opens a session and says hello.
func dialSMTP(address string) (session, error) {
	c, err := textproto.Dial("tcp", address)
	if err != nil {
		return session{}, err
	}
	s := session{c}
	if _, _, err = c.ReadResponse(220); err == nil {
		_, err = s.ask(250, "EHLO client.example.org")
	}
	if err != nil {
		c.Close()
	}
	return s, err
}

// ask sends a line and returns the reply, which has to have that code.
func (s session) ask(code int, format string, args ...any) (string, error) {
	if err := s.PrintfLine(format, args...); err != nil {
		return "", err
	}
	_, text, err := s.ReadResponse(code)
	return text, err
}

// send brings one message; nil is a 250.
func (s session) send(from, to, message string) error {
	if _, err := s.ask(250, "MAIL FROM:<%s>", from); err != nil {
		return err
	}
	if _, err := s.ask(250, "RCPT TO:<%s>", to); err != nil {
		return err
	}
	if _, err := s.ask(354, "DATA"); err != nil {
		return err
	}
	w := s.DotWriter()
	if _, err := w.Write([]byte(message)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, _, err := s.ReadResponse(250)
	return err
}

// upMail starts a cairn that asks a name server of ours, which knows of nothing but what it is told.
func upMail(t *testing.T, args ...string) (*instance, *zone) {
	t.Helper()
	z := newZone(t)
	return up(t, append([]string{"-dns", z.address}, args...)...), z
}

// deliver brings a message as another server does.
func (i *instance) deliver(t *testing.T, from, to, message string) {
	t.Helper()
	s, err := dialSMTP(i.Mail["smtp"])
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.send(from, to, message); err != nil {
		t.Fatal(err)
	}
}

// imap logs in to read mail.
func (p *person) imap(o *imapclient.Options) *imapclient.Client {
	p.t.Helper()
	c, err := p.tryIMAP(o)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.Close() })
	return c
}

func (p *person) tryIMAP(o *imapclient.Options) (*imapclient.Client, error) {
	c, err := imapclient.DialInsecure(p.i.Mail["imap"], o)
	if err != nil {
		return nil, err
	}
	if err := c.Login(p.name, p.password).Wait(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// mail is all that lies in a mailbox, in the order of its UIDs, as IMAP shows it.
func (p *person) mail(mailbox string) ([]string, error) {
	c, err := p.tryIMAP(nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	selected, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || selected.NumMessages == 0 {
		return nil, err
	}
	section := &imap.FetchItemBodySection{Peek: true}
	list, err := c.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		return nil, err
	}
	var all []string
	for _, m := range list {
		all = append(all, string(m.FindBodySection(section)))
	}
	return all, nil
}

// awaits waits until there are so many messages in a mailbox, and returns them.
func (p *person) awaits(mailbox string, n int) (all []string) {
	p.t.Helper()
	err := wait(fmt.Sprintf("%d messages in %s of %s", n, mailbox, p.name), func() (err error) {
		if all, err = p.mail(mailbox); err == nil && len(all) != n {
			err = fmt.Errorf("there are %d", len(all))
		}
		return err
	})
	if err != nil {
		p.t.Fatalf("%v\n%s", err, strings.Join(all, "\n---\n"))
	}
	return all
}

// unfolded is a message whose fields are in one line each.
func unfolded(message string) string {
	return strings.NewReplacer("\r\n ", " ", "\r\n\t", " ").Replace(message)
}

// mailURL is where a person's mail is cloned from.
func (p *person) mailURL() string {
	return strings.Replace(p.i.Git, "://", "://"+p.name+":"+p.password+"@", 1) + "/mail/" + p.name
}

// cairn runs a command on the home of one that is up.
func (i *instance) cairn(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tryCairn(i.home, args...)
	if err != nil {
		t.Fatalf("cairn %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// judged runs a program with nothing of this machine's settings and returns what it prints.
func judged(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(program(t, name), args...)
	cmd.Dir, cmd.Env = dir, cleanEnv(dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w", filepath.Base(name), strings.Join(args, " "), err)
	}
	return string(out), err
}
