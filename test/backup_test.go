package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cairn/internal/githost"
)

// cairn runs a command and returns what it prints.
func cairn(t *testing.T, home string, args ...string) string {
	t.Helper()
	out, err := tryCairn(home, args...)
	if err != nil {
		t.Fatalf("cairn %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryCairn(home string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(binDir, "cairn"), args...)
	cmd.Env = append(os.Environ(), "CAIRN_HOME="+home)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestBackup keeps a backup while pages are pushed, verifies it, loses the home
// and restores it on an empty machine.
func TestBackup(t *testing.T) {
	for _, kind := range []githost.Kind{githost.Cairn, githost.PlainHTTP, githost.CairnSSH} {
		t.Run(string(kind), func(t *testing.T) { testBackup(t, githost.New(t, kind)) })
	}
}

func testBackup(t *testing.T, h *githost.Host) {
	dir := t.TempDir()
	home, work := filepath.Join(dir, "home"), filepath.Join(dir, "work")
	i, err := start(home, filepath.Join(dir, "up.log"), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	page(t, work, "one", i.push(), "main")
	where := []string{h.GitURL()}
	if h.Kind == githost.CairnSSH {
		where = append(where, "--host-key", h.HostKeyLine())
		out, err := tryCairn(home, append([]string{"backup", "add", "copy"}, where...)...)
		if err == nil || !strings.Contains(out, "ssh-ed25519 ") {
			t.Fatalf("a key that the host does not know: got %v\n%s\nwant the key to be shown", err, out)
		}
		h.Authorize(out[strings.LastIndex(out, "ssh-ed25519 "):])
	}
	cairn(t, home, append([]string{"backup", "add", "copy"}, where...)...)
	page(t, work, "two", i.push(), "main")
	upToDate := func() error {
		if out := cairn(t, home, "backup", "list"); !strings.Contains(out, "up to date") {
			return fmt.Errorf("backup list: %s", out)
		}
		return nil
	}
	if err := wait("the backup", upToDate); err != nil {
		t.Fatal(err)
	}
	if out := cairn(t, home, "backup", "verify"); !strings.Contains(out, "restores to what is here") {
		t.Errorf("backup verify: %s", out)
	}

	// The home is lost, but for the seed.
	if err := i.stop(syscall.SIGKILL); err == nil {
		t.Error("the process ended well, want it killed")
	}
	seed := filepath.Join(dir, "seed")
	if err := os.Rename(filepath.Join(home, "seed"), seed); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	out := cairn(t, home, append([]string{"restore", "--seed-file", seed}, where...)...)
	if !strings.Contains(out, "Restored") || strings.Contains(out, "another") {
		t.Errorf("restore: %s", out)
	}
	again, err := start(home, filepath.Join(dir, "again.log"), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.stop(syscall.SIGKILL) })
	shows(t, again.HTTP, "two")
	again.password = i.password
	page(t, work, "three", again.push(), "main")
	shows(t, again.HTTP, "three")
	if err := wait("the backup after the restore", upToDate); err != nil {
		t.Error(err)
	}
	if out, err := tryCairn(home, append([]string{"restore", "--seed-file", seed}, where...)...); err == nil || !strings.Contains(out, "there is a Cairn in") {
		t.Errorf("restored over a home: %v\n%s", err, out)
	}
	cairn(t, home, "backup", "remove", "copy")
	if out := cairn(t, home, "backup", "list"); !strings.Contains(out, "There is no backup") {
		t.Errorf("backup list after remove: %s", out)
	}
}
