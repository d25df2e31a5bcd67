//go:build amd64

package sealed_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"cairn/libos/sealed"
)

// TestFolder: in the folder everything works that a repository needs, and outside
// nothing does.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	openUp(t, dir)
	folder := filepath.Join(dir, "state")
	for name, text := range map[string]string{"beside": "secret", "state/inside": "inside", "state/a/b/c": "deep"} {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{"away": "../beside", "up": "..", "root": "/"} {
		if err := os.Symlink(to, filepath.Join(folder, from)); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		giveTo(t, folder, 4242)
	}
	succeeds(t, process(t, "in a folder", folder))
	if got, err := os.ReadFile(filepath.Join(dir, "beside")); string(got) != "secret" || err != nil {
		t.Errorf("a file outside: %q, %v", got, err)
	}
	if os.Getuid() == 0 {
		st, err := os.Stat(filepath.Join(folder, "made"))
		if err != nil || st.Sys().(*syscall.Stat_t).Uid != 4242 {
			t.Errorf("what was made in it is not its owner's (%v)", err)
		}
	}
}

// openUp lets every user reach a test's folder.
func openUp(t *testing.T, dir string) {
	t.Helper()
	for name := dir; name != filepath.Dir(os.TempDir()) && name != os.TempDir() && name != "/"; name = filepath.Dir(name) {
		if err := os.Chmod(name, 0o777); err != nil {
			t.Fatal(err)
		}
	}
}

func giveTo(t *testing.T, dir string, user int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(name, user, user))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func init() {
	roles["in a folder"] = func(args []string) error {
		if err := sealed.Seal(sealed.Attached{Consoles: outputs, Folder: args[0]}); err != nil {
			return err
		}
		in := func(name string) string { return filepath.Join(args[0], name) }
		return errors.Join(worksInside(in), refusedOutside(in))
	}
}

// worksInside does with files what a repository does.
func worksInside(in func(string) string) error {
	var errs []error
	do := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	f, err := os.OpenFile(in("made"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString("made")
	do("write", err)
	_, err = f.WriteAt([]byte("M"), 0)
	do("write at", err)
	do("sync", f.Sync())
	do("lock", syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
	mapped, err := syscall.Mmap(int(f.Fd()), 0, 4, syscall.PROT_READ, syscall.MAP_SHARED)
	do("map", err)
	if err == nil && string(mapped) != "Made" {
		do("map", fmt.Errorf("it shows %q", mapped))
	}
	do("close", f.Close())
	do("append", appendTo(in("made")))
	do("make folders", os.MkdirAll(in("x/y/z"), 0o755))
	do("link", os.Link(in("made"), in("x/linked")))
	do("move to another folder", os.Rename(in("x/linked"), in("x/y/z/moved")))
	do("replace", os.Rename(in("x/y/z/moved"), in("inside")))
	dir, err := os.Open(in("x"))
	do("open a folder", err)
	do("sync a folder", dir.Sync())
	do("close a folder", dir.Close())
	entries, err := os.ReadDir(in("."))
	do("read a folder", err)
	if len(entries) != 7 {
		do("read a folder", fmt.Errorf("got %d entries, want 7", len(entries)))
	}
	do("remove a folder", syscall.Rmdir(in("x/y/z")))
	do("remove", os.RemoveAll(in("x")))
	data, err := os.ReadFile(in("a/b/../../inside"))
	do("read", err)
	if string(data) != "Made more" {
		do("read", fmt.Errorf("got %q", data))
	}
	return errors.Join(errs...)
}

func appendTo(name string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(" more")
	return errors.Join(err, f.Close())
}

// refusedOutside tries every way out.
func refusedOutside(in func(string) string) error {
	open := func(name string, flag int) func() error {
		return func() error {
			f, err := os.OpenFile(name, flag, 0o644)
			if err == nil {
				f.Close()
			}
			return err
		}
	}
	var errs []error
	for what, try := range map[string]func() error{
		"read a file":                open("/etc/hostname", os.O_RDONLY),
		"read beside":                open(in("../beside"), os.O_RDONLY),
		"read through a link":        open(in("away"), os.O_RDONLY),
		"write through a link":       open(in("away"), os.O_WRONLY|os.O_TRUNC),
		"read by a folder's link":    open(in("up/beside"), os.O_RDONLY),
		"read by a link to the root": open(in("root/etc/hostname"), os.O_RDONLY),
		"write beside":               open(in("../beside"), os.O_WRONLY),
		"truncate beside":            open(in("../beside"), os.O_RDONLY|os.O_TRUNC),
		"make beside":                open(in("../new"), os.O_CREATE|os.O_WRONLY),
		"make by a link":             open(in("up/new"), os.O_CREATE|os.O_WRONLY),
		"read a folder":              func() error { _, err := os.ReadDir(in("..")); return err },
		"list processes":             func() error { _, err := os.ReadDir("/proc"); return err },
		"make a folder":              func() error { return os.Mkdir(in("../new"), 0o755) },
		"remove beside":              func() error { return syscall.Unlink(in("../beside")) },
		"move in":                    func() error { return os.Rename(in("../beside"), in("stolen")) },
		"move out":                   func() error { return os.Rename(in("inside"), in("../out")) },
		"link in":                    func() error { return os.Link(in("../beside"), in("stolen")) },
		"link out":                   func() error { return os.Link(in("inside"), in("../out")) },
		"its own memory":             open("/proc/self/mem", os.O_RDWR),
		"a device":                   open(os.DevNull, os.O_RDWR),
	} {
		if err := try(); !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EXDEV) {
			errs = append(errs, fmt.Errorf("%s: got %v, want %v", what, err, fs.ErrPermission))
		}
	}
	return errors.Join(errs...)
}

func init() {
	roles["makes a folder"] = func(args []string) error {
		return sealed.Seal(sealed.Attached{Consoles: outputs, Folder: args[0]})
	}
}

// TestNewFolder: a folder that is not there is made for the user.
func TestNewFolder(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	openUp(t, dir)
	folder := filepath.Join(dir, "state")
	succeeds(t, process(t, "makes a folder", folder))
	st, err := os.Stat(folder)
	if err != nil {
		t.Fatal(err)
	}
	if owner := st.Sys().(*syscall.Stat_t).Uid; owner != sealed.Nobody || st.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %d's and %v, want %d's and %v", owner, st.Mode(), sealed.Nobody, fs.FileMode(0o700))
	}
}

// TestRootsFolder: one that the user cannot use is an error that says what to do.
func TestRootsFolder(t *testing.T) {
	asRoot(t)
	folder := filepath.Join(t.TempDir(), "state")
	openUp(t, filepath.Dir(folder))
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	_, errs, status := ended(t, process(t, "makes a folder", folder))
	if want := "user 65534 cannot use the folder " + folder; status.ExitStatus() != 1 || !strings.Contains(errs, want) {
		t.Errorf("%s, got %q, want %q", state(status), errs, want)
	}
}
