package gitdir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/pack"
)

// mergeSmall merges packs as long as there are too many.
func (d *Dir) mergeSmall(ctx context.Context) error {
	for {
		merged, err := d.mergeOnce(ctx)
		var bad *packError
		if errors.As(err, &bad) && errors.Is(err, pack.ErrFormat) {
			d.log.Warn("a damaged pack is left unmerged: run git fsck", "repository", string(d.root), "err", err)
			d.damaged[bad.name], err = true, nil
		}
		if err != nil || !merged {
			return err
		}
	}
}

func (d *Dir) mergeOnce(ctx context.Context) (merged bool, err error) {
	free, err := d.freePacks()
	if err != nil {
		return false, err
	}
	defer func() {
		for _, p := range free {
			p.release()
		}
	}()
	slices.SortFunc(free, func(a, b *packFile) int { return a.index.Len() - b.index.Len() })
	counts := make([]int, len(free))
	for i, p := range free {
		counts[i] = p.index.Len()
	}
	n := chooseMerge(counts)
	if n < 2 {
		return false, nil
	}
	return true, d.mergePacks(ctx, free[:n])
}

// freePacks returns the packs that maintenance may replace, with references: those
// without .keep, and without a file that gives them a meaning of their own (cruft,
// partial clones).
func (d *Dir) freePacks() ([]*packFile, error) {
	list := d.packs.acquire()
	defer list.release()
	if _, err := d.rescan(list); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(d.root.path(packFolder))
	if err != nil {
		return nil, temporary(err)
	}
	special := map[string]bool{}
	for _, e := range entries {
		if ext := path.Ext(e.Name()); ext == ".keep" || ext == ".mtimes" || ext == ".promisor" && !d.partial {
			special[path.Join(packFolder, strings.TrimSuffix(e.Name(), ext))] = true
		}
	}
	now := d.packs.acquire()
	defer now.release()
	var free []*packFile
	for _, p := range now.packs {
		if !special[p.name] && !d.damaged[p.name] && !d.tooLargeToMerge(p) && p.acquire() {
			free = append(free, p)
		}
	}
	return free, nil
}

// mergePacks replaces packs by one that holds the same objects.
func (d *Dir) mergePacks(ctx context.Context, packs []*packFile) error {
	merged, err := d.writeMerged(ctx, packs, nil)
	if err != nil {
		return err
	}
	defer merged.settle()
	d.dropPacks(packs, merged.name)
	return nil
}

// writeMerged writes and publishes the pack with those objects of packs that keep
// wants (nil: all). Without any there is no pack and the publication is empty.
func (d *Dir) writeMerged(ctx context.Context, packs []*packFile, keep func(store.Hash) bool) (publication, error) {
	s, err := d.stageMerged(ctx, packs, keep)
	if err != nil {
		return publication{}, err
	}
	defer s.discard()
	if err := s.sync(); err != nil {
		return publication{}, err
	}
	return s.publish(ctx)
}

// stageMerged writes the pack that writeMerged publishes.
func (d *Dir) stageMerged(ctx context.Context, packs []*packFile, keep func(store.Hash) bool) (*stage, error) {
	own, err := d.reopen(packs)
	defer func() {
		for _, p := range own {
			p.release()
		}
	}()
	if err != nil {
		return nil, err
	}
	set, err := newMergeSet(ctx, own, keep)
	if err != nil {
		return nil, err
	}
	if err := set.arrange(ctx); err != nil {
		return nil, err
	}
	s := &stage{d: d}
	if len(set.order) == 0 {
		return s, nil
	}
	if err := s.addMerged(ctx, set.items()); err != nil {
		s.discard()
		return nil, err
	}
	return s, nil
}

// reopen opens packs once more, to be read beside the cache that serves others.
func (d *Dir) reopen(packs []*packFile) (own []*packFile, err error) {
	cache := pack.NewBaseCache(mergeCache)
	for _, p := range packs {
		o, err := d.openPackWith(p.name, cache)
		if err != nil {
			return own, err
		}
		own = append(own, o)
	}
	return own, nil
}

// addMerged adds a pack of items and its index. It comes first.
func (s *stage) addMerged(ctx context.Context, items []pack.Item) error {
	f, err := s.create()
	if err != nil {
		return err
	}
	sum, entries, err := pack.Merge(ctx, f, items)
	if err != nil {
		return temporary(err)
	}
	s.sum, s.objects = sum, len(entries)
	_, err = s.addFile(pack.AppendIndex(nil, entries, sum))
	return err
}

// dropPacks removes packs whose objects are all in those called into, or not
// wanted; but none of into, nor what has got a .keep file in the meantime.
func (d *Dir) dropPacks(packs []*packFile, into ...string) {
	drop := map[string]bool{}
	for _, p := range packs {
		if _, err := os.Lstat(d.root.path(p.name + ".keep")); !slices.Contains(into, p.name) && errors.Is(err, fs.ErrNotExist) {
			drop[p.name] = true
		}
	}
	d.packs.change(nil, func(p *packFile) bool { return drop[p.name] })
	if len(drop) > 0 {
		d.removeMultiIndex()
	}
	for name := range drop {
		d.removePack(name)
	}
	d.log.Debug("replaced packs", "repository", string(d.root), "packs", len(drop), "by", into)
}

// removeMultiIndex removes git's index over many packs, as git repack does before it
// removes packs that are in it: git fsck takes these for lost. It holds nothing of its own.
func (d *Dir) removeMultiIndex() {
	for _, name := range []string{"multi-pack-index", "multi-pack-index.d/multi-pack-index-chain"} {
		name = path.Join(packFolder, name)
		if _, err := os.Lstat(d.root.path(name)); err == nil {
			d.disk.remove(name)
		}
	}
}
