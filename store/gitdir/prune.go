package gitdir

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"cairn/store"
)

// Garbage goes in two steps. What nothing refers to is first moved into a pack that is
// marked as cruft (a .mtimes file, gitformat-pack(5)); there it can be read
// as before, is not merged, and the age of the pack is how long it has been
// unreferenced at least. When that exceeds the grace, what is referred to again is
// copied out and the rest removed.
//
// Nobody is hurt by that: a writer who is about to refer to an object has
// seen it referred to, and not weeks ago, so that it is in no cruft pack old enough to
// go. What a writer has just written but not yet referred to, be it a Cairn or
// a git push, is in packs with .keep files, which are not looked at, or loose, or
// else only begins its time. A git that finds an object which it needs
// again in a cruft pack renews that pack's date.

// defaultGrace is git's gc.pruneExpire.
const defaultGrace = 14 * 24 * time.Hour

// pruneEvery is how often garbage is looked for: it means reading all of history.
const pruneEvery = 24 * time.Hour

// prunedFile bears the time of the last prune.
const prunedFile = ownFolder + "/pruned"

// prune looks for garbage when that is due.
func (d *Dir) prune(ctx context.Context) error {
	st, err := os.Stat(d.root.path(prunedFile))
	if err == nil && time.Since(st.ModTime()) < pruneEvery {
		return nil
	}
	first := errors.Is(err, fs.ErrNotExist)
	if f, err := os.Create(d.root.path(prunedFile)); err != nil {
		return temporary(err)
	} else if err := f.Close(); err != nil || first {
		return temporary(err)
	}
	return d.pruneAt(ctx, time.Now())
}

// pruneAt removes what has been garbage for the grace at the time now, and puts new
// garbage aside.
func (d *Dir) pruneAt(ctx context.Context, now time.Time) error {
	if left, _ := os.ReadDir(d.root.path("worktrees")); len(left) > 0 {
		return nil // they refer to objects in ways of their own
	}
	// The packs first: one without .keep has the refs that need it by now.
	free, err := d.freePacks()
	if err != nil {
		return err
	}
	defer func() {
		for _, p := range free {
			p.release()
		}
	}()
	marked, err := d.mark(ctx)
	if err != nil {
		return fmt.Errorf("look for garbage: %w", err)
	}
	if err := d.expireCruft(ctx, marked, now); err != nil {
		return fmt.Errorf("remove garbage: %w", err)
	}
	if err := d.putAside(ctx, free, marked); err != nil {
		return fmt.Errorf("put garbage aside: %w", err)
	}
	return nil
}

// putAside moves what is not marked out of packs into a new cruft pack.
func (d *Dir) putAside(ctx context.Context, free []*packFile, marked *marking) error {
	var dirty []*packFile
	for _, p := range free {
		for h := range p.index.All() {
			if !marked.has(h) {
				dirty = append(dirty, p)
				break
			}
		}
	}
	if len(dirty) == 0 {
		return nil
	}
	rest, err := d.writeMerged(ctx, dirty, marked.has)
	if err != nil {
		return err
	}
	defer rest.settle()
	cruft, err := d.writeCruft(ctx, dirty, func(h store.Hash) bool { return !marked.has(h) })
	if err != nil {
		return err
	}
	defer cruft.settle()
	d.dropPacks(dirty, rest.name, cruft.name)
	return nil
}

// expireCruft removes cruft packs that are older than the grace.
func (d *Dir) expireCruft(ctx context.Context, marked *marking, now time.Time) error {
	list := d.packs.acquire()
	defer list.release()
	for _, p := range list.packs {
		if !d.cruftBefore(p, now.Add(-d.grace)) {
			continue
		}
		rescued, err := d.writeMerged(ctx, []*packFile{p}, marked.has)
		if err != nil {
			return err
		}
		if d.cruftBefore(p, now.Add(-d.grace)) { // nobody has renewed it
			d.dropPacks([]*packFile{p}, rescued.name)
		}
		rescued.settle()
	}
	return nil
}

// cruftBefore reports whether a pack is cruft and has been since before t.
func (d *Dir) cruftBefore(p *packFile, t time.Time) bool {
	for _, ext := range []string{".mtimes", ".pack"} {
		if st, err := os.Stat(d.root.path(p.name + ext)); err != nil || st.ModTime().After(t) {
			return false
		}
	}
	return true
}

// writeCruft is writeMerged for a pack that is marked as cruft.
func (d *Dir) writeCruft(ctx context.Context, packs []*packFile, keep func(store.Hash) bool) (publication, error) {
	s, err := d.stageMerged(ctx, packs, keep)
	if err != nil {
		return publication{}, err
	}
	defer s.discard()
	if s.sum.IsZero() {
		return publication{}, nil
	}
	temp, err := s.addFile(mtimes(s.objects, s.sum, time.Now()))
	if err != nil {
		return publication{}, err
	}
	if err := s.sync(); err != nil {
		return publication{}, err
	}
	name := packFolder + "/pack-" + s.sum.String() + ".mtimes"
	if err := d.disk.rename(temp, name); err != nil {
		return publication{}, temporary(err)
	}
	p, err := s.publish(ctx)
	if err != nil {
		d.disk.remove(name)
	}
	return p, err
}

// mtimes makes the content of a .mtimes file for a pack of n objects, all of the
// same time (gitformat-pack(5)).
func mtimes(n int, packSum store.Hash, t time.Time) []byte {
	b := append([]byte("MTME"), 0, 0, 0, 1, 0, 0, 0, 1)
	for range n {
		b = binary.BigEndian.AppendUint32(b, uint32(t.Unix()))
	}
	b = append(b, packSum[:]...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}
