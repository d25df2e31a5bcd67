package test

import (
	"crypto/sha256"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestOneFileThreeWorlds takes one file, as `cairn image build unipi` makes it, and serves the
// same site of the same repository elsewhere from it: as a process, as a sealed process, and as
// a virtual machine.
func TestOneFileThreeWorlds(t *testing.T) {
	program(t, "curl")
	file := imageOf(t, "unipi")
	sum := func() string { return fmt.Sprintf("%x", sha256.Sum256([]byte(read(t, file)))) }
	hash := sum()
	if out, err := exec.Command(filepath.Join(binDir, "cairn"), "image", "inspect", file).CombinedOutput(); err != nil || !strings.Contains(string(out), hash) {
		t.Errorf("inspect: %v, want the hash %s\n%s", err, hash, out)
	}
	h := newHome(t)
	h.publish(t, "the same in all worlds")

	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, h.files["/etc/ca.pem"])
	here := []string{"--remote", h.GitURL(), "--remote-ca", ca, "--poll", "500ms", "--listen", "127.0.0.1:0"}
	worlds := map[string]func(t *testing.T) string{
		"unix":   func(t *testing.T) string { return process(t, file, here...) },
		"sealed": func(t *testing.T) string { return process(t, file, append(here, "--seal")...) },
		"metal": func(t *testing.T) string {
			m := boot(t, "unipi", setting{files: h.files, memory: 64}, append(h.args, "--host", "www=127.0.0.1")...)
			m.says(`unipi: serving`)
			return "http://127.0.0.1:" + m.plain.Number()
		},
	}
	answers := map[string]string{}
	for _, name := range []string{"unix", "sealed", "metal"} {
		t.Run(name, func(t *testing.T) {
			base := worlds[name](t)
			out, err := exec.Command("curl", "-sS", "--max-time", "120", "-w", " %{http_code} %header{etag}", base+"/").CombinedOutput()
			if err != nil {
				t.Fatalf("curl: %v\n%s", err, out)
			}
			answers[name] = string(out)
		})
	}
	if !strings.HasPrefix(answers["unix"], "the same in all worlds 200 \"") || answers["sealed"] != answers["unix"] || answers["metal"] != answers["unix"] {
		t.Errorf("the worlds differ: %q", answers)
	}
	if got := sum(); got != hash {
		t.Errorf("the file has changed: %s, was %s", got, hash)
	}
}

// process runs the file as a process, and returns the URL that it serves.
func process(t *testing.T, file string, args ...string) string {
	t.Helper()
	var said growing
	cmd := exec.Command(file, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = gitEnv(), &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		if err := <-done; err != nil {
			t.Errorf("it ended with %v\n%s", err, said.String())
		}
	})
	var base string
	err := wait("the start", func() error {
		select {
		case err := <-done:
			done <- err
			return errEnded
		default:
		}
		found := regexp.MustCompile(`serving .* on (\S+)\n`).FindStringSubmatch(said.String())
		if found == nil {
			return fmt.Errorf("it says %q", said.String())
		}
		base = "http://" + found[1]
		return nil
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	return base
}

// growing is what a process prints, read while it does.
type growing struct {
	mu   sync.Mutex
	text strings.Builder
}

func (g *growing) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.Write(p)
}

func (g *growing) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.String()
}
