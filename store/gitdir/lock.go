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

// lock takes name, a .lock file, waiting up to lockPatience. The folder must
// exist, or fs.ErrNotExist is returned.
func (d *Dir) lock(ctx context.Context, name string) error {
	deadline := time.Now().Add(lockPatience)
	for pause := time.Millisecond; ; pause = min(2*pause, maxPause) {
		err := d.disk.link(d.owner.name(), name)
		if !errors.Is(err, fs.ErrExist) {
			return temporary(err)
		}
		if breakStale(d.root, name) {
			continue
		}
		if err := d.pause(ctx, name, pause, deadline); err != nil {
			return err
		}
	}
}

// pause waits for somebody else to give up the lock called name.
func (d *Dir) pause(ctx context.Context, name string, pause time.Duration, deadline time.Time) error {
	if time.Now().After(deadline) {
		return &temporaryError{
			fmt.Errorf("lock %s: another program holds it", d.root.path(name)),
			"if no git command is running on this repository, one has crashed: remove that file",
		}
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

// lockRef takes the lock of a ref and makes the folders it needs.
func (d *Dir) lockRef(ctx context.Context, name string) error {
	for range 100 { // somebody may keep removing the folder, which is empty
		err := d.lock(ctx, name+lockSuffix)
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

// mkdirs makes a folder under refs/ and its parents.
func (d *Dir) mkdirs(dir string) error {
	err := d.disk.mkdir(dir)
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(dir, "/") {
		if err := d.mkdirs(path.Dir(dir)); err != nil {
			return err
		}
		err = d.disk.mkdir(dir)
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
