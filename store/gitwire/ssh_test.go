package gitwire

import (
	"context"
	"errors"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func TestParseGitCommand(t *testing.T) {
	for line, want := range map[string]gitCommand{
		`git-upload-pack '/site'`:         {false, "site"},
		`git-receive-pack '/site.git'`:    {true, "site.git"},
		`git upload-pack 'site'`:          {false, "site"},
		`git receive-pack '/a/b/'`:        {true, "a/b"},
		`git-upload-pack /site`:           {false, "site"},
		`git-upload-pack '/it'\''s'\!'x'`: {false, "it's!x"},
		`git-upload-pack 'with space'`:    {false, "with space"},
	} {
		got, ok := parseGitCommand(line)
		if !ok || got != want {
			t.Errorf("%s: got %v %t, want %v", line, got, ok, want)
		}
	}
	for _, line := range []string{
		"", "git", "git ", "git-upload-pack", "git-upload-pack ", "git-upload-pack ''", "git-upload-pack '/'",
		"git-upload-archive '/site'", "rm -rf /", "git-upload-pack '/a' '/b'", "git-upload-pack /a;id",
		"git-upload-pack $(id)", "git-upload-pack 'a", `git-upload-pack a\`, "git-upload-pack `id`",
		"git-upload-pack 'a'|b", "git-upload-pack --upload-pack=x 'a'", "git-upload-pack " + strings.Repeat("a", 1001),
	} {
		if got, ok := parseGitCommand(line); ok {
			t.Errorf("%q: got %v, want it refused", line, got)
		}
	}
	for path, want := range map[string]string{"/a b": `'/a b'`, "it's!": `'it'\''s'\!''`} {
		if got := quote(path); got != want {
			t.Errorf("quote %q: got %q, want %q", path, got, want)
		}
		if got, ok := dequote(quote(path)); !ok || got != path {
			t.Errorf("quote and dequote %q: got %q", path, got)
		}
	}
}

func FuzzParseGitCommand(f *testing.F) {
	for _, seed := range []string{`git-upload-pack '/site'`, `git receive-pack 'it'\''s'`, "git-upload-pack a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, ok := parseGitCommand(line)
		if !ok {
			return
		}
		if got, ok := parseGitCommand("git-upload-pack " + quote(c.repo)); !ok || got.repo != c.repo {
			t.Errorf("%q quoted again: got %v %t", c.repo, got, ok)
		}
	})
}

// dialSSH logs in with the lab's password.
func (l *lab) dialSSH(port string) *ssh.Client {
	l.t.Helper()
	config := *l.sshClient().SSH
	config.User = "alice"
	client, err := ssh.Dial("tcp", "127.0.0.1:"+port, &config)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { client.Close() })
	return client
}

func (l *lab) session(client *ssh.Client) *ssh.Session {
	l.t.Helper()
	session, err := client.NewSession()
	if err != nil {
		l.t.Fatal(err)
	}
	return session
}

func TestSSHServesGitOnly(t *testing.T) {
	l := labOver(t, "mem")
	client := l.dialSSH(l.sshPort)

	shell := l.session(client)
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Shell(); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(out)
	if err != nil || !strings.HasPrefix(string(said), "hello alice, no shell here") {
		t.Errorf("shell: got %q %v, want a greeting", said, err)
	}
	wantExit(t, "shell", shell.Wait(), 1)

	for _, command := range []string{"id", "git-upload-pack '/nowhere'", "git-upload-pack '/../www'", "git-upload-archive '/www'"} {
		var complaint strings.Builder
		session := l.session(client)
		session.Stderr = &complaint
		wantExit(t, command, session.Run(command), 1)
		if !strings.HasPrefix(complaint.String(), "cairn: ") {
			t.Errorf("%s: got %q on standard error, want a reason", command, complaint.String())
		}
	}
	if err := l.session(client).RequestSubsystem("sftp"); err == nil {
		t.Error("subsystem: got no error, want it refused")
	}
	if _, err := client.Dial("tcp", "127.0.0.1:1"); err == nil {
		t.Error("direct-tcpip: got no error, want it refused")
	}
	if _, err := client.Listen("tcp", "127.0.0.1:0"); err == nil {
		t.Error("tcpip-forward: got no error, want it refused")
	}
	if err := l.session(client).Setenv("LD_PRELOAD", "x"); err == nil {
		t.Error("environment: got no error, want it refused")
	}
}

func wantExit(t *testing.T, what string, err error, want int) {
	t.Helper()
	var exit *ssh.ExitError
	if !errors.As(err, &exit) || exit.ExitStatus() != want {
		t.Errorf("%s: got %v, want exit status %d", what, err, want)
	}
}

