package smtp

import (
	"bytes"
	"crypto/tls"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// judge returns a command that is a client of others, or skips.
func judge(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatal(err)
		}
		t.Skipf("no %s here", name)
	}
	return path
}

// swaks runs the Swiss Army Knife SMTP and returns what it says and how it ends.
func swaks(t *testing.T, addr string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(judge(t, "swaks"), append([]string{"--server", addr, "--timeout", "60"}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestSwaks(t *testing.T) {
	judge(t, "swaks")
	h := open(t)
	relay, submission := h.listen(Relay), h.listen(Submission)
	login := func(more ...string) []string {
		return append([]string{"--from", "alice@example.org", "--auth-user", "alice", "--auth-password", h.passwords["alice"]}, more...)
	}
	for _, c := range []struct {
		name, addr string
		args       []string
		code       int // of swaks; 0 when the message was taken
		box        string
	}{
		{"to alice", relay, []string{"--to", "alice@example.org", "--from", "bob@elsewhere.example"}, 0, "alice"},
		{"under TLS", relay, []string{"--to", "alice@example.org", "--from", "bob@elsewhere.example", "-tls"}, 0, "alice"},
		{"pipelined", relay, []string{"--to", "alice@example.org,bob@example.org", "--from", "bob@elsewhere.example", "-pipeline"}, 0, "bob"},
		{"to nobody", relay, []string{"--to", "nobody@example.org", "--from", "bob@elsewhere.example"}, 24, ""},
		{"through us", relay, []string{"--to", "carol@elsewhere.example", "--from", "bob@elsewhere.example"}, 24, ""},
		{"PLAIN", submission, login("--to", "bob@example.org", "--auth", "PLAIN", "-tls"), 0, "bob"},
		{"LOGIN", submission, login("--to", "bob@example.org", "--auth", "LOGIN", "-tls"), 0, "bob"},
		{"not logged in", submission, []string{"--to", "bob@example.org", "--from", "alice@example.org"}, 23, ""},
		{"wrong password", submission, []string{"--to", "bob@example.org", "--from", "alice@example.org", "--auth", "PLAIN", "--auth-user", "carol", "--auth-password", "wrong"}, 28, ""},
		{"in bob's name", submission, []string{"--to", "bob@example.org", "--from", "bob@example.org", "--auth", "PLAIN", "--auth-user", "alice", "--auth-password", h.passwords["alice"]}, 23, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := 0
			if c.box != "" {
				before = len(h.got(c.box, "INBOX"))
			}
			if out, code := swaks(t, c.addr, c.args...); code != c.code {
				t.Fatalf("got code %d, want %d:\n%s", code, c.code, out)
			}
			if c.box != "" && len(h.got(c.box, "INBOX")) != before+1 {
				t.Errorf("%s has %d messages, want %d", c.box, len(h.got(c.box, "INBOX")), before+1)
			}
		})
	}
}

// program is a client that Python's own library is.
const program = `
import smtplib, ssl, sys
from email.message import EmailMessage
port, password, roots = int(sys.argv[1]), sys.argv[2], sys.argv[3]
m = EmailMessage()
m["From"], m["To"], m["Subject"] = "Alice <alice@example.org>", "bob@example.org", "Grüße"
m.set_content("Grüße aus München\n.\n..\n")
with smtplib.SMTP("127.0.0.1", port, timeout=60) as s:
    s.starttls(context=ssl.create_default_context(cafile=roots))
    s.login("alice", password)
    s.send_message(m)
    s.sendmail("alice@example.org", ["jürgen@example.org"], "From: alice@example.org\r\n\r\nhi\r\n", mail_options=["SMTPUTF8"])
`

func TestPython(t *testing.T) {
	python := judge(t, "python3")
	h := open(t)
	h.alias(t, "jürgen", "bob")
	_, port, _ := net.SplitHostPort(h.listen(Submission))
	cmd := exec.Command(python, "-c", program, port, h.passwords["alice"], h.pem(t))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	got := h.got("bob", "INBOX")
	if len(got) != 2 || !strings.Contains(got[0], "\r\n.\r\n..\r\n") {
		t.Errorf("got %q, want two messages, with dots in the first", got)
	}
}

func TestGoClient(t *testing.T) {
	h := open(t)
	conn, err := tls.Dial("tcp", h.listen(Submissions), &tls.Config{RootCAs: h.roots, ServerName: "mail.example.org"})
	check(t, err)
	c := smtp.NewClient(conn)
	defer c.Close()
	check(t, c.Auth(sasl.NewPlainClient("", "alice@example.org", h.passwords["alice"])))
	body := []byte("From: alice@example.org\r\nTo: bob@example.org\r\n\r\nto both\r\n")
	check(t, c.SendMail("alice@example.org", []string{"bob@example.org", "carol@elsewhere.example"}, bytes.NewReader(body)))
	check(t, c.Quit())
	if got := h.got("bob", "INBOX"); len(got) != 1 {
		t.Errorf("bob got %q, want one message", got)
	}
	if got := h.queued(); len(got) != 1 || got[0].To[0].Address != "carol@elsewhere.example" || got[0].From != "alice@example.org" {
		t.Errorf("queued: got %+v, want one to carol", got)
	}
}
