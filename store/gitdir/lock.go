package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

const (
	lockSuffix = ".lock"

	// lockPatience is how long we wait for somebody else's lock, as git does
	// (core.packedRefsTimeout) where it expects to be in competition.
	lockPatience = time.Second

	maxPause = 50 * time.Millisecond // between two attempts
)

// A heldError says that somebody else has a lock.
type heldError struct{ name string }

func (e *heldError) Error() string { return "lock " + e.name + ": another program holds it" }

// lock takes name, a .lock file, or fails with a heldError. The folder must
// exist, or fs.ErrNotExist is returned.
func (d *Dir) lock(name string) error {
	err := d.disk.link(d.owner.name(), name)
	if errors.Is(err, fs.ErrExist) && breakStale(d.root, name) {
		err = d.disk.link(d.owner.name(), name)
	}
	if errors.Is(err, fs.ErrExist) {
		return &heldError{d.root.path(name)}
	}
	return temporary(err)
}

// patiently does what needs locks again until nobody else holds one of them, or
// lockPatience is over.
func patiently(ctx context.Context, f func() error) error {
	deadline := time.Now().Add(lockPatience)
	for pause := time.Millisecond; ; pause = min(2*pause, maxPause) {
		err := f()
		var held *heldError
		if !errors.As(err, &held) {
			return err
		}
		if time.Now().After(deadline) {
			return &temporaryError{err, "if no git command is running on this repository, one has crashed: remove that file"}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// lockRef takes the lock of a ref and makes the folders it needs.
func (d *Dir) lockRef(name string) error {
	for range 100 { // somebody may keep removing the folder, which is empty
		err := d.lock(name + lockSuffix)
		if err == nil {
			return nil
		}
		if errors.Is(err, syscall.ENOTDIR) {
			return fmt.Errorf("ref %s: a part of the name is a ref itself, which cannot also be a folder: %w", name, err)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("ref %s: %w", name, err)
		}
		if err := d.mkdirs(path.Dir(name)); err != nil {
			return fmt.Errorf("ref %s: %w", name, temporary(err))
		}
	}
	return &temporaryError{fmt.Errorf("ref %s: its folder keeps disappearing", name), "try again"}
}

// mkdirs makes a folder under refs/ and its parents. refMu is held.
func (d *Dir) mkdirs(dir string) error {
	err := d.disk.mkdir(dir)
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(dir, "/") {
		if err := d.mkdirs(path.Dir(dir)); err != nil {
			return err
		}
		err = d.disk.mkdir(dir)
	}
	if err == nil {
		delete(d.settled, dir) // it may have the inode of one that somebody else has removed
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return nil // made or removed by somebody else: the caller tries again
	}
	return err
}

// settle makes a folder's own entry, and those of its parents, durable: what is
// in a folder survives a crash only if the folder does. Whoever made it,
// ourselves or git, has not waited for that. refMu is held.
func (d *Dir) settle(dir string) error {
	for ; strings.Contains(dir, "/"); dir = path.Dir(dir) {
		st, err := os.Lstat(d.root.path(dir))
		if err != nil {
			return err
		}
		if id := inode(st); d.settled[dir] != id {
			if err := d.disk.syncDir(path.Dir(dir)); err != nil {
				return err
			}
			d.settled[dir] = id
		}
	}
	return nil
}

// rmdirs removes folders that have become empty, from dir up to and without
// refs/<kind>: left behind they would stand where a ref could be. refMu is held.
func (d *Dir) rmdirs(dir string) {
	for strings.Count(dir, "/") >= 2 && d.disk.rmdir(dir) == nil {
		delete(d.settled, dir)
		dir = path.Dir(dir)
	}
}