func TestSSHLimits(t *testing.T) {
	l := labOver(t, "mem")

	// One that does not speak is let go.
	server := l.sshServer()
	server.HandshakeTimeout = 50 * time.Millisecond
	silent := dialTCP(t, serveSSH(t, server))
	if _, err := io.Copy(io.Discard, silent); err != nil && !isReset(err) {
		t.Errorf("silent connection: %v", err)
	}

	// So is one that opens a session and asks for nothing, or for a push
	// that it never makes.
	for _, command := range []string{"", "git-receive-pack '/www'"} {
		sooner(t, func(idle time.Duration) error { return l.standStill(command, idle) })
	}

	// A connection has room for some sessions.
	client := l.dialSSH(serveSSH(t, l.sshServer()))
	for range maxSessions {
		l.session(client)
	}
	if _, err := client.NewSession(); err == nil {
		t.Error("one session more: got no error, want it refused")
	}
}

// sooner runs a test in which one side has patience for so long only. Where the machine
// stands still for longer, it is lost too soon; so what goes wrong is tried again with
// more of it. What is at fault fails with any.
func sooner(t *testing.T, test func(patience time.Duration) error) {
	t.Helper()
	for _, patience := range []time.Duration{100 * time.Millisecond, 3 * time.Second, 30 * time.Second} {
		err := test(patience)
		if err == nil {
			return
		}
		t.Logf("with patience for %v: %v", patience, err)
	}
	t.Fail()
}

// standStill is a client that starts a command, if any, and does nothing more. The server
// has to end the connection.
func (l *lab) standStill(command string, idle time.Duration) error {
	server := l.sshServer()
	server.IdleTimeout, server.KeepAlive = idle, idle/10
	client := l.dialSSH(serveSSH(l.t, server))
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	if command != "" {
		if _, err := session.StdinPipe(); err != nil {
			return err
		}
		if err := session.Start(command); err != nil {
			return err
		}
	}
	closed := make(chan struct{})
	go func() {
		client.Wait()
		close(closed)
	}()
	select {
	case <-closed:
		return nil
	case <-time.After(idle + time.Minute):
		return errors.New("the server keeps a connection that stands still")
	}
}

func dialTCP(t *testing.T, port string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	return conn
}

func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

func TestSSHMaxConns(t *testing.T) {
	l := labOver(t, "mem")
	server := l.sshServer()
	server.MaxConns = 1
	port := serveSSH(t, server)
	l.dialSSH(port)
	second := dialTCP(t, port)
	if n, err := second.Read(make([]byte, 1)); err == nil {
		t.Errorf("second connection: got %d bytes, want it closed", n)
	}
}

// What a session does ends when its client leaves.
func TestSSHClientLeaves(t *testing.T) {
	l := labOver(t, "mem")
	server := l.sshServer()
	entered, left := make(chan struct{}), make(chan struct{})
	server.Open = func(ctx context.Context, _ *ssh.Permissions, _ string, _ bool) (*View, error) {
		close(entered)
		<-ctx.Done()
		close(left)
		return nil, ctx.Err()
	}
	client := l.dialSSH(serveSSH(t, server))
	if err := l.session(client).Start("git-upload-pack '/www'"); err != nil {
		t.Fatal(err)
	}
	<-entered
	client.Close()
	select {
	case <-left:
	case <-time.After(2 * time.Minute):
		t.Error("the session goes on without its client")
	}
}

// Stock git fetches over SSH with each version of the protocol.
func TestSSHProtocolVersions(t *testing.T) {
	needSSH(t)
	l := labOver(t, "mem")
	dir := l.clone(l.ssh)
	first := l.commit(dir, "a", "1")
	l.git(dir, "push", "-q", "origin", "main")
	for _, version := range []string{"0", "1", "2"} {
		copied := l.clone(l.ssh)
		l.git(copied, "-c", "protocol.version="+version, "fetch", "-q", "origin")
		if got := l.git(copied, "rev-parse", "origin/main"); got != first {
			t.Errorf("protocol %s: got %s, want %s", version, got, first)
		}
		next := l.commit(dir, "a", version)
		l.git(dir, "-c", "protocol.version="+version, "push", "-q", "origin", "main")
		l.want("refs/heads/main", next)
		first = next
	}
	cmd := exec.Command("ssh", append(strings.Fields(sshOptions(l)), "git@127.0.0.1")...)
	out, _ := cmd.CombinedOutput() // its status is that of the server, which is not 0
	if !strings.Contains(string(out), "hello alice, no shell here") {
		t.Errorf("ssh without a command: got %q, want the greeting", out)
	}
}

// sshOptions are those of the ssh command that logs in to the lab.
func sshOptions(l *lab) string {
	for _, entry := range l.env() {
		if command, ok := strings.CutPrefix(entry, "GIT_SSH_COMMAND=ssh "); ok {
			return command + " -p " + l.sshPort
		}
	}
	return ""
}
