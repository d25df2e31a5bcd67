package test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"

	"cairn/internal/netns"
)

// A namespace is a network of its own in the kernel, with a TAP device at whose
// other end a cairn has a TCP/IP stack. The kernel's addresses there are 192.0.2.1 and
// 2001:db8::1.
type namespace struct {
	netns.Space
	t   *testing.T
	dir string
}

const tapDevice = "tap0"

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	return newNamespaceOf(t, `
		tuntap add `+tapDevice+` mode tap vnet_hdr
		address add 192.0.2.1/24 dev `+tapDevice+`
		address add 2001:db8::1/64 dev `+tapDevice+` nodad
		link set `+tapDevice+` up`)
}

// newNamespaceOf makes a namespace that is arranged by a script, as netns.New takes it.
func newNamespaceOf(t *testing.T, script string) *namespace {
	t.Helper()
	judge(t, os.Getuid() == 0, "the right to make network namespaces")
	for _, program := range []string{"ip", "curl", "ssh"} {
		_, err := exec.LookPath(program)
		judge(t, err == nil, program)
	}
	space, err := netns.New(fmt.Sprintf("cairn-%d-%d", os.Getpid(), time.Now().UnixNano()%1e6), script)
	if err != nil {
		judge(t, false, fmt.Sprintf("the right to make network namespaces (%v)", err))
	}
	t.Cleanup(func() {
		if err := space.Remove(); err != nil {
			t.Error(err)
		}
	})
	return &namespace{Space: space, t: t, dir: t.TempDir()}
}

// command is one that runs in the namespace.
func (n *namespace) command(words ...string) *exec.Cmd {
	words = n.Command(words...)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir, cmd.Env = n.dir, gitEnv()
	return cmd
}

// run runs a command in the namespace and returns what it prints.
func (n *namespace) run(words ...string) string {
	n.t.Helper()
	out, err := n.command(words...).CombinedOutput()
	if err != nil {
		n.t.Fatalf("%s: %v\n%s", strings.Join(words, " "), err, out)
	}
	return string(out)
}

// curl fetches once there is somebody to answer.
func (n *namespace) curl(words ...string) string {
	n.t.Helper()
	var out []byte
	err := wait("curl "+strings.Join(words, " "), func() (err error) {
		cmd := n.command(append([]string{"curl", "-sS"}, words...)...)
		var errs strings.Builder
		cmd.Stderr = &errs
		if out, err = cmd.Output(); err != nil {
			return fmt.Errorf("%w: %s", err, errs.String())
		}
		return nil
	})
	if err != nil {
		n.t.Fatal(err)
	}
	return string(out)
}

// up starts a cairn on the TAP device.
func (n *namespace) up(home string, words ...string) *instance {
	n.t.Helper()
	args := append([]string{filepath.Join(binDir, "cairn"), "up", "--net", tapDevice}, words...)
	if home != "" {
		args = append(args, "--home", home)
	}
	i, err := launch(n.command(args...), home, filepath.Join(n.dir, "up.log"))
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		if err := i.stop(syscall.SIGINT); err != nil && !i.killed {
			n.t.Errorf("cairn up ended with %v\n%s", err, i.said())
		}
		if strings.Contains(i.said(), "level=ERROR") {
			n.t.Errorf("cairn up reports errors:\n%s", i.said())
		}
	})
	return i
}

// dhcp leases 192.0.2.50 to whoever asks.
func (n *namespace) dhcp() {
	n.t.Helper()
	var server *server4.Server
	err := n.Inside(func() (err error) {
		server, err = server4.NewServer(tapDevice, &net.UDPAddr{IP: net.IPv4zero, Port: dhcpv4.ServerPort}, lease)
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve() // ends when the socket is closed
	}()
	n.t.Cleanup(func() { _ = server.Close(); <-done })
}

func lease(conn net.PacketConn, peer net.Addr, m *dhcpv4.DHCPv4) {
	kind := dhcpv4.MessageTypeAck
	switch m.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		kind = dhcpv4.MessageTypeOffer
	case dhcpv4.MessageTypeRequest:
	default:
		return
	}
	server := net.IPv4(192, 0, 2, 1)
	reply, err := dhcpv4.NewReplyFromRequest(m,
		dhcpv4.WithMessageType(kind),
		dhcpv4.WithYourIP(net.IPv4(192, 0, 2, 50)),
		dhcpv4.WithServerIP(server),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(server)),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithRouter(server),
		dhcpv4.WithLeaseTime(3600),
	)
	if err == nil {
		_, _ = conn.WriteTo(reply.ToBytes(), peer) // who hears nothing asks again
	}
}

