package test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestDiskFull pushes more than the disk holds: the push is refused with a
// reason, the site goes on, and takes pushes again when there is room.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o755); err != nil {
		t.Fatal(err)
	}
	mount := exec.Command("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk)
	if out, err := mount.CombinedOutput(); err != nil {
		judge(t, false, "the right to mount a tmpfs ("+strings.TrimSpace(string(out))+")")
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	i, err := start(filepath.Join(disk, "home"), filepath.Join(dir, "up.log"), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.stop(syscall.SIGINT); err != nil {
			t.Errorf("cairn up ended with %v", err)
		}
		git(t, filepath.Join(disk, "home", "repo.git"), "fsck", "--strict")
	})

	work := filepath.Join(dir, "work")
	git(t, dir, "init", "-q", "-b", "main", work)
	write(t, filepath.Join(work, "index.html"), []byte("first"))
	git(t, work, "add", "-A")
	git(t, work, "commit", "-qm", "First")
	git(t, work, "push", "-q", i.push()+"/site", "HEAD:main")

	write(t, filepath.Join(work, "big"), noise(24<<20))
	git(t, work, "add", "-A")
	git(t, work, "commit", "-qm", "Too much")
	out, err := tryGit(work, "push", i.push()+"/site", "HEAD:main")
	if err == nil || !strings.Contains(out, "try again later") {
		t.Errorf("push to a full disk: %v\n%s\nwant it refused for now", err, out)
	}
	if log, err := os.ReadFile(filepath.Join(dir, "up.log")); err != nil || !strings.Contains(string(log), "free some space") {
		t.Errorf("the log says %s, %v; want what to do about a full disk", log, err)
	}
	if got, _, err := fetch(i.HTTP, "", "index.html"); err != nil || string(got) != "first" {
		t.Errorf("the site shows %q, %v while the disk is full, want first", got, err)
	}

	git(t, work, "reset", "-q", "--hard", "HEAD~1")
	write(t, filepath.Join(work, "index.html"), []byte("second"))
	git(t, work, "commit", "-qam", "Less")
	git(t, work, "push", "-q", i.push()+"/site", "HEAD:main")
	if got, _, err := fetch(i.HTTP, "", "index.html"); err != nil || string(got) != "second" {
		t.Errorf("the site shows %q, %v, want second", got, err)
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// noise is so many bytes that cannot be compressed.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
