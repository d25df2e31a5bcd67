package queue

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cairn/store/mem"
)

// TestPostfix: a real server gets every message, under TLS, as it was, and what it refuses comes back.
func TestPostfix(t *testing.T) {
	p := startPostfix(t)
	w := newWorld()
	w.host("mx.example.test", "192.0.2.1")
	w.records("example.test", "10 mx.example.test.")
	h := newHouse(t, w, mem.New())
	h.o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(p.root, "spool/public/in"))
	}
	h.open()
	h.start()
	users := addresses(130, "example.test")
	h.put(letter(append(users, "nobody@example.test")...))
	eight := letter("user0@example.test")
	eight.Raw = []byte(strings.Replace(text, "noon", "süß", 1))
	h.put(eight)
	header := letter("user1@example.test")
	header.UTF8, header.Raw = true, []byte(strings.Replace(text, "lunch", "süß", 1))
	h.put(header)
	large := letter("user2@example.test")
	large.Raw = []byte(text + strings.Repeat("x\r\n", 200_000))
	h.put(large)
	for range 20 {
		h.put(letter("user3@example.test"))
	}
	h.empty()
	h.stop()
	want := map[string]int{"user0": 2, "user1": 2, "user2": 1, "user3": 21}
	for _, a := range users {
		user := strings.TrimSuffix(a, "@example.test")
		n := max(want[user], 1)
		until(t, a+"'s mail", func() bool { return len(p.mail(user)) == n })
	}
	for user, lines := range map[string][]string{
		"user0": {"\n\nAt süß.\n.\n..\n", "Subject: lunch\n"}, "user1": {"Subject: süß\n"}, "user129": {"using TLSv1.3", "\n\nAt noon.\n.\n..\n", "Return-Path: <alice@home.test>\n"},
	} {
		all := strings.Join(p.mail(user), "\n")
		for _, line := range lines {
			if !strings.Contains(all, line) {
				t.Errorf("%s lacks %q:\n%s", user, line, all)
			}
		}
	}
	var reports string
	for _, m := range h.mail() {
		reports += m.Data
	}
	for _, line := range []string{"Final-Recipient: rfc822; nobody@example.test\r\n", "Status: 5.1.1\r\n", "Status: 5.3.4\r\n"} {
		if len(h.mail()) != 2 || !strings.Contains(reports, line) {
			t.Errorf("got %d reports without %q:\n%s", len(h.mail()), line, reports)
		}
	}
}

type postfix struct{ root string }

// startPostfix starts a Postfix with a folder of its own. Its server listens on a socket there, so that
// it needs no port.
func startPostfix(t *testing.T) *postfix {
	t.Helper()
	missing := ""
	if _, err := exec.LookPath("postfix"); err != nil {
		missing = "postfix is not installed"
	} else if os.Getuid() != 0 {
		missing = "postfix starts for root only"
	}
	switch {
	case missing != "" && os.Getenv("CAIRN_CI") == "1":
		t.Fatal(missing)
	case missing != "":
		t.Skip(missing)
	}
	root, err := os.MkdirTemp("", "postfix") // with a short name, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	p := &postfix{root}
	p.write(t, "etc/main.cf", p.main(t))
	p.write(t, "etc/master.cf", master)
	var users strings.Builder
	for i := range 130 {
		fmt.Fprintf(&users, "user%d@example.test user%d/\n", i, i)
	}
	p.write(t, "users", users.String())
	p.certificate(t)
	for _, dir := range []string{"spool", "data", "mail"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "chown", "postfix", filepath.Join(root, "data"), filepath.Join(root, "mail"))
	run(t, "chmod", "755", root)
	run(t, "postfix", "-c", filepath.Join(root, "etc"), "start")
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(root, "log"))
			t.Logf("%s", log[max(0, len(log)-5000):])
		}
		p.stop(t)
	})
	return p
}

// stop ends the master process, which ends the others, and waits for that.
func (p *postfix) stop(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(p.root, "spool/pid/master.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of Postfix", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func (p *postfix) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(p.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p *postfix) main(t *testing.T) string {
	id := func(flag string) string { return strings.TrimSpace(run(t, "id", flag, "postfix")) }
	return strings.NewReplacer("ROOT", p.root, "UID", id("-u"), "GID", id("-g")).Replace(`compatibility_level = 3.6
queue_directory = ROOT/spool
data_directory = ROOT/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = ROOT/log
maillog_file_prefixes = ROOT
myhostname = mx.example.test
mydestination =
inet_interfaces = loopback-only
mynetworks =
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_limit = 50
smtpd_error_sleep_time = 0
message_size_limit = 500000
smtpd_tls_security_level = may
smtpd_tls_cert_file = ROOT/cert.pem
smtpd_tls_key_file = ROOT/key.pem
smtpd_tls_received_header = yes
virtual_mailbox_domains = example.test
virtual_mailbox_base = ROOT/mail
virtual_mailbox_maps = texthash:ROOT/users
virtual_mailbox_limit = 0
virtual_minimum_uid = 1
virtual_uid_maps = static:UID
virtual_gid_maps = static:GID
virtual_alias_maps =
alias_maps =
alias_database =
`)
}

const master = `in unix n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`

func (p *postfix) certificate(t *testing.T) {
	t.Helper()
	c := testCA().config(t, "mx.example.test").Certificates[0]
	p.write(t, "cert.pem", encode("CERTIFICATE", c.Certificate[0]))
	p.write(t, "key.pem", encode("PRIVATE KEY", privateKey(t, c)))
}

func privateKey(t *testing.T, c tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// mail returns what a user has got.
func (p *postfix) mail(user string) []string {
	names, _ := filepath.Glob(filepath.Join(p.root, "mail", user, "new", "*"))
	var all []string
	for _, n := range names {
		if m, err := os.ReadFile(n); err == nil {
			all = append(all, string(m))
		}
	}
	return all
}
