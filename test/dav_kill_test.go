package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestDavKill kills a cairn while devices write: what was acknowledged is there
// afterwards, byte for byte.
func TestDavKill(t *testing.T) {
	dir := t.TempDir()
	home, log := filepath.Join(dir, "home"), filepath.Join(dir, "up.log")
	i, err := start(home, log, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.stop(syscall.SIGKILL) })
	alice := newPerson(t, i, "alice")
	const writers = 4
	var acknowledged [writers]atomic.Int64
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := int64(1); ; n++ {
				uid := fmt.Sprintf("w%d-%d", w, n)
				a, err := alice.try("PUT", "/calendars/alice/home/"+uid+".ics", event(uid, uid, "20261202T120000Z"), "Content-Type: text/calendar", "If-None-Match: *")
				if err != nil {
					return // killed
				}
				if a.status != 201 {
					t.Errorf("%s: got %d\n%s", uid, a.status, a.body)
					return
				}
				acknowledged[w].Store(n)
			}
		})
	}
	err = wait("some writes", func() error {
		for w := range writers {
			if n := acknowledged[w].Load(); n < 5 {
				return fmt.Errorf("writer %d has written %d", w, n)
			}
		}
		return nil
	})
	i.kill()
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}

	again, err := start(home, log, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.stop(syscall.SIGKILL) })
	alice.i = again
	for w := range writers {
		for n := range acknowledged[w].Load() {
			uid := fmt.Sprintf("w%d-%d", w, n+1)
			if a := alice.do(200, "GET", "/calendars/alice/home/"+uid+".ics", ""); a.body != event(uid, uid, "20261202T120000Z") {
				t.Errorf("%s: got %q", uid, a.body)
			}
		}
	}
	git(t, filepath.Join(home, "repo.git"), "fsck", "--strict", "--full")
}

// TestDavDiskFull fills the disk: writes are refused as what may be tried later, reads go
// on, and there is nothing half written.
func TestDavDiskFull(t *testing.T) {
	dir := t.TempDir()
	disk := mkdir(t, filepath.Join(dir, "disk"))
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
	alice := newPerson(t, i, "alice")
	const lunch = "/calendars/alice/home/lunch.ics"
	alice.do(201, "PUT", lunch, event("lunch", "Lunch", "20261202T120000Z"), "Content-Type: text/calendar")

	full := filepath.Join(disk, "full")
	f, err := os.Create(full)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(noise(64 << 10))
	}
	f.Close()
	a, err := alice.try("PUT", lunch, event("lunch", "Late lunch", "20261202T120000Z"), "Content-Type: text/calendar")
	if err != nil || a.status != 503 && a.status != 507 {
		t.Errorf("to a full disk: got %d %s, %v, want it refused for now", a.status, a.body, err)
	}
	if a := alice.do(200, "GET", lunch, ""); !strings.Contains(a.body, "SUMMARY:Lunch") {
		t.Errorf("while the disk is full: got\n%s", a.body)
	}
	if err := os.Remove(full); err != nil {
		t.Fatal(err)
	}
	alice.do(204, "PUT", lunch, event("lunch", "Late lunch", "20261202T120000Z"), "Content-Type: text/calendar")
}
