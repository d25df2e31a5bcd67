package test

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cairn/internal/githost"
)

// TestBackupWrong types what cannot be, and is told; nothing is lost by it.
func TestBackupWrong(t *testing.T) {
	h := githost.New(t, githost.Cairn)
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	i, err := start(home, filepath.Join(dir, "up.log"), os.Environ(), "--metrics", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	refused := func(home, want string, args ...string) {
		t.Helper()
		out, err := tryCairn(home, args...)
		if err == nil || !strings.Contains(out, want) || strings.Contains(out, "hunter2") {
			t.Errorf("cairn %s: %v\n%s\nwant an error with %q", strings.Join(args, " "), err, out, want)
		}
	}
	refused(home, "`cairn backup list`", "backup", "remove", "copy")
	place, err := url.Parse(h.GitURL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := place.User.Password()
	place.User = url.User(place.User.Username())
	refused(home, "--password-file", "backup", "add", "copy", place.String())
	file := filepath.Join(dir, "password")
	write(t, file, []byte(password+"\n"))
	cairn(t, home, "backup", "add", "--password-file", file, "copy", place.String())
	refused(home, "already", "backup", "add", "copy", "http://me:hunter2@127.0.0.1:1/elsewhere.git")
	refused(home, "https, http or ssh", "backup", "add", "other", "ftp://me:hunter2@127.0.0.1/x")
	upToDate := func() error {
		if out := cairn(t, home, "backup", "list"); !strings.Contains(out, "up to date") {
			return fmt.Errorf("backup list: %s", out)
		}
		return nil
	}
	if err := wait("the backup", upToDate); err != nil {
		t.Fatal(err)
	}

	h.Git("update-ref", "refs/heads/theirs", h.Git("-c", "user.name=x", "-c", "user.email=x@localhost", "commit-tree", "-m", "theirs", h.Git("mktree")))
	if err := wait("what is not from here", func() error {
		out, err := tryCairn(home, "backup", "verify")
		if err == nil || !strings.Contains(out, "1 not from here") {
			return fmt.Errorf("backup verify: %v\n%s", err, out)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	h.Git("update-ref", "-d", "refs/heads/theirs")

	// A page elsewhere whose name leads here reads no metrics.
	metrics := following(i.said(), `url=(\S+)/metrics\n`)
	if got, _, err := fetch(metrics, "", "metrics"); err != nil || !strings.Contains(string(got), "\ncairn_backup_behind_seconds ") || !strings.Contains(string(got), "\ncairn_cache_bytes ") {
		t.Errorf("metrics: %v\n%s", err, got)
	}
	if _, status, err := fetch(metrics, "evil.example", "metrics"); err != nil || status != 421 {
		t.Errorf("metrics under another's name: got %d, %v, want 421", status, err)
	}

	// Backups that come and go leave nothing behind.
	goroutines := func() (n int) {
		got, _, err := fetch(metrics, "", "metrics")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(following(string(got), `\ngo_goroutines (\d+)`), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := goroutines()
	for range 10 {
		cairn(t, home, "backup", "remove", "copy")
		cairn(t, home, "backup", "add", "copy", h.GitURL())
	}
	if err := wait("the backup", upToDate); err != nil {
		t.Error(err)
	}
	if err := wait("the end of what was begun", func() error {
		if n := goroutines(); n > before+8 {
			return fmt.Errorf("%d goroutines, there were %d", n, before)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}

	// A folder with another's seed keeps it.
	mine, other := filepath.Join(home, "seed"), filepath.Join(dir, "other")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	theirs := strings.Repeat("01", 32) + "\n"
	write(t, filepath.Join(other, "seed"), []byte(theirs))
	refused(other, "another seed", "restore", "--seed-file", mine, h.GitURL())
	if got, err := os.ReadFile(filepath.Join(other, "seed")); err != nil || string(got) != theirs {
		t.Errorf("the seed there is %q, %v", got, err)
	}
}

// TestRestoreKilled kills a restore again and again, and lets it finish.
func TestRestoreKilled(t *testing.T) {
	h := githost.New(t, githost.PlainHTTP)
	dir := t.TempDir()
	home, away := filepath.Join(dir, "home"), filepath.Join(dir, "away")
	i, err := start(home, filepath.Join(dir, "up.log"), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	page(t, filepath.Join(dir, "work"), "one", i.push(), "main")
	cairn(t, home, "backup", "add", "copy", h.GitURL())
	if err := wait("the backup", func() error {
		out, err := tryCairn(home, "backup", "verify")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	restore := []string{"--home", away, "restore", "--seed-file", filepath.Join(home, "seed"), h.GitURL()}
	done := false
	for after := time.Duration(0); !done; after += 10 * time.Millisecond {
		cmd := exec.Command(filepath.Join(binDir, "cairn"), restore...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		kill.Stop()
		_, missing := os.Stat(filepath.Join(away, "repo.git"))
		if done = missing == nil; err == nil && !done {
			t.Fatal("it ended well, and there is no repository")
		}
	}
	i, err = start(away, filepath.Join(dir, "again.log"), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	shows(t, i.HTTP, "one")
}
