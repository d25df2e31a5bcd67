package git

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"cairn/store/object"
)

// serveSSH serves k over SSH and returns host:port.
func (k *kit) serveSSH(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server, err := k.SSH(ctx)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan error)
	go func() { done <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

func newKey(t testing.TB) (ssh.Signer, ed25519.PrivateKey, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	must(t, err)
	return signer, private, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

// dial logs in over SSH.
func dial(addr, user string, auth ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", addr, &ssh.ClientConfig{User: user, Auth: []ssh.AuthMethod{auth}, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
}

// run runs a command and returns what it prints.
func run(t testing.TB, c *ssh.Client, command string) string {
	t.Helper()
	s, err := c.NewSession()
	must(t, err)
	defer s.Close()
	s.Stdin = strings.NewReader("0000")
	out, _ := s.CombinedOutput(command)
	return string(out)
}

func TestSSHLogIn(t *testing.T) {
	k := newKit(t)
	addr := k.serveSSH(t)
	alices, _, line := newKey(t)
	must(t, k.Accounts.AddKey(t.Context(), root, "alice", line))
	stranger, _, _ := newKey(t)
	app, err := k.Accounts.NewAppPassword(t.Context(), root, "alice", "laptop")
	must(t, err)
	for _, c := range []struct {
		what, user string
		auth       ssh.AuthMethod
		ok         bool
	}{
		{"her key as git", "git", ssh.PublicKeys(alices), true},
		{"her key as alice", "alice", ssh.PublicKeys(alices), true},
		{"her key as bob", "bob", ssh.PublicKeys(alices), false},
		{"her key as root", "root", ssh.PublicKeys(alices), false},
		{"her key as nobody", "", ssh.PublicKeys(alices), false},
		{"another key", "git", ssh.PublicKeys(stranger), false},
		{"another key as alice", "alice", ssh.PublicKeys(stranger), false},
		{"her password", "alice", ssh.Password(password("alice")), true},
		{"her app password", "alice", ssh.Password(app), true},
		{"her password as git", "git", ssh.Password(password("alice")), false},
		{"bob's password", "alice", ssh.Password(password("bob")), false},
		{"no password", "alice", ssh.Password(""), false},
	} {
		client, err := dial(addr, c.user, c.auth)
		if (err == nil) != c.ok {
			t.Errorf("%s: got %v, want it to pass: %v", c.what, err, c.ok)
		}
		if client != nil {
			client.Close()
		}
	}
}

// Somebody's public key, which is no secret, is not enough.
func TestSSHPublicKeyAlone(t *testing.T) {
	k := newKit(t)
	addr := k.serveSSH(t)
	alices, _, line := newKey(t)
	must(t, k.Accounts.AddKey(t.Context(), root, "alice", line))
	carols, _, line := newKey(t)
	must(t, k.Accounts.AddKey(t.Context(), root, "carol", line))
	if c, err := dial(addr, "git", ssh.PublicKeys(liar{carols, alices.PublicKey()})); err == nil {
		c.Close()
		t.Error("alice's public key passes with carol's signature")
	}
}

// A liar shows one public key and signs with another.
type liar struct {
	ssh.Signer
	shown ssh.PublicKey
}

func (l liar) PublicKey() ssh.PublicKey { return l.shown }

func TestSSHGuessing(t *testing.T) {
	k := newKit(t)
	addr := k.serveSSH(t)
	for tries := 1; ; tries++ {
		var last time.Time
		for i := range 10 {
			last = time.Now()
			if c, err := dial(addr, "bob", ssh.Password(fmt.Sprint("guess ", i))); err == nil {
				c.Close()
				t.Fatalf("guess %d passed", i)
			}
		}
		c, err := dial(addr, "bob", ssh.Password(password("bob")))
		if err != nil {
			break
		}
		c.Close()
		if time.Since(last) < time.Second { // the shortest wait
			t.Fatal("the right password passes after ten wrong ones, without a wait")
		}
		if tries == 50 {
			t.Fatal("this machine takes longer for a log-in than the wait is")
		}
	}
	c, err := dial(addr, "alice", ssh.Password(password("alice")))
	must(t, err)
	c.Close()
}

// A connection that stays open loses the rights of a key that is removed.
func TestSSHKeyRemoved(t *testing.T) {
	k := newKit(t)
	addr := k.serveSSH(t)
	signer, _, line := newKey(t)
	must(t, k.Accounts.AddKey(t.Context(), root, "alice", line))
	w := k.pushed(t, "alice", "www", "main", "a", "a")
	client, err := dial(addr, "git", ssh.PublicKeys(signer))
	must(t, err)
	defer client.Close()
	wantText(t, run(t, client, "git-upload-pack '/www.git'"), w.rev("HEAD"))
	wantText(t, run(t, client, "git-upload-pack '/accounts'"), "not found")
	must(t, k.Accounts.RemoveKey(t.Context(), root, "alice", line))
	if out := run(t, client, "git-upload-pack '/www.git'"); strings.Contains(out, w.rev("HEAD")) {
		t.Errorf("after the key was removed: got %q", out)
	}
}

// Stock git over stock ssh, the host key checked against the seed's.
func TestSSHStockGit(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		if os.Getenv("CAIRN_CI") == "1" {
			t.Fatal(err)
		}
		t.Skip("ssh is not installed")
	}
	k := newKit(t)
	addr := k.serveSSH(t)
	_, private, line := newKey(t)
	must(t, k.Accounts.AddKey(t.Context(), root, "alice", line+" alice@laptop"))
	w := newWork(t)
	block, err := ssh.MarshalPrivateKey(private, "")
	must(t, err)
	keyFile, hosts := filepath.Join(w.dir, "../key"), filepath.Join(w.dir, "../hosts")
	must(t, os.WriteFile(keyFile, pem.EncodeToMemory(block), 0o600))
	host, err := k.Secrets.DeriveEd25519("ssh host key")
	must(t, err)
	hostKey, err := ssh.NewPublicKey(host.Public())
	must(t, err)
	must(t, os.WriteFile(hosts, []byte(knownhosts.Line([]string{addr}, hostKey)+"\n"), 0o600))
	w.env = append(w.env, "SSH_AUTH_SOCK=", "GIT_SSH_COMMAND=ssh -F none -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="+hosts+" -i "+keyFile)

	w.commit("index.html", "hello")
	wantText(t, w.git("push", "ssh://git@"+addr+"/www", "HEAD:main"), "published http://main.www.test/ (1 file changed)")
	if got, want := k.real(t, "refs/heads/site/www/main"), w.rev("HEAD"); got != want {
		t.Errorf("main: got %s, want %s", got, want)
	}
	w.git("clone", "-q", "ssh://alice@"+addr+"/www.git", "c")
	w.git("push", "-q", "ssh://git@"+addr+"/club", "HEAD:main")
	wantText(t, w.refused("push", "ssh://git@"+addr+"/accounts", "HEAD:main"), "not found")
	wantText(t, w.refused("ls-remote", "ssh://git@"+addr+"/nowhere"), "not found")
	w.refused("fetch", "ssh://git@"+addr+"/club", strings.Repeat("5", 40))
	if k.real(t, "refs/heads/accounts") == w.rev("HEAD") || k.real(t, "refs/heads/main") != object.Zero.String() {
		t.Error("a push went where it should not")
	}
}
