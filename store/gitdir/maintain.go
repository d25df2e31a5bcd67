package gitdir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"
)

const (
	// pokePacks is how many packs we commit until the maintenance looks at
	// them as soon as nobody writes, and manyPacks until it does so at once.
	pokePacks = 32
	manyPacks = 192

	// quiet is how long nobody has written when nobody writes.
	quiet = 50 * time.Millisecond

	// maintainEvery is how often it looks without being asked.
	maintainEvery = time.Minute

	// backOff is how long it rests after an error such as a full disk.
	backOff = 30 * time.Second
)

// maintainLoop runs until ctx ends. It belongs to the Dir, which waits for it.
func (d *Dir) maintainLoop(ctx context.Context) {
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.poke:
			d.awaitQuiet(ctx)
		case <-tick.C:
		}
		err := d.Maintain(ctx)
		if err == nil || ctx.Err() != nil || errors.Is(err, errPackGone) || errors.Is(err, fs.ErrNotExist) {
			continue // in the last two cases git was quicker
		}
		d.log.Warn("maintenance", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(backOff):
		}
	}
}

// awaitQuiet lets a burst of writes pass, as far as the number of packs allows: merging
// takes time from those who write.
func (d *Dir) awaitQuiet(ctx context.Context) {
	for seen := int64(-1); ; {
		now := d.fresh.Load()
		if now == seen || now >= manyPacks {
			return
		}
		seen = now
		select {
		case <-ctx.Done():
			return
		case <-time.After(quiet):
		}
	}
}

// committed counts a new pack of ours.
func (d *Dir) committed() {
	if d.fresh.Add(1) < pokePacks {
		return
	}
	select {
	case d.poke <- struct{}{}:
	default:
	}
}

// Maintain does now what the maintenance does in the background: merges small
// packs, packs loose objects when there are many, and removes garbage when that
// is due. It waits for what is under way in this Dir, and does nothing while another process, Cairn or git gc, is
// maintaining the repository. What it removes is held elsewhere, durably, before.
func (d *Dir) Maintain(ctx context.Context) error {
	d.maintaining.Lock()
	defer d.maintaining.Unlock()
	unlock, ok, err := d.lockMaintenance()
	if err != nil || !ok {
		return err
	}
	defer unlock()
	d.fresh.Store(0)
	steps := []func(context.Context) error{d.mergeSmall, d.packLoose, d.prune}
	if d.partial {
		steps = steps[:2] // what nothing here refers to may be what something elsewhere does
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return fmt.Errorf("maintain %s: %w", d.root, err)
		}
	}
	return nil
}

// lockMaintenance makes sure that one process maintains at a time. Among
// Cairns a flock decides, which ends with its process; a running git gc says
// so in gc.pid.
func (d *Dir) lockMaintenance() (unlock func(), ok bool, err error) {
	f, err := os.OpenFile(d.root.path(path.Join(ownFolder, "maintenance")), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, false, temporary(err)
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil || gcRuns(d.root) {
		f.Close()
		return nil, false, nil
	}
	return func() { f.Close() }, true, nil
}

// gcRuns reports whether a git gc is at work. Like git it does not believe a
// gc.pid that is older than twelve hours, or whose process is not there.
func gcRuns(root osDisk) bool {
	name := root.path("gc.pid")
	st, err := os.Stat(name)
	if err != nil || time.Since(st.ModTime()) > 12*time.Hour {
		return false
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	var pid int
	var host string
	if n, _ := fmt.Sscanf(string(data), "%d %s", &pid, &host); n < 2 || pid <= 0 || pid == os.Getpid() {
		return false
	}
	here, err := os.Hostname()
	return err != nil || host != here || syscall.Kill(pid, 0) != syscall.ESRCH
}