// TestNetstack runs a cairn whose TCP/IP is its own: pushed to over HTTP and SSH, fetched
// from over IPv4 and IPv6, by programs that use the kernel's.
func TestNetstack(t *testing.T) {
	n := newNamespace(t)
	home := filepath.Join(n.dir, "home")
	i := n.up(home, "--ipv4", "192.0.2.2/24", "--ipv6", "2001:db8::2/64", "--gateway", "192.0.2.1")
	if got, want := i.told("Site"), "http://192.0.2.2/"; got != want {
		t.Errorf("site: got %s, want %s", got, want)
	}
	if got, want := i.Git, "http://192.0.2.2:8081"; got != want {
		t.Errorf("git: got %s, want %s", got, want)
	}
	work := filepath.Join(n.dir, "work")
	n.run("git", "init", "-q", "-b", "main", work)
	commit := func(text string) {
		write(t, filepath.Join(work, "index.html"), []byte(text))
		n.run("git", "-C", work, "add", "-A")
		n.run("git", "-C", work, "commit", "-qm", text)
	}
	write(t, filepath.Join(work, "large.bin"), noise(5<<20))
	commit("one")
	n.run("git", "-C", work, "push", "-q", i.push()+"/site", "HEAD:main")
	for _, host := range []string{"192.0.2.2", "[2001:db8::2]"} {
		if got := n.curl("http://" + host + "/"); got != "one" {
			t.Errorf("%s shows %q, want one", host, got)
		}
	}
	n.curl("-o", "large.got", "http://[2001:db8::2]/large.bin")
	n.run("cmp", "large.got", filepath.Join(work, "large.bin"))

	n.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key")
	n.run(filepath.Join(binDir, "cairn"), "--home", home, "user", "key", "add", "owner", "key.pub")
	commit("two")
	push := n.command("git", "-C", work, "push", "-q", "ssh://owner@192.0.2.2/site", "HEAD:main")
	push.Env = append(push.Env, "GIT_SSH_COMMAND=ssh -F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile="+
		filepath.Join(n.dir, "known")+" -i "+filepath.Join(n.dir, "key"))
	if out, err := push.CombinedOutput(); err != nil {
		t.Fatalf("push over ssh: %v\n%s", err, out)
	}
	if got := n.curl("http://192.0.2.2/"); got != "two" {
		t.Errorf("after the push over ssh the site shows %q, want two", got)
	}
	n.run("git", "clone", "-q", i.push()+"/site", "back")
	n.run("diff", "-r", "--exclude=.git", work, "back")
	n.run("git", "-C", filepath.Join(home, "repo.git"), "fsck", "--strict")
}

// TestNetstackDHCP asks for the address, and serves over TLS there.
func TestNetstackDHCP(t *testing.T) {
	n := newNamespace(t)
	n.dhcp()
	i := n.up(filepath.Join(n.dir, "home"), "--ipv4", "dhcp", "--domain", "cairn.test", "--tls", "seed")
	if got, want := i.told("Site"), "https://site.cairn.test/"; got != want {
		t.Errorf("site: got %s, want %s", got, want)
	}
	pin := following(i.said(), `--pinnedpubkey (\S+)`)
	tls := []string{"--insecure", "--pinnedpubkey", pin, "--resolve", "site.cairn.test:443:192.0.2.50", "--resolve", "site.cairn.test:80:192.0.2.50"}
	if got := n.curl(append(tls, "-o", os.DevNull, "-w", "%{http_version} %{http_code}", "https://site.cairn.test/")...); got != "2 200" {
		t.Errorf("over TLS: got %s, want 2 200", got)
	}
	if got := n.curl(append(tls, "-o", os.DevNull, "-w", "%{redirect_url}", "http://site.cairn.test/x?y=1")...); got != "https://site.cairn.test/x?y=1" {
		t.Errorf("without TLS: led to %s", got)
	}
}

// TestNetstackDiskless has neither a disk nor the kernel's TCP/IP: its state is at
// a stock git daemon.
func TestNetstackDiskless(t *testing.T) {
	n := newNamespace(t)
	n.run("git", "init", "-q", "--bare", "state.git")
	daemon := n.command("git", "daemon", "--reuseaddr", "--base-path="+n.dir, "--export-all", "--enable=receive-pack", "--listen=192.0.2.1")
	daemon.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // git starts another process
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-daemon.Process.Pid, syscall.SIGTERM)
		_ = daemon.Wait() // it was killed
	})
	err := wait("git daemon", func() error { return n.command("git", "ls-remote", "git://192.0.2.1/state.git").Run() })
	if err != nil {
		t.Fatal(err)
	}
	remote := []string{"--remote", "git://192.0.2.1/state.git", "--ipv4", "192.0.2.2/24"}
	i := n.up("", remote...)
	work := filepath.Join(n.dir, "work")
	n.run("git", "init", "-q", "-b", "main", work)
	write(t, filepath.Join(work, "index.html"), []byte("one"))
	n.run("git", "-C", work, "add", "-A")
	n.run("git", "-C", work, "commit", "-qm", "one")
	n.run("git", "-C", work, "push", "-q", i.push()+"/site", "HEAD:main")
	i.kill()

	n.up("", append(remote, "--seed", i.seed)...)
	if got := n.curl("http://192.0.2.2/"); got != "one" {
		t.Errorf("after it was killed the site shows %q, want one", got)
	}
}

// TestNetstackUnipi serves sites from a repository by unipi alone.
func TestNetstackUnipi(t *testing.T) {
	n := newNamespace(t)
	repo, work := filepath.Join(n.dir, "sites.git"), filepath.Join(n.dir, "work")
	n.run("git", "init", "-q", "--bare", repo)
	n.run("git", "init", "-q", "-b", "main", work)
	write(t, filepath.Join(work, "index.html"), []byte("one"))
	n.run("git", "-C", work, "add", "-A")
	n.run("git", "-C", work, "commit", "-qm", "one")
	n.run("git", "-C", work, "push", "-q", repo, "HEAD:refs/heads/site/www/main")
	unipi := n.command(filepath.Join(binDir, "unipi"), "--repo", repo, "--net", tapDevice, "--ipv4", "192.0.2.3/24")
	var said strings.Builder
	unipi.Stderr = &said
	if err := unipi.Start(); err != nil {
		t.Fatal(err)
	}
	if got := n.curl("http://192.0.2.3/"); got != "one" {
		t.Errorf("got %q, want one", got)
	}
	err := errors.Join(unipi.Process.Signal(syscall.SIGTERM), unipi.Wait())
	if err != nil {
		t.Errorf("unipi ended with %v\n%s", err, said.String())
	}
}
