package test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cairn/internal/githost"
)

// resident is how much memory a process has, in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	var pages int
	for line := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/status", pid))) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &pages); err == nil {
			return pages << 10
		}
	}
	t.Fatal("the process does not say how much memory it has")
	return 0
}

// connect opens a connection from one of many addresses of loopback, of each of which
// there may be so many only.
func connect(t *testing.T, n int, address string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n/10))}, Timeout: time.Minute}
	c, err := d.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// answers sends lines and reads until that is there.
func answers(t *testing.T, c net.Conn, want, line string) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 4096)
	for !bytes.Contains(got, []byte(want)) {
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			t.Fatalf("%v, and no %q in %q", err, want, got)
		}
	}
}

// TestMailIdle has a thousand programs that wait for mail and a thousand servers that say nothing;
// another one works.
func TestMailIdle(t *testing.T) {
	i, _ := upMail(t)
	alice := newPerson(t, i, "alice")
	i.deliver(t, "carol@example.org", "alice@localhost", letter("carol@example.org", "alice@localhost", "first", "Hello."))
	const clients = 1000
	pid := i.cmd.Process.Pid
	fresh := resident(t, pid)
	alice.awaits("INBOX", 1) // to look at a password takes memory, which is there for others afterwards
	before := resident(t, pid)
	for n := range clients {
		c := connect(t, n, i.Mail["imap"])
		answers(t, c, "* OK", "")
		answers(t, c, "a OK", "a LOGIN alice "+secret+"\r\n")
		answers(t, c, "b OK", "b SELECT INBOX\r\n")
		answers(t, c, "+ ", "c IDLE\r\n")
	}
	reading := resident(t, pid)
	for n := range clients {
		answers(t, connect(t, n, i.Mail["smtp"]), "220 ", "")
	}
	both := resident(t, pid)
	t.Logf("%d MiB, after a log-in %d MiB; with %d idle readers %d MiB more, with as many idle servers %d MiB more", fresh>>20, before>>20, clients, (reading-before)>>20, (both-reading)>>20)
	if more := reading - before; more > 60<<20 {
		t.Errorf("%d idle readers take %d MiB, want 60 at most", clients, more>>20)
	}
	i.deliver(t, "carol@example.org", "alice@localhost", letter("carol@example.org", "alice@localhost", "second", "Hello."))
	alice.awaits("INBOX", 2)
}

// TestMailEndless sends lines, literals and messages without an end or a sense, and messages of
// thousands of parts. Each gets an answer, and others are served.
func TestMailEndless(t *testing.T) {
	i, _ := upMail(t)
	alice := newPerson(t, i, "alice")
	before := resident(t, i.cmd.Process.Pid)
	for name, kind := range map[string]string{"smtp": "EHLO ", "submission": "AUTH PLAIN ", "imap": "a LOGIN "} {
		c := connect(t, 0, i.Mail[name])
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(kind))
		junk := bytes.Repeat([]byte("x"), 1<<20)
		for range 64 {
			if _, err := c.Write(junk); err != nil {
				break // told to go
			}
		}
	}
	c := connect(t, 0, i.Mail["imap"])
	answers(t, c, "* OK", "")
	answers(t, c, "a ", "a LOGIN {4294967295}\r\n")

	var bomb strings.Builder
	bomb.WriteString("From: carol@example.org\r\nSubject: bomb\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n")
	for range 10_000 {
		bomb.WriteString("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n")
	}
	bomb.WriteString("--b--\r\n")
	deep := "From: carol@example.org\r\nSubject: deep\r\nMIME-Version: 1.0\r\n"
	for n := range 1000 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%[1]d\r\n", n)
	}
	for _, m := range []string{bomb.String(), deep} {
		i.deliver(t, "carol@example.org", "alice@localhost", m)
	}
	c = connect(t, 0, i.Mail["imap"])
	answers(t, c, "* OK", "")
	answers(t, c, "a OK", "a LOGIN alice "+secret+"\r\n")
	answers(t, c, "b OK", "b SELECT INBOX\r\n")
	answers(t, c, "c OK", "c FETCH 1:2 (ENVELOPE BODYSTRUCTURE)\r\n")
	answers(t, c, "d OK", "d SEARCH TEXT bomb\r\n")
	alice.awaits("INBOX", 2)
	if more := resident(t, i.cmd.Process.Pid) - before; more > 200<<20 {
		t.Errorf("it has taken %d MiB", more>>20)
	}
}

