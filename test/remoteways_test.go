package test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cairn/internal/githost"
)

// TestDerivedKey logs in at a host with the key that follows from the seed, once
// the host has been told of it; and never where the host's own key is another than it
// is known by.
func TestDerivedKey(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	host, err := start(home, filepath.Join(filepath.Dir(home), "up.log"), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.stop(syscall.SIGINT) })
	pin := hostKey(t, host)
	args := func(more ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(binDir, "cairn"), append(append([]string{"up"}, free...),
			append(more, "--remote", "ssh://owner@"+host.SSH+"/site")...)...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent"}
		return cmd
	}

	out, err := args().CombinedOutput()
	if err == nil || !strings.Contains(string(out), "--remote-host-key") {
		t.Errorf("without a host key: got %v\n%s", err, out)
	}
	out, err = args("--remote-host-key", pin).CombinedOutput()
	key, seed := told(string(out), "Key"), told(string(out), "Seed")
	if err == nil || !strings.HasPrefix(key, "ssh-ed25519 ") || seed == "" {
		t.Fatalf("without being let in: got %v\n%s", err, out)
	}
	add := exec.Command(filepath.Join(binDir, "cairn"), "--home", home, "user", "key", "add", "owner", "-")
	add.Stdin = strings.NewReader(key + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("user key add: %v\n%s", err, out)
	}
	wrong := strings.Fields(key)
	out, err = args("--remote-host-key", wrong[0]+" "+wrong[1], "--seed", seed).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "is known by") {
		t.Errorf("with another host key: got %v\n%s", err, out)
	}
	// A site is no place for state, as its branches are shown; it is good enough to log in at.
	i, err := launch(args("--remote-host-key", pin, "--seed", seed), "", filepath.Join(t.TempDir(), "up.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	page(t, filepath.Join(t.TempDir(), "work"), "one", i.push(), "main")
	shows(t, i.HTTP, "one")
}

// hostKey is what ssh-keyscan prints of a cairn.
func hostKey(t *testing.T, i *instance) string {
	t.Helper()
	_, err := exec.LookPath("ssh-keyscan")
	judge(t, err == nil, "openssh-client")
	out, err := exec.Command("ssh-keyscan", "-t", "ed25519", "-p", port(i.SSH), "127.0.0.1").Output()
	if err != nil {
		t.Fatal(err)
	}
	_, key, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	return key
}

// TestWebhook lets the host tell of a push, to a cairn that would not ask for
// an hour.
func TestWebhook(t *testing.T) {
	h := githost.New(t, githost.PlainHTTP)
	secret := filepath.Join(t.TempDir(), "secret")
	write(t, secret, []byte("between us\n"))
	writer := upAway(t, h, "")
	reader := upAway(t, h, writer.seed, "--poll", "1h", "--webhook-secret-file", secret)
	work := filepath.Join(t.TempDir(), "work")
	page(t, work, "one", writer.push(), "main")
	if got := report(t, reader.HTTP, "somebody else"); got != http.StatusForbidden {
		t.Errorf("a report by somebody else: got %d, want 403", got)
	}
	if got := report(t, reader.HTTP, "between us"); got != http.StatusNoContent {
		t.Errorf("a report: got %d, want 204", got)
	}
	shows(t, reader.HTTP, "one")
}

// report tells of a push as forges do, and returns the status of the answer.
func report(t *testing.T, base, secret string) int {
	t.Helper()
	body := []byte(`{"ref":"refs/heads/site/site/main"}`)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	req, err := http.NewRequest(http.MethodPost, base+"/.cairn/webhook", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// TestUnipiRemote serves sites from a host, with metrics beside them.
func TestUnipiRemote(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	work := filepath.Join(t.TempDir(), "work")
	git(t, filepath.Dir(work), "init", "-q", "-b", "main", work)
	write(t, filepath.Join(work, "index.html"), []byte("one"))
	git(t, work, "add", "-A")
	git(t, work, "commit", "-qm", "one")
	git(t, work, "push", "-q", h.GitURL(), "HEAD:refs/heads/site/www/main")

	log := filepath.Join(t.TempDir(), "unipi.log")
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.Command(filepath.Join(binDir, "unipi"), "--remote", h.GitURL(), "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
	cmd.Env, cmd.Stderr = []string{"HOME=/nonexistent"}, f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var site, metrics string
	err = wait("unipi", func() error {
		text, err := os.ReadFile(log)
		site = "http://" + following(string(text), `serving .* on (\S+)\n`)
		metrics = following(string(text), `url=(\S+)/metrics\n`)
		if err != nil || site == "http://" || metrics == "" {
			return fmt.Errorf("%s, %v", text, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	shows(t, site, "one")
	write(t, filepath.Join(work, "index.html"), []byte("two"))
	git(t, work, "commit", "-qam", "two")
	git(t, work, "push", "-q", h.GitURL(), "HEAD:refs/heads/site/www/main")
	shows(t, site, "two")
	got, _, err := fetch(metrics, "", "metrics")
	for _, name := range []string{"remote_away 0", "remote_memory_bytes ", "cache_bytes ", `remote_seconds_count{kind="fetch"} `} {
		if err != nil || !strings.Contains(string(got), "\ncairn_"+name) {
			t.Errorf("metrics without %s: %v\n%s", name, err, got)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("unipi ended with %v", err)
	}
}
