package mail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cairn/bench/measure"
)

// A peer is Postfix, which hands mail to Dovecot by LMTP, and Dovecot. Both sync what they acknowledge.
type peer struct {
	dir                string
	smtpPort, imapPort int
	dovecot            *exec.Cmd
}

func (p *peer) smtp() string            { return "127.0.0.1:" + strconv.Itoa(p.smtpPort) }
func (p *peer) imap() string            { return "127.0.0.1:" + strconv.Itoa(p.imapPort) }
func (p *peer) login() (string, string) { return "alice", "secret" }
func (p *peer) address() string         { return "alice@localhost" }

func (p *peer) resident() (float64, error) { return measure.Resident(p.dovecot.Process.Pid) }

func (p *peer) stop() {
	if p.dovecot != nil {
		p.dovecot.Process.Signal(syscall.SIGTERM)
		p.dovecot.Wait()
	}
	text, err := os.ReadFile(filepath.Join(p.dir, "spool/pid/master.pid"))
	if err != nil {
		return
	}
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		syscall.Kill(pid, syscall.SIGTERM)
		for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil && time.Now().Before(deadline); {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// dovecot starts both, with so many messages in alice's Maildir.
func dovecot(ctx context.Context, dir string, size int) (*peer, error) {
	p := &peer{dir: dir}
	var err error
	if p.smtpPort, err = freePort(); err == nil {
		p.imapPort, err = freePort()
	}
	if err != nil {
		return nil, err
	}
	owner, err := user.Lookup("mail")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	for _, sub := range []string{"", "etc", "spool", "data", "run", "mail/alice/Maildir/cur", "mail/alice/Maildir/new", "mail/alice/Maildir/tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	for i := range size {
		name := filepath.Join(dir, "mail/alice/Maildir/cur", fmt.Sprintf("%d.M%dP1.host:2,", 1_790_000_000+i, i))
		if err := os.WriteFile(name, []byte(message(i)), 0o600); err != nil {
			return nil, err
		}
	}
	for parent := dir; parent != "/" && parent != "/tmp"; parent = filepath.Dir(parent) {
		os.Chmod(parent, 0o755) // other users have to come through
	}
	for name, text := range map[string]string{"etc/main.cf": p.mainCf(), "etc/master.cf": p.masterCf(), "etc/dovecot.conf": p.dovecotConf()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	if err := filepath.Walk(filepath.Join(dir, "mail"), func(name string, _ os.FileInfo, err error) error {
		return errors.Join(err, os.Chown(name, uid, gid))
	}); err != nil {
		return nil, err
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(dir, "data")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	p.dovecot = exec.Command("dovecot", "-F", "-c", filepath.Join(dir, "etc/dovecot.conf"))
	log, err := os.Create(filepath.Join(dir, "dovecot.out"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.dovecot.Stdout, p.dovecot.Stderr = log, log
	if err := p.dovecot.Start(); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "postfix", "-c", filepath.Join(dir, "etc"), "start").CombinedOutput(); err != nil {
		return p, fmt.Errorf("postfix: %w: %s", err, out)
	}
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		n, err := count(ctx, p)
		if err == nil && n == size {
			return p, nil
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(filepath.Join(dir, "dovecot.log"))
			return p, fmt.Errorf("dovecot has %d messages: %w\n%s", n, err, said)
		}
	}
}

func (p *peer) mainCf() string {
	return `compatibility_level = 3.6
queue_directory = ` + p.dir + `/spool
data_directory = ` + p.dir + `/data
maillog_file = ` + p.dir + `/postfix.log
maillog_file_prefixes = ` + p.dir + `
myhostname = localhost
mydestination = localhost
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
local_recipient_maps =
mailbox_transport = lmtp:unix:` + p.dir + `/lmtp
alias_maps =
alias_database =
smtputf8_enable = no
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
`
}

func (p *peer) masterCf() string {
	return `127.0.0.1:` + strconv.Itoa(p.smtpPort) + ` inet n - n - 100 smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`
}

func (p *peer) dovecotConf() string {
	return `base_dir = ` + p.dir + `/run
log_path = ` + p.dir + `/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_cache_size = 1M
mail_fsync = always
mail_location = maildir:` + p.dir + `/mail/%n/Maildir
first_valid_uid = 1
mail_max_userip_connections = 5000
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=mail gid=mail home=` + p.dir + `/mail/%n allow_all_users=yes
}
namespace inbox {
  inbox = yes
}
service imap-login {
  service_count = 0
  client_limit = 5000
  inet_listener imap {
    port = ` + strconv.Itoa(p.imapPort) + `
  }
  inet_listener imaps {
    port = 0
  }
}
service imap {
  process_limit = 5000
}
service anvil {
  client_limit = 15000
}
service auth {
  client_limit = 15000
}
service lmtp {
  unix_listener ` + p.dir + `/lmtp {
    user = postfix
    mode = 0600
  }
}
`
}

// freePort is one that nobody has at the moment.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
