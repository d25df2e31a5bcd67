package imap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// judge finds a program that tests ask about us. Where CI runs, it has to be there.
func judge(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CAIRN_CI") == "1" {
		t.Fatalf("%s is missing: %v", name, err)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// run runs a judge with nothing of this machine's settings.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(name), err, out)
	}
	return string(out)
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// caFile writes the test certificate to a file.
func caFile(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: testCert().Certificate[0]})
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const imaplibScript = `
import imaplib, ssl, sys, time
port, tls, ca, password = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = ssl.create_default_context(cafile=ca)
def check(answer):
    kind, data = answer
    assert kind == "OK", answer
    return data
def work(m):
    assert check(m.select("INBOX")) == [b"2"]
    assert check(m.search(None, "SUBJECT", "hello")) == [b"1 2"]
    assert check(m.fetch("1", "(BODY[])"))[0][1].endswith(b"Good morning.\r\n")
    assert b"\\Seen" in check(m.fetch("1", "(FLAGS)"))[0]
    check(m.store("1", "+FLAGS", "(\\Flagged)"))
    check(m.append("INBOX", "\\Draft", imaplib.Time2Internaldate(time.time()), b"Subject: new\r\n\r\nbody\r\n"))
    assert check(m.uid("SORT", "(REVERSE SIZE)", "UTF-8", "ALL"))[0].split()[-1] == b"3"
    check(m.create("W\xc3\xb6rk".encode("latin-1").decode("utf-8") if False else '"W&APY-rk"'))
    check(m.copy("1:3", '"W&APY-rk"'))
    check(m.store("3", "+FLAGS", "\\Deleted"))
    assert check(m.expunge()) == [b"3"]
    check(m.rename('"W&APY-rk"', "Work"))
    assert b'"Work"' in check(m.list('""', "W*"))[0]
    assert check(m.status("Work", "(MESSAGES)")) == [b'"Work" (MESSAGES 3)']
    check(m.delete("Work"))
    check(m.getquotaroot("INBOX"))
    check(m.close())
m = imaplib.IMAP4("127.0.0.1", port)
m.starttls(context)
m.login("alice", password)
work(m)
m.logout()
m = imaplib.IMAP4("127.0.0.1", port)
m.login("alice", password)
check(m.enable("UTF8=ACCEPT"))
assert check(m.select("INBOX")) == [b"2"]
check(m.append("INBOX", None, None, "Subject: gr\u00fcn\r\n\r\nbody\r\n".encode()))
assert check(m.fetch("3", "(ENVELOPE)"))
check(m.store("3", "+FLAGS", "\\Deleted"))
check(m.expunge())
m.logout()
m = imaplib.IMAP4_SSL("127.0.0.1", tls, ssl_context=context)
m.authenticate("PLAIN", lambda _: b"\0alice\0" + password.encode())
assert check(m.select("INBOX", readonly=True)) == [b"2"]
m.logout()
`

func TestImaplib(t *testing.T) {
	python := judge(t, "python3")
	h := newHouse(t, nil)
	h.put("alice", "INBOX", hello, hello)
	dir := t.TempDir()
	run(t, dir, python, "-c", imaplibScript, port(h.addr), port(h.tls), caFile(t, dir), alicePassword)
}

