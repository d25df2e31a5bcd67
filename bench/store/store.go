// Package store measures the store on disk: updates, reads, diffs and what many
// updates leave behind.
package store

import (
	"context"

	"cairn/bench/measure"
	"cairn/bench/stock"
	"cairn/store"
	"cairn/store/gitdir"
)

// fileSize is that of the small files in all of these benchmarks, in bytes.
const fileSize = 200

// Run measures at each size.
func Run(ctx context.Context, room *measure.Room) error {
	for _, size := range room.Sizes {
		b := bench{room: room, corpus: stock.Corpus{Files: size, Size: fileSize}}
		for _, stage := range []struct {
			name string
			run  func(ctx context.Context, dir string, size int) error
		}{
			{"update", b.update},
			{"read", b.read},
			{"growth", b.growth},
		} {
			if err := room.Stage(ctx, stage.name, size, stage.run); err != nil {
				return err
			}
		}
	}
	return nil
}

// A bench is the benchmarks at one size.
type bench struct {
	room   *measure.Room
	corpus stock.Corpus
}

func (b *bench) add(work string, size int, unit measure.Unit, ours, peer []float64, tool string, goal measure.Goal) {
	b.room.Add(measure.Result{Work: work, Size: size, Unit: unit, Ours: ours, Peer: peer, Tool: tool, Goal: goal})
}

// change is what the commits of these benchmarks say.
var change = store.Change{Message: "edit"}

// fill makes a repository with a branch main that holds the corpus.
func fill(ctx context.Context, dir string, c stock.Corpus) (*gitdir.Dir, *store.Branch, error) {
	if err := gitdir.Init(dir); err != nil {
		return nil, nil, err
	}
	d, err := gitdir.Open(dir, gitdir.Options{})
	if err != nil {
		return nil, nil, err
	}
	main := store.New(d, store.Options{}).Branch("main")
	err = main.Update(ctx, change, func(tx *store.Tx) error {
		for e := range c.All {
			if err := tx.Put(e.Path, e.Data); err != nil {
				return err
			}
		}
		return nil
	})
	return d, main, err
}

// apply is the update that makes one edit.
func apply(ctx context.Context, b *store.Branch, e stock.Edit) error {
	return b.Update(ctx, change, func(tx *store.Tx) error { return tx.Put(e.Path, e.Data) })
}
