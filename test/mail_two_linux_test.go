package test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMailTwoCairns has two cairns write to each other, each with TCP/IP of its own: what comes is
// proved to come from there, to others as well, and what is forwarded is vouched for.
func TestMailTwoCairns(t *testing.T) {
	w := newMailWorld(t)
	a, b := w.cairn("a.test", 10), w.cairn("b.test", 11)
	a.submit("alice@b.test", "hello")
	got := b.gets("alice/INBOX", "Subject: hello")
	for _, want := range []string{
		"Return-Path: <alice@a.test>", "Authentication-Results: mail.b.test;", "iprev=pass (mail.a.test)", "spf=pass", "dmarc=pass", "header.from=a.test",
		"(TLS 1.3, ", "from alice by mail.a.test with ESMTPSA",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("what came lacks %q:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "dkim=pass"); n != 2 {
		t.Errorf("%d signatures pass, want 2:\n%s", n, got)
	}

	// A judge that is not ours, on the bytes as they came.
	w.verifies(b, "hello")

	// An answer, and what somebody claims to be.
	b.submit("alice@a.test", "answer")
	a.gets("alice/INBOX", "Subject: answer", "dmarc=pass")
	w.swaks("--server", b.at+":25", "--from", "alice@a.test", "--to", "alice@b.test", "--h-Subject", "forged")
	b.gets("alice/Junk", "Subject: forged", "dmarc=fail", "spf=fail")

	// An alias that leads back: SPF is that of who forwards, the signature is the sender's, and who
	// forwards seals what they have found.
	b.instance.cairn(t, "domain", "alias", "add", "club@b.test", "alice", "alice@a.test")
	a.submit("club@b.test", "forwarded")
	b.gets("alice/INBOX", "Subject: forwarded")
	got = a.gets("alice/INBOX", "Subject: forwarded")
	for _, want := range []string{"Return-Path: <SRS0=", "spf=pass", "dkim=pass", "dmarc=pass", "arc=pass", "ARC-Seal: i=1;"} {
		if !strings.Contains(got, want) {
			t.Errorf("what was forwarded lacks %q:\n%s", want, got)
		}
	}

	// New keys.
	a.instance.cairn(t, "domain", "rotate", "a.test")
	w.zone.add(a.instance.cairn(t, "domain", "records", "a.test", "--zone", "--address", a.at))
	a.instance.cairn(t, "domain", "rotate", "a.test", "--switch")
	a.submit("alice@b.test", "new keys")
	if next := b.gets("alice/INBOX", "Subject: new keys", "dmarc=pass"); strings.Count(next, "dkim=pass") != 2 {
		t.Errorf("with new keys:\n%s", next)
	}
	w.verifies(b, "new keys")
	a.idles()
	b.idles()
}

// verifies has python3-dkim look at every signature of a message in alice's inbox.
func (w *mailWorld) verifies(m *member, subject string) {
	w.t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	judge(w.t, exec.Command(python, "-c", "import dkim, dns.resolver, nacl").Run() == nil, "python3-dkim, python3-dnspython, python3-nacl")
	work := filepath.Join(w.t.TempDir(), "mail")
	git(w.t, w.dir, "clone", "-q", "-b", "mail/alice", filepath.Join(m.home, "repo.git"), work)
	files, err := filepath.Glob(filepath.Join(work, "mailboxes/INBOX/*/*/*.eml"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, file := range files {
		text := read(w.t, file)
		if !strings.Contains(text, "\r\nSubject: "+subject+"\r\n") {
			continue
		}
		cmd := w.command(python, "-c", `
import sys, dkim, dns.resolver
r = dns.resolver.Resolver(configure=False)
r.nameservers = ["192.0.2.1"]
def txt(name, timeout=5):
    return b"".join(r.resolve(name.decode().rstrip("."), "TXT")[0].strings)
d = dkim.DKIM(sys.stdin.buffer.read())
print([d.verify(n, dnsfunc=txt) for n in range(2)])
`)
		cmd.Stdin = strings.NewReader(text)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if out, err := cmd.Output(); err != nil || string(out) != "[True, True]\n" {
			w.t.Errorf("python3-dkim says %s %v %s of\n%s", out, err, errs.String(), text)
		}
		return
	}
	w.t.Errorf("no %q among %q", subject, files)
}
