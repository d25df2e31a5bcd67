package gitdir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cairn/store"
)

// TestDiskFull fills the disk at every operation of a workload that needs room, at
// every third without CAIRN_LONG. That
// step must say so, change nothing and leave nothing behind; and it must succeed when it
// is tried again.
func TestDiskFull(t *testing.T) {
	w, p := newWorkload(t)
	if err := w.run(); err != nil {
		t.Fatal(err)
	}
	stride := 3
	if os.Getenv("CAIRN_LONG") != "" {
		stride = 1
	}
	for cut := os.Getpid() % stride; cut < p.ops; cut += stride {
		w, p := newWorkload(t)
		p.cut, p.full = cut, &fs.PathError{Op: "write", Path: "somewhere", Err: syscall.ENOSPC}
		what := fmt.Sprint("full at ", cut)
		w.failed = func(err error) {
			if !errors.Is(err, store.ErrTemporary) {
				t.Errorf("%s: got %v, want a temporary error", what, err)
			}
			w.next = nil
			checkRefs(t, what, w.d, w)
			checkTidy(t, what, w.d)
		}
		if err := w.run(); err != nil {
			t.Fatalf("%s: tried again: %v", what, err)
		}
		checkRefs(t, what, w.d, w)
		checkTidy(t, what, w.d)
		if t.Failed() {
			return
		}
	}
}

// checkTidy looks for locks and unfinished files.
func checkTidy(t *testing.T, what string, d *Dir) {
	t.Helper()
	err := filepath.WalkDir(string(d.root), func(name string, e fs.DirEntry, err error) error {
		ext := filepath.Ext(name)
		held := d.keeps[packFolder+"/"+strings.TrimSuffix(e.Name(), ext)] > 0 // received a moment ago
		if err == nil && (ext == ".lock" || ext == ".keep" && !held || strings.Contains(e.Name(), d.owner.id+"-")) {
			t.Errorf("%s: %s is left behind", what, name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// smallDisk names the folder where the child of TestSmallDisk mounts one.
const smallDisk = "CAIRN_TEST_SMALL_DISK"

// TestSmallDisk lets a child write to a file system of 4 MB until it is full.
func TestSmallDisk(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSmallDiskChild$", "-test.v")
	cmd.Env = append(os.Environ(), smallDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) || bytes.Contains(out, []byte("mounting is not permitted")) {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatalf("CAIRN_CI is set, and mounting is not permitted: %v\n%s", err, out)
		}
		t.Skip("mounting is not permitted here")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestSmallDiskChild is the child of TestSmallDisk.
func TestSmallDiskChild(t *testing.T) {
	dir := os.Getenv(smallDisk)
	if dir == "" {
		t.Skip("runs as a child of TestSmallDisk")
	}
	if syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") != nil ||
		syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m") != nil {
		t.Skip("mounting is not permitted")
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	repo := filepath.Join(dir, "repo.git")
	if err := Init(repo); err != nil {
		t.Fatal(err)
	}
	w := &workload{d: openDir(t, repo, Options{NoMaintenance: true}), refs: map[string]store.Hash{}}
	var err error
	for i := 0; err == nil && i < 10_000; i++ {
		err = w.edit([]string{"refs/heads/a", "refs/heads/b"}[i%2:]...)()
		if err == nil {
			w.refs, w.next = w.next, nil
		}
	}
	w.next = nil
	if !errors.Is(err, store.ErrTemporary) || !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("got %v, want a temporary error about a full disk", err)
	}
	t.Log(err)
	checkRefs(t, "full", w.d, w)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := w.edit("refs/heads/a", "refs/heads/b")(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	w.refs, w.next = w.next, nil
	if err := w.d.Maintain(context.Background()); err != nil {
		t.Error(err)
	}
	checkRefs(t, "room again", w.d, w)
	fsck(t, w.d)
}
