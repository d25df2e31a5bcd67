package gitdir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
)

// In a partial repository every pack has a .promisor file, as in a partial clone of git's
// (git-rev-list(1), partial-clone in git's technical documentation): what its objects
// name and is not here is elsewhere. So `git fsck` does not miss it, and `git gc` packs all of
// that anew without looking for what is reachable.

// markPromised makes the .promisor file of the pack of that name, before the pack is
// there.
func (d *Dir) markPromised(name string) error { return promise(d.disk, name) }

// promiseAll makes the .promisor files that a power cut has lost.
func promiseAll(root osDisk, w disk) error {
	entries, err := os.ReadDir(root.path(packFolder))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name, ok := packName(e.Name()); ok {
			if err := promise(w, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func promise(w disk, name string) error {
	f, err := w.create(name + ".promisor")
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// mergeShare: in a partial repository that is trimmed, packs larger than this part of the
// bound are not merged, because whole packs are what is removed.
const mergeShare = 8

func (d *Dir) tooLargeToMerge(p *packFile) bool {
	bound := d.bound.Load()
	return d.partial && bound > 0 && p.size > bound/mergeShare
}

// Trim removes packs from a partial repository until the rest takes at most so many
// bytes: first those that nobody has read since it was opened, the oldest first, then
// those that were read longest ago. It leaves alone what has a .keep file.
func (d *Dir) Trim(ctx context.Context, bytes int64) error {
	if !d.partial {
		return errors.New("trim: the repository's objects are nowhere else")
	}
	d.bound.Store(bytes)
	d.maintaining.Lock()
	defer d.maintaining.Unlock()
	unlock, ok, err := d.lockMaintenance()
	if err != nil || !ok {
		return err
	}
	defer unlock()
	list := d.packs.acquire()
	defer list.release()
	if _, err := d.rescan(list); err != nil {
		return err
	}
	now := d.packs.acquire()
	defer now.release()
	var sum int64
	for _, p := range now.packs {
		sum += d.packBytes(p)
	}
	var drop []*packFile
	for i := len(now.packs) - 1; i >= 0 && sum > bytes; i-- { // those hit last come first
		if err := ctx.Err(); err != nil {
			return err
		}
		p := now.packs[i]
		if _, err := os.Lstat(d.root.path(p.name + ".keep")); err == nil {
			continue
		}
		sum -= d.packBytes(p)
		drop = append(drop, p)
	}
	if len(drop) > 0 {
		d.dropPacks(drop)
	}
	return nil
}

// packBytes is what a pack takes on disk with its index.
func (d *Dir) packBytes(p *packFile) int64 {
	return p.size + indexHead + int64(p.index.Len())*indexEntry
}

// What an index takes (gitformat-pack(5)): magic, fan-out and checksums; and for each object.
const (
	indexHead  = 8 + 4*256 + 2*20
	indexEntry = 20 + 4 + 4
)

// PackBytes is what the packs take on disk, with their indexes.
func (d *Dir) PackBytes() (sum int64, err error) {
	entries, err := os.ReadDir(d.root.path(packFolder))
	if err != nil {
		return 0, temporary(err)
	}
	for _, e := range entries {
		if ext := path.Ext(e.Name()); !strings.HasPrefix(e.Name(), "pack-") || ext != ".pack" && ext != ".idx" {
			continue
		}
		if st, err := e.Info(); err == nil {
			sum += st.Size()
		}
	}
	return sum, nil
}