// TestMbsync synchronises a Maildir both ways.
func TestMbsync(t *testing.T) {
	mbsync := judge(t, "mbsync")
	h := newHouse(t, nil)
	h.put("alice", "INBOX", hello, hello)
	h.put("alice", "Archive", hello)
	dir := t.TempDir()
	rc := filepath.Join(dir, "mbsyncrc")
	config := fmt.Sprintf(`IMAPAccount a
Host localhost
Port %s
User alice
Pass "%s"
SSLType IMAPS
SystemCertificates no
CertificateFile %s
AuthMechs LOGIN

IMAPStore far
Account a

MaildirStore near
Path %[4]s/mail/
Inbox %[4]s/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
`, port(h.tls), alicePassword, caFile(t, dir), dir)
	if err := os.WriteFile(rc, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "mail"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := func(box string) []string {
		t.Helper()
		all, err := filepath.Glob(filepath.Join(dir, "mail", box, "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	run(t, dir, mbsync, "-D", "-c", rc, "all")
	if got := files("INBOX"); len(got) != 2 {
		t.Fatalf("INBOX has %q, want two messages", got)
	}
	if got := files("Archive"); len(got) != 1 {
		t.Fatalf("Archive has %q, want one message", got)
	}
	if data, err := os.ReadFile(files("Archive")[0]); err != nil || !strings.Contains(string(data), "Good morning.") {
		t.Fatalf("got %q, %v", data, err)
	}

	// A message read and one removed here, a message and a flag there.
	in := files("INBOX")
	if err := os.Remove(in[0]); err != nil {
		t.Fatal(err)
	}
	name := strings.SplitN(filepath.Base(in[1]), ":", 2)[0] + ":2,FS"
	if err := os.Rename(in[1], filepath.Join(dir, "mail", "INBOX", "cur", name)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mail", "Archive", "new", "1.x"), []byte("Subject: mine\n\nwritten here\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.put("alice", "INBOX", "Subject: late\r\n\r\nit came meanwhile\r\n")
	run(t, dir, mbsync, "-D", "-c", rc, "all")

	c := h.open("INBOX")
	lines := c.ok("FETCH 1:* (FLAGS)")
	if len(lines) != 2 || !strings.Contains(lines[0], `\Seen \Flagged`) {
		t.Errorf("INBOX has %q", lines)
	}
	if got := files("INBOX"); len(got) != 2 {
		t.Errorf("INBOX has %q, want two messages", got)
	}
	c.ok("SELECT Archive")
	if got := c.ok("SEARCH BODY written"); got[0] != "* SEARCH 2" {
		t.Errorf("got %q, want the message written by hand", got)
	}
}

// TestGoClient has the library's own client use what it knows.
func TestGoClient(t *testing.T) {
	h := newHouse(t, nil)
	app, err := h.Login.Accounts.NewAppPassword(t.Context(), root, "alice", "phone")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(testCert().Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(cert)
	c, err := imapclient.DialTLS(h.tls, &imapclient.Options{TLSConfig: &tls.Config{RootCAs: pool}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.Caps().Has(imap.AuthCap("SCRAM-SHA-256-PLUS")) {
		t.Errorf("capabilities are %v", c.Caps())
	}
	if err := c.Authenticate(sasl.NewPlainClient("", "alice", app)); err != nil {
		t.Fatal(err)
	}
	box, err := c.Select("INBOX", &imap.SelectOptions{CondStore: true}).Wait()
	if err != nil || box.HighestModSeq == 0 {
		t.Fatalf("select: %+v, %v", box, err)
	}
	a := c.Append("INBOX", int64(len(hello)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
	if _, err := a.Write([]byte(hello)); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if data, err := a.Wait(); err != nil || data.UID != 1 {
		t.Fatalf("append: %+v, %v", data, err)
	}
	got, err := c.Fetch(imap.UIDSetNum(1), &imap.FetchOptions{
		Envelope: true, BodyStructure: &imap.FetchItemBodyStructure{Extended: true}, ModSeq: true, Flags: true,
		BodySection: []*imap.FetchItemBodySection{{Part: []int{1}}}, BinarySection: []*imap.FetchItemBinarySection{{Part: []int{1}}},
	}).Collect()
	if err != nil || len(got) != 1 || got[0].Envelope.Subject != "Hello" || got[0].ModSeq == 0 || got[0].BodyStructure.MediaType() != "text/plain" {
		t.Fatalf("fetch: %+v, %v", got, err)
	}
	if list, err := c.List("", "*", &imap.ListOptions{ReturnStatus: &imap.StatusOptions{NumMessages: true, HighestModSeq: true}, ReturnSpecialUse: true}).Collect(); err != nil || len(list) != 6 || list[0].Status.HighestModSeq == 0 {
		t.Fatalf("list: %+v, %v", list, err)
	}
	if data, err := c.UIDSearch(&imap.SearchCriteria{Text: []string{"MORNING"}, ModSeq: &imap.SearchCriteriaModSeq{ModSeq: 1}}, &imap.SearchOptions{ReturnAll: true, ReturnCount: true}).Wait(); err != nil || data.Count != 1 {
		t.Fatalf("search: %+v, %v", data, err)
	}
	if _, err := c.Thread(&imapclient.ThreadOptions{Algorithm: imap.ThreadReferences, SearchCriteria: &imap.SearchCriteria{}}).Wait(); err != nil {
		t.Fatal(err)
	}
	if data, err := c.GetQuotaRoot("INBOX").Wait(); err != nil {
		t.Fatalf("quota: %+v, %v", data, err)
	}
	if data, err := c.Move(imap.UIDSetNum(1), "Archive").Wait(); err != nil || data.DestUIDs.(imap.UIDSet).String() != "1" {
		t.Fatalf("move: %+v, %v", data, err)
	}
	if err := c.Logout().Wait(); err != nil {
		t.Fatal(err)
	}
}
