package store

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/bench/measure"
	"cairn/bench/stock"
	"cairn/store"
	"cairn/store/gitdir"
)

// writers is how many write at once.
const writers = 64

// update measures many writers beside git fast-import, which makes the same
// commits and waits for no disk, and one writer beside two small files.
func (b *bench) update(ctx context.Context, dir string, size int) error {
	d, main, err := fill(ctx, filepath.Join(dir, "ours"), b.corpus)
	if err != nil {
		return err
	}
	defer d.Close()
	base := &stock.Stream{}
	base.Tree(b.corpus)
	git, err := stock.New(ctx, filepath.Join(dir, "git"), base.Data)
	if err != nil {
		return err
	}
	if err := b.many(ctx, d, main, git, size); err != nil {
		return err
	}
	return b.alone(ctx, d, main, dir, size)
}

func (b *bench) many(ctx context.Context, d *gitdir.Dir, main *store.Branch, git stock.Git, size int) error {
	n := b.room.Share(10_000)
	seed := uint64(0)
	ours, peer, err := measure.InTurn(b.room.Rounds,
		func() (float64, error) {
			seed++
			edits := b.corpus.Edits(n, seed)
			began := time.Now()
			if err := applyAll(ctx, main, edits); err != nil {
				return 0, err
			}
			took := time.Since(began)
			return float64(n) / took.Seconds(), d.Maintain(ctx) // what is left must not disturb the other
		},
		func() (float64, error) {
			var stream stock.Stream
			stream.Continue()
			for _, e := range b.corpus.Edits(n, seed) {
				stream.Commit(e)
			}
			began := time.Now()
			err := git.Import(ctx, stream.Data)
			return float64(n) / time.Since(began).Seconds(), err
		})
	b.add("update, 64 writers", size, measure.PerSecond, ours, peer, "git fast-import, no fsync", measure.Goal{Ratio: 1})
	return err
}

// applyAll makes each edit in an update of its own, many at a time.
func applyAll(ctx context.Context, main *store.Branch, edits []stock.Edit) error {
	var (
		group errgroup.Group
		next  atomic.Int64
	)
	for range writers {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(edits) {
					return nil
				}
				if err := apply(ctx, main, edits[i]); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

func (b *bench) alone(ctx context.Context, d *gitdir.Dir, main *store.Branch, dir string, size int) error {
	n := b.room.Share(200)
	seed := uint64(1 << 20)
	ours := func() (float64, error) {
		seed++
		edits := b.corpus.Edits(n, seed)
		began := time.Now()
		for _, e := range edits {
			if err := apply(ctx, main, e); err != nil {
				return 0, err
			}
		}
		took := time.Since(began)
		return took.Seconds() / float64(n), d.Maintain(ctx)
	}
	files := twoFiles{dir: filepath.Join(dir, "files"), data: make([]byte, fileSize)}
	if err := os.Mkdir(files.dir, 0o777); err != nil {
		return err
	}
	for _, c := range []struct {
		tool   string
		folder bool
		goal   measure.Goal
	}{
		{"two files: write, fsync, rename", false, measure.Goal{Ratio: 1.5}},
		{"two files: the same and fsync of the folder", true, measure.Goal{}},
	} {
		files.folder = c.folder
		took, peer, err := measure.InTurn(b.room.Rounds, ours, func() (float64, error) { return files.write(n) })
		if err != nil {
			return err
		}
		b.add("update, one writer", size, measure.Seconds, took, peer, c.tool, c.goal)
	}
	return nil
}

// twoFiles replaces two small files, over and over.
type twoFiles struct {
	dir    string
	data   []byte
	folder bool // sync the folder, too, so that the new names last
}

// write returns the time in seconds that both files take.
func (f *twoFiles) write(n int) (float64, error) {
	began := time.Now()
	for range n {
		for _, name := range []string{"one", "two"} {
			if err := f.replace(filepath.Join(f.dir, name)); err != nil {
				return 0, err
			}
		}
	}
	return time.Since(began).Seconds() / float64(n), nil
}

func (f *twoFiles) replace(name string) error {
	file, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(f.data); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil || !f.folder {
		return err
	}
	folder, err := os.Open(f.dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
