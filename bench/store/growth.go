package store

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"cairn/bench/measure"
	"cairn/bench/stock"
	"cairn/store/gitdir"
)

// growth makes as many updates as size says in a tree of up to 10,000 files, and
// compares what that leaves with what git gc makes of a copy.
func (b *bench) growth(ctx context.Context, dir string, size int) error {
	repo := filepath.Join(dir, "repo")
	c := stock.Corpus{Files: min(size, 10_000), Size: fileSize}
	d, main, err := fill(ctx, repo, c)
	if err != nil {
		return err
	}
	stop := measure.Heap()
	began := time.Now()
	for n := 0; n < size && err == nil; n += 10_000 {
		err = applyAll(ctx, main, c.Edits(min(size-n, 10_000), uint64(n)))
	}
	if err == nil {
		err = d.Maintain(ctx)
	}
	rate := float64(size) / time.Since(began).Seconds()
	heap := stop()
	if err := errors.Join(err, d.Close()); err != nil {
		return err
	}
	ours, err := stock.Bytes(filepath.Join(repo, "objects"))
	if err != nil {
		return err
	}
	git := stock.Git{Dir: filepath.Join(dir, "copy")}
	gits, err := collect(ctx, repo, git)
	if err != nil {
		return err
	}
	merging, err := mergeHeap(ctx, git)
	if err != nil {
		return err
	}
	b.add("repository after so many updates", size, measure.Bytes, []float64{float64(ours)}, []float64{float64(gits)}, "git gc of a copy", measure.Goal{Ratio: 1.5})
	b.add("heap, merging all of it at once", size, measure.Bytes, []float64{merging}, nil, "", measure.Goal{Value: 256 << 20})
	b.add("heap, updating and merging, with all caches", size, measure.Bytes, []float64{heap}, nil, "", measure.Goal{})
	b.add("updates with all merging paid", size, measure.PerSecond, []float64{rate}, nil, "", measure.Goal{})
	return nil
}

// collect makes git a copy of a repository and returns its size in bytes after git gc.
func collect(ctx context.Context, repo string, git stock.Git) (int64, error) {
	if _, err := git.Run(ctx, nil, "clone", "-q", "--mirror", "--no-local", repo, git.Dir); err != nil {
		return 0, err
	}
	if _, err := git.Run(ctx, nil, "gc", "-q", "--prune=now"); err != nil {
		return 0, err
	}
	return stock.Bytes(filepath.Join(git.Dir, "objects"))
}

// mergeHeap cuts a repository into small packs and returns the largest heap, in
// bytes, while they are merged and nothing else happens.
func mergeHeap(ctx context.Context, git stock.Git) (float64, error) {
	if _, err := git.Run(ctx, nil, "repack", "-q", "-a", "-d", "--max-pack-size=1m", "--window=0"); err != nil {
		return 0, err
	}
	d, err := gitdir.Open(git.Dir, gitdir.Options{NoMaintenance: true})
	if err != nil {
		return 0, err
	}
	defer d.Close()
	stop := measure.Heap()
	err = d.Maintain(ctx)
	return stop(), err
}
