package test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A postfix is the mail server of far.test and strict.test, at 192.0.2.1. Its users are bob, later and whoever else
// has a line in the file users.
type postfix struct {
	w    *mailWorld
	root string
}

const postfixMain = `compatibility_level = 3.6
queue_directory = ROOT/spool
data_directory = ROOT/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = ROOT/log
maillog_file_prefixes = ROOT
myhostname = mx.far.test
mydestination =
inet_interfaces = 192.0.2.1
inet_protocols = ipv4
mynetworks = 192.0.2.1/32
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access texthash:ROOT/access
smtpd_tls_security_level = may
smtpd_tls_cert_file = ROOT/cert.pem
smtpd_tls_key_file = ROOT/key.pem
smtpd_tls_received_header = yes
smtp_tls_security_level = may
transport_maps = texthash:ROOT/transport
virtual_mailbox_domains = far.test, strict.test
virtual_mailbox_base = ROOT/mail
virtual_mailbox_maps = texthash:ROOT/users
virtual_minimum_uid = 1
virtual_uid_maps = static:UID
virtual_gid_maps = static:GID
virtual_alias_maps =
alias_maps =
alias_database =
`

const postfixMaster = `192.0.2.1:25 inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`

// postfix starts one that delivers to a cairn, with the certificate of an authority.
func (w *mailWorld) postfix(a *authority, to string) *postfix {
	w.t.Helper()
	program(w.t, "postfix")
	root, err := os.MkdirTemp("", "postfix") // where its user may go, too, and with a short name
	if err != nil {
		w.t.Fatal(err)
	}
	p := &postfix{w, root}
	w.t.Cleanup(func() { os.RemoveAll(root) })
	for _, dir := range []string{"etc", "spool", "data", "mail"} {
		mkdir(w.t, filepath.Join(root, dir))
	}
	id := func(flag string) string { return strings.TrimSpace(w.run("id", flag, "postfix")) }
	fill := strings.NewReplacer("ROOT", root, "UID", id("-u"), "GID", id("-g"))
	p.write("etc/main.cf", fill.Replace(postfixMain))
	p.write("etc/master.cf", postfixMaster)
	p.write("users", "bob@far.test bob/\nlater@far.test later/\nbob@strict.test strict/\n")
	p.write("access", "later@far.test 451 4.7.1 come again\n")
	p.write("transport", "a.test smtp:["+to+"]\n")
	p.certificate(a)
	w.run("chmod", "755", root)
	w.run("chown", "postfix", filepath.Join(root, "data"), filepath.Join(root, "mail"))
	w.run("postfix", "-c", filepath.Join(root, "etc"), "start")
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("Postfix says:\n%s", read(w.t, filepath.Join(root, "log")))
		}
		p.stop()
	})
	return p
}

// stop ends the master process, which ends the others.
func (p *postfix) stop() {
	var pid int
	if _, err := fmt.Sscan(read(p.w.t, filepath.Join(p.root, "spool/pid/master.pid")), &pid); err != nil {
		p.w.t.Fatal(err)
	}
	err := syscall.Kill(pid, syscall.SIGTERM)
	if err == nil {
		err = wait("the end of Postfix", func() error {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if errors.Is(err, fs.ErrNotExist) || strings.Contains(string(stat), ") Z ") {
				return nil
			}
			return errors.Join(err, errors.New("it runs"))
		})
	}
	if err != nil {
		p.w.t.Error(err)
	}
}

func (p *postfix) write(name, text string) {
	p.w.t.Helper()
	write(p.w.t, filepath.Join(p.root, name), []byte(text))
}

func (p *postfix) certificate(a *authority) {
	p.w.t.Helper()
	p.write("cert.pem", string(a.cert))
	p.write("key.pem", string(a.key))
}

// reload has it read its files again.
func (p *postfix) reload() { p.w.run("postfix", "-c", filepath.Join(p.root, "etc"), "reload") }

// gets waits for a message in somebody's mail in which all of that stands.
func (p *postfix) gets(user string, words ...string) {
	p.w.t.Helper()
	if err := wait(fmt.Sprintf("%q at Postfix", words), func() error { return p.has(user, words...) }); err != nil {
		p.w.t.Fatal(err)
	}
}

// getsFrom is gets, for what waits at a cairn, which is told to try again: a connection to a server of before
// may be open still.
func (p *postfix) getsFrom(m *member, user string, words ...string) {
	p.w.t.Helper()
	err := wait(fmt.Sprintf("%q at Postfix", words), func() error {
		m.instance.cairn(p.w.t, "queue", "retry")
		return p.has(user, words...)
	})
	if err != nil {
		p.w.t.Fatal(err)
	}
}

func (p *postfix) has(user string, words ...string) error {
	files, err := filepath.Glob(filepath.Join(p.root, "mail", user, "new/*"))
	if err != nil {
		return err
	}
	for _, name := range files {
		text, missing := read(p.w.t, name), false
		for _, word := range words {
			missing = missing || !strings.Contains(text, word)
		}
		if !missing {
			return nil
		}
	}
	return fmt.Errorf("not in %d messages", len(files))
}

