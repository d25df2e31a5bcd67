package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"cairn/internal/githost"
)

// awayArgs are the arguments with which `cairn up` keeps everything at a host.
func awayArgs(h *githost.Host) []string {
	args := []string{"--remote", h.GitURL()}
	for _, v := range h.GitEnv() {
		name, value, _ := strings.Cut(v, "=")
		switch name {
		case "GIT_SSL_CAINFO":
			args = append(args, "--remote-ca", value)
		case "GIT_SSL_CERT":
			args = append(args, "--remote-cert", value)
		case "GIT_SSL_KEY":
			args = append(args, "--remote-key", value)
		case "GIT_SSH_COMMAND":
			args = append(args, "--remote-ssh-key", following(value, `-i (\S+)`), "--remote-known-hosts", following(value, `UserKnownHostsFile=(\S+)`))
		}
	}
	return args
}

// following is what a pattern's group finds in text, "" for nothing.
func following(text, pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

// upAway starts a cairn without a home; seed is "" on the first run.
func upAway(t *testing.T, h *githost.Host, seed string, args ...string) *instance {
	t.Helper()
	cmd := exec.Command(filepath.Join(binDir, "cairn"), append(append([]string{"up"}, free...), append(awayArgs(h), args...)...)...)
	// No folder anywhere, not even HOME.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "CAIRN_SEED=" + seed, "HOME=/nonexistent"}
	i, err := launch(cmd, "", filepath.Join(t.TempDir(), "up.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	return i
}

// page commits an index.html that says text and pushes it to a branch.
func page(t *testing.T, work, text, to, branch string) {
	t.Helper()
	if out, err := tryPage(t, work, text, to, branch); err != nil {
		t.Fatalf("push: %v\n%s", err, out)
	}
}

func tryPage(t *testing.T, work, text, to, branch string) (string, error) {
	t.Helper()
	if _, err := os.Stat(work); err != nil {
		git(t, filepath.Dir(work), "init", "-q", "-b", "main", work)
	}
	write(t, filepath.Join(work, "index.html"), []byte(text))
	git(t, work, "add", "-A")
	git(t, work, "commit", "-qm", text)
	return tryGit(work, "push", "-q", to+"/site", "HEAD:"+branch)
}

// shows waits until a site shows text.
func shows(t *testing.T, base, text string) {
	t.Helper()
	err := wait("the page "+text, func() error {
		got, status, err := fetch(base, "", "index.html")
		if err != nil || status != 200 || string(got) != text {
			return fmt.Errorf("got %d %q, %v", status, got, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDiskless runs a cairn whose only disk is a repository at a host, kills it
// and starts it anew with nothing but the seed.
func TestDiskless(t *testing.T) {
	for _, kind := range githost.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			if kind == githost.SSHD {
				judge(t, os.Getuid() == 0, "the right to run sshd for this test")
			}
			h := githost.New(t, kind)
			first := upAway(t, h, "")
			if first.seed == "" || first.password == "" {
				t.Fatalf("the first run tells no seed and password:\n%s", first.said())
			}
			work := filepath.Join(t.TempDir(), "work")
			page(t, work, "one", first.push(), "main")
			shows(t, first.HTTP, "one")
			page(t, work, "two", first.push(), "main")
			tag := etag(t, first.HTTP)
			first.kill()

			again := upAway(t, h, first.seed)
			if again.password != "" || again.seed != "" {
				t.Errorf("the second run tells a password or seed:\n%s", again.said())
			}
			shows(t, again.HTTP, "two")
			if got := etag(t, again.HTTP); got != tag {
				t.Errorf("ETag: got %s, want %s as before", got, tag)
			}
			again.password = first.password
			page(t, work, "three", again.push(), "main")
			shows(t, again.HTTP, "three")
			if err := again.stop(syscall.SIGINT); err != nil {
				t.Errorf("cairn up ended with %v\n%s", err, again.said())
			}
			if kind.Stock() {
				h.Git("fsck", "--strict")
			}
		})
	}
}

// etag is that of a site's first page.
func etag(t *testing.T, base string) string {
	t.Helper()
	out, err := exec.Command("curl", "-sS", "-o", os.DevNull, "-w", "%header{etag}", base+"/").Output()
	if err != nil || len(out) == 0 {
		judge(t, false, "curl 7.84")
	}
	return string(out)
}

// TestReplicas runs two of them on one repository: what is pushed to one is
// shown by the other.
func TestReplicas(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	one := upAway(t, h, "")
	two := upAway(t, h, one.seed)
	two.password = one.password
	work := filepath.Join(t.TempDir(), "work")
	page(t, work, "one", one.push(), "main")
	shows(t, two.HTTP, "one")
	page(t, work, "two", two.push(), "main")
	shows(t, one.HTTP, "two")
	if got, want := etag(t, two.HTTP), etag(t, one.HTTP); got != want {
		t.Errorf("ETags differ: %s and %s", got, want)
	}
}

// TestAway takes the host away under a cairn: reads go on, writes are refused at
// once, the health says so, and it heals by itself.
func TestAway(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	i := upAway(t, h, "")
	work := filepath.Join(t.TempDir(), "work")
	page(t, work, "one", i.push(), "main")
	shows(t, i.HTTP, "one")
	if got, status, err := fetch(i.Git, "", "healthz"); err != nil || status != 200 {
		t.Errorf("health: got %d %q, %v, want 200", status, got, err)
	}
	h.Stop()
	err := wait("the health to say that the host is away", func() error {
		got, status, err := fetch(i.Git, "", "healthz")
		if err != nil || status != 503 || !strings.Contains(string(got), "away since") {
			return fmt.Errorf("got %d %q, %v", status, got, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if out, err := tryPage(t, work, "two", i.push(), "main"); err == nil || !strings.Contains(out, "try again later") {
		t.Errorf("a push while the host is away: got %v\n%s\nwant it refused for now", err, out)
	}
	shows(t, i.HTTP, "one")
	h.Start()
	err = wait("a push after the host came back", func() error {
		out, err := tryGit(work, "push", "-q", i.push()+"/site", "HEAD:main")
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	shows(t, i.HTTP, "two")
}

// TestWarm starts beside copies in a folder while the host is away.
func TestWarm(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	dir := t.TempDir()
	home, log := filepath.Join(dir, "home"), filepath.Join(dir, "up.log")
	i, err := start(home, log, os.Environ(), awayArgs(h)...)
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "work")
	page(t, work, "one", i.push(), "main")
	shows(t, i.HTTP, "one")
	if err := i.stop(syscall.SIGINT); err != nil {
		t.Fatalf("cairn up ended with %v\n%s", err, i.said())
	}
	h.Stop()
	again, err := start(home, log, os.Environ(), awayArgs(h)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.stop(syscall.SIGKILL) })
	shows(t, again.HTTP, "one")
}

// TestDisklessRefused tries what must not start.
func TestDisklessRefused(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	i := upAway(t, h, "")
	if err := i.stop(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(t.TempDir(), "home")
	other, err := start(foreign, filepath.Join(filepath.Dir(foreign), "up.log"), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.stop(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"without the seed", "give the seed that it was made with", nil},
		{"with half a seed", "is not a seed", []string{"--seed", "abcd"}},
		{"with another seed", "not the one that the repository was made with", []string{"--seed", strings.Repeat("ab", 32)}},
		{"with a home of its own beside it", "push --mirror", []string{"--home", foreign}},
		{"with a commit that is expected", "expected", []string{"--seed", i.seed, "--expect", strings.Repeat("1", 40)}},
	} {
		args := append(append([]string{"up"}, free...), append(awayArgs(h), c.args...)...)
		cmd := exec.Command(filepath.Join(binDir, "cairn"), args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: got %v\n%s\nwant it refused with %q", c.name, err, out, c.want)
		}
	}
}
