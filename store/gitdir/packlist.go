package gitdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"cairn/store"
)

// A packList is the packs of one moment, those that were hit last first. It never
// changes. Readers hold a reference while they look through it, which keeps
// the indexes mapped.
type packList struct {
	packs []*packFile
	refs  atomic.Int64
}

// packTable owns the current list.
type packTable struct {
	now   atomic.Pointer[packList]
	clock atomic.Uint64 // counts lists

	mu      sync.Mutex // guards replacing the list, and what follows
	folder  fileID     // of objects/pack when it was last read
	settled bool       // and no later change can look the same
}

// acquire returns the current list. The caller releases it.
func (t *packTable) acquire() *packList {
	for {
		l := t.now.Load()
		n := l.refs.Load()
		if n > 0 && l.refs.CompareAndSwap(n, n+1) {
			return l
		}
	}
}

func (l *packList) release() {
	if l.refs.Add(-1) > 0 {
		return
	}
	for _, p := range l.packs {
		p.release()
	}
}

// find returns the first pack from number from on that holds h, with a reference,
// where in it, and its own number.
func (l *packList) find(t *packTable, h store.Hash, from int) (p *packFile, offset int64, at int, ok bool) {
	for at, p := range l.packs[from:] {
		if offset, ok := p.index.Find(h); ok && p.acquire() {
			if now := t.clock.Load(); p.used.Load() != now {
				p.used.Store(now)
			}
			return p, offset, from + at, true
		}
	}
	return nil, 0, 0, false
}

// set makes packs the current list, which takes over a reference to each. mu is held.
func (t *packTable) set(packs []*packFile) {
	slices.SortStableFunc(packs, func(a, b *packFile) int {
		if a, b := a.used.Load(), b.used.Load(); a != b {
			if a > b {
				return -1
			}
			return 1
		}
		return b.mtime.Compare(a.mtime)
	})
	t.clock.Add(1)
	l := &packList{packs: packs}
	l.refs.Store(1)
	if old := t.now.Swap(l); old != nil {
		old.release()
	}
}

// change replaces the list by what edit makes of it. Packs that stay keep their
// reference by being acquired again.
func (t *packTable) change(add *packFile, drop func(*packFile) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changeLocked(add, drop)
}

func (t *packTable) changeLocked(add *packFile, drop func(*packFile) bool) {
	var packs []*packFile
	for _, p := range t.now.Load().packs {
		if (add == nil || p.name != add.name) && (drop == nil || !drop(p)) && p.acquire() {
			packs = append(packs, p)
		}
	}
	if add != nil {
		add.used.Store(t.clock.Load() + 1)
		packs = append(packs, add)
	}
	t.set(packs)
}

// rescan looks for packs that others have added or removed, and reports whether
// there is now another list than seen. A miss in a folder that has not
// changed costs one stat.
func (d *Dir) rescan(seen *packList) (changed bool, err error) {
	t := &d.packs
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now.Load() != seen {
		return true, nil
	}
	st, err := os.Stat(d.root.path(packFolder))
	if err != nil {
		return false, temporary(err)
	}
	id := idOf(st)
	if t.settled && id == t.folder {
		return false, nil
	}
	now := time.Now()
	entries, err := os.ReadDir(d.root.path(packFolder))
	if err != nil {
		return false, temporary(err)
	}
	t.folder, t.settled = id, now.Sub(st.ModTime()) > settleTime
	return d.takeListing(entries), nil
}

// takeListing makes the list agree with what is in objects/pack. A pack that cannot
// be opened is left out, and said in the log.
func (d *Dir) takeListing(entries []fs.DirEntry) (changed bool) {
	t := &d.packs
	known := map[string]*packFile{}
	for _, p := range t.now.Load().packs {
		known[p.name] = p
	}
	var packs []*packFile
	for _, e := range entries {
		name, ok := packName(e.Name())
		if !ok {
			continue
		}
		if p := known[name]; p != nil && p.acquire() {
			packs = append(packs, p)
			delete(known, name)
			continue
		}
		p, err := d.openPack(name)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				d.log.Warn("a pack is left out", "repository", string(d.root), "err", err)
			}
			continue
		}
		changed = true
		packs = append(packs, p)
	}
	if !changed && len(known) == 0 {
		for _, p := range packs {
			p.release()
		}
		return false
	}
	t.set(packs)
	return true
}

// notFound is the error for an object that is not there.
func notFound(h store.Hash) error { return fmt.Errorf("object %s: %w", h, fs.ErrNotExist) }
