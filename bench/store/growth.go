package store

import (
	"context"
	"path/filepath"
	"time"

	"cairn/bench/measure"
	"cairn/bench/stock"
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
	defer d.Close()
	stop := measure.Heap()
	began := time.Now()
	for n := 0; n < size; n += 10_000 {
		if err := applyAll(ctx, main, c.Edits(min(size-n, 10_000), uint64(n))); err != nil {
			return err
		}
	}
	if err := d.Maintain(ctx); err != nil {
		return err
	}
	rate := float64(size) / time.Since(began).Seconds()
	heap := stop()
	ours, err := stock.Bytes(filepath.Join(repo, "objects"))
	if err != nil {
		return err
	}
	gits, err := collect(ctx, repo, filepath.Join(dir, "copy"))
	if err != nil {
		return err
	}
	b.add("repository after so many updates", size, measure.Bytes, []float64{float64(ours)}, []float64{float64(gits)}, "git gc of a copy", measure.Goal{Ratio: 1.5})
	b.add("heap at most, while updating and merging", size, measure.Bytes, []float64{heap}, nil, "", measure.Goal{Value: 256 << 20})
	b.add("updates with all merging paid", size, measure.PerSecond, []float64{rate}, nil, "", measure.Goal{})
	return nil
}

// collect returns the size in bytes of a repository's copy after git gc.
func collect(ctx context.Context, repo, dir string) (int64, error) {
	git := stock.Git{Dir: dir}
	if _, err := git.Run(ctx, nil, "clone", "-q", "--mirror", "--no-local", repo, dir); err != nil {
		return 0, err
	}
	if _, err := git.Run(ctx, nil, "gc", "-q", "--prune=now"); err != nil {
		return 0, err
	}
	return stock.Bytes(filepath.Join(dir, "objects"))
}