// TestMailPostfix writes to a Postfix and is written to by it.
func TestMailPostfix(t *testing.T) {
	w := newMailWorld(t)
	w.zone.add("far.test. MX 10 mx.far.test.", "mx.far.test. A 192.0.2.1", `far.test. TXT "v=spf1 ip4:192.0.2.1 -all"`, "1.2.0.192.in-addr.arpa. PTR mx.far.test.",
		"strict.test. MX 10 mx.strict.test.", "mx.strict.test. A 192.0.2.1")
	trusted := newAuthority(t, "mx.strict.test", "mta-sts.strict.test")
	ca := filepath.Join(w.dir, "ca.pem")
	write(t, ca, trusted.pem)
	a := w.cairn("a.test", 10, "SSL_CERT_FILE="+ca)
	p := w.postfix(newAuthority(t, "mx.strict.test"), a.at)

	a.submit("bob@far.test", "hello")
	p.gets("bob", "Subject: hello\n", "from mail.a.test (unknown [192.0.2.10])\n\t(using TLSv1.3", "DKIM-Signature: ", "Return-Path: <alice@a.test>\n")
	w.swaks("--server", "192.0.2.1:25", "--from", "bob@far.test", "--to", "alice@a.test", "--h-Subject", "answer")
	a.gets("alice/INBOX", "Subject: answer", "spf=pass", "iprev=pass (mx.far.test)", "(TLS 1.3, ")

	// Whom nobody knows, there and here.
	a.submit("nobody@far.test", "astray")
	a.gets("alice/INBOX", "Return-Path: <>", "Content-Type: multipart/report", "Final-Recipient: rfc822; nobody@far.test", "Status: 5.1.1", "Subject: astray")
	w.swaks("--server", "192.0.2.1:25", "--from", "bob@far.test", "--to", "nobody@a.test", "--h-Subject", "astray")
	p.gets("bob", "<nobody@a.test>: host 192.0.2.10[192.0.2.10] said: 550 5.1.1")

	// Not now; then it may.
	a.submit("later@far.test", "patience")
	a.waits("later@far.test", "come again")
	p.write("access", "")
	p.reload()
	p.getsFrom(a, "later", "Subject: patience\n")
	a.idles()

	// A domain that wants its mail encrypted, at a host whose certificate is anybody's.
	w.policy(trusted, "version: STSv1\r\nmode: enforce\r\nmx: mx.strict.test\r\nmax_age: 86400\r\n")
	w.zone.add(`_mta-sts.strict.test. TXT "v=STSv1; id=1"`, "mta-sts.strict.test. A 192.0.2.2")
	a.submit("bob@strict.test", "secret")
	a.waits("bob@strict.test", "certificate")
	p.certificate(trusted)
	p.reload()
	p.getsFrom(a, "strict", "Subject: secret\n")
	a.idles()
}

// waits waits until a message waits for that reason.
func (m *member) waits(to, reason string) {
	m.w.t.Helper()
	err := wait(to+" in the queue", func() error {
		out := m.instance.cairn(m.w.t, "queue", "list")
		if !strings.Contains(out, to) || !strings.Contains(out, reason) {
			return fmt.Errorf("%q is not in\n%s", reason, out)
		}
		return nil
	})
	if err != nil {
		m.w.t.Fatal(err)
	}
}

// policy serves the policy of MTA-STS of whoever asks at 192.0.2.2.
func (w *mailWorld) policy(a *authority, text string) {
	w.t.Helper()
	w.run("ip", "address", "add", "192.0.2.2/24", "dev", "br0")
	cert, err := tls.X509KeyPair(a.cert, a.key)
	if err != nil {
		w.t.Fatal(err)
	}
	var l net.Listener
	err = w.Inside(func() (err error) {
		l, err = net.Listen("tcp", "192.0.2.2:443")
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	s := &http.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(rw, text)
		}),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.ServeTLS(l, "", "") // ends when it is closed
	}()
	w.t.Cleanup(func() { s.Close(); <-done })
}

// TestMailFlood brings many messages over many sessions at a time, for somebody here and for
// somebody elsewhere: each arrives, once.
func TestMailFlood(t *testing.T) {
	program(t, "smtp-source")
	w := newMailWorld(t)
	a := w.cairn("a.test", 10)
	a.instance.cairn(t, "domain", "alias", "add", "flood@a.test", "alice", "x@sink.test")
	w.zone.add("sink.test. MX 10 mx.sink.test.", "mx.sink.test. A 192.0.2.1")
	dump, err := os.MkdirTemp("", "sink")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dump) })
	if err := os.Chmod(dump, 0o777); err != nil { // whoever nobody is
		t.Fatal(err)
	}
	sink := w.command("smtp-sink", "-u", "nobody", "-d", filepath.Join(dump, "%M."), "192.0.2.1:25", "100")
	if err := sink.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sink.Process.Kill()
		_ = sink.Wait() // it was killed
	})
	messages := 200
	if os.Getenv("CAIRN_LONG") != "" {
		messages = 500 // of 600 that an address may bring in a minute
	}
	w.run("smtp-source", "-s", "20", "-m", fmt.Sprint(messages), "-l", "2000", "-f", "bob@far.test", "-t", "flood@a.test", a.at+":25")
	if got := len(a.box("alice/INBOX")); got != messages {
		t.Errorf("alice has %d messages, want %d", got, messages)
	}
	a.idles()
	files, err := filepath.Glob(filepath.Join(dump, "*"))
	if err != nil || len(files) != messages {
		t.Errorf("%d messages have arrived elsewhere, want %d (%v)", len(files), messages, err)
	}
}

// TestMailFloodHere is the same on loopback, where there are no bounds of an address.
func TestMailFloodHere(t *testing.T) {
	program(t, "smtp-source")
	i, _ := upMail(t)
	alice := newPerson(t, i, "alice")
	cmd := exec.Command("smtp-source", "-s", "20", "-m", "1000", "-l", "4096", "-f", "bob@far.test", "-t", "alice@localhost", i.Mail["smtp"])
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("smtp-source: %v\n%s", err, out)
	}
	c := alice.imap(nil)
	selected, err := c.Select("INBOX", nil).Wait()
	if err != nil || selected.NumMessages != 1000 {
		t.Errorf("there are %d messages, want 1000 (%v)", selected.NumMessages, err)
	}
}