// TestMailDiskFull fills the disk: mail is refused for now and read all the same, and comes when there
// is room again.
func TestMailDiskFull(t *testing.T) {
	dir := t.TempDir()
	disk := mkdir(t, filepath.Join(dir, "disk"))
	mount := exec.Command("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk)
	if out, err := mount.CombinedOutput(); err != nil {
		judge(t, false, "the right to mount a tmpfs ("+strings.TrimSpace(string(out))+")")
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	z := newZone(t)
	i, err := start(filepath.Join(disk, "home"), filepath.Join(dir, "up.log"), os.Environ(), "-dns", z.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.stop(syscall.SIGINT); err != nil {
			t.Errorf("cairn up ended with %v", err)
		}
		git(t, filepath.Join(disk, "home", "repo.git"), "fsck", "--strict")
	})
	alice := newPerson(t, i, "alice")
	text := letter("carol@example.org", "alice@localhost", "lunch", "At noon.")
	i.deliver(t, "carol@example.org", "alice@localhost", text)
	f, err := os.Create(filepath.Join(disk, "full"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(noise(64 << 10))
	}
	f.Close()
	i.refuses(t, text)
	alice.awaits("INBOX", 1)
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	i.deliver(t, "carol@example.org", "alice@localhost", text)
	alice.awaits("INBOX", 2)
}

// refuses brings a message that has to be refused for now.
func (i *instance) refuses(t *testing.T, text string) {
	t.Helper()
	s, err := dialSMTP(i.Mail["smtp"])
	if err == nil {
		err = s.send("carol@example.org", "alice@localhost", text)
		s.Close()
	}
	forNow(t, err)
}

// forNow wants an answer that says: not now.
func forNow(t *testing.T, err error) {
	t.Helper()
	if refused, ok := errors.AsType[*textproto.Error](err); !ok || refused.Code/10 != 45 {
		t.Errorf("got %v, want it refused for now", err)
	}
}

// TestMailAway takes the host of the repository away: mail is refused for now, and what is there is
// read; it heals by itself.
func TestMailAway(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	z := newZone(t)
	i := upAway(t, h, "", "-dns", z.address)
	addresses := i.told("Mail")
	i.Mail = map[string]string{"imap": following(addresses, `imap://(\S+)`), "submission": following(addresses, `submission://(\S+)`)}
	owner := &person{t, i, "owner", i.password}
	c := owner.imap(nil)
	text := []byte(letter("owner@localhost", "owner@localhost", "note", "Hello."))
	put := func() error {
		c, err := owner.tryIMAP(nil)
		if err != nil {
			return err
		}
		defer c.Close()
		a := c.Append("INBOX", int64(len(text)), nil)
		if _, err := a.Write(text); err != nil {
			return err
		}
		if err := a.Close(); err != nil {
			return err
		}
		_, err = a.Wait()
		return err
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	h.Stop()
	s, err := dialSMTP(i.Mail["submission"])
	if err == nil {
		_, err = s.ask(235, "AUTH PLAIN %s", base64.StdEncoding.EncodeToString([]byte("\x00owner\x00"+i.password)))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	forNow(t, s.send("owner@localhost", "owner@localhost", string(text)))
	if err := put(); err == nil || strings.Contains(err.Error(), "EOF") {
		t.Errorf("APPEND while the host is away: got %v, want a NO", err)
	}
	owner.awaits("INBOX", 1)
	h.Start()
	if err := wait("an APPEND after the host came back", put); err != nil {
		t.Error(err)
	}
	if err := c.Noop().Wait(); err != nil {
		t.Errorf("a session from before: %v", err)
	}
	owner.awaits("INBOX", 2)
}
