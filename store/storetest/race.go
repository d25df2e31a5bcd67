package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"cairn/store"
)

// testRacingModel has many make random changes to a few branches at the same
// time, through two Repos that do not know of each other. Each change can be
// made again from its seed, which is in the commit's message: so the log of a
// branch, played back to a model, must give the trees of its commits.
func testRacingModel(t *testing.T, b store.Backend) {
	const writers, rounds = 8, 12
	names := []string{"a", "b", "c"}
	var mu sync.Mutex
	made := map[string][]uint64{} // by branch, in no order
	var wg sync.WaitGroup
	repos := []*store.Repo{store.New(b, store.Options{CacheBytes: 256 << 10}), store.New(b, store.Options{})}
	for w := range writers {
		wg.Go(func() {
			for range rounds {
				seed := rand.Uint64()
				branches := slices.Clone(names)
				rand.Shuffle(len(branches), func(i, j int) { branches[i], branches[j] = branches[j], branches[i] })
				branches = branches[:1+rand.IntN(2)]
				err := repos[w%2].Update(context.Background(), change("%d", seed), branches, func(txs map[string]*store.Tx) error {
					for _, tx := range txs {
						if err := play(tx, seed); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Errorf("update of %q: %v", branches, err)
				}
				mu.Lock()
				for _, name := range branches {
					made[name] = append(made[name], seed)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		replay(t, store.New(b, store.Options{}).Branch(name), made[name])
	}
}

// play makes the changes of a seed, and one that is never nothing.
func play(tx *store.Tx, seed uint64) error {
	for _, o := range randomOps(rand.New(rand.NewPCG(seed, 0))) {
		if _, err := o.inTx(tx); err != nil {
			return err
		}
	}
	return tx.Put(fmt.Sprintf("seeds/%d", seed), nil)
}

// replay plays a branch's log to a model and checks that it holds each of the
// seeds once.
func replay(t *testing.T, b *store.Branch, seeds []uint64) {
	t.Helper()
	var revs []store.Revision
	for rev, err := range b.Log(soon(t), "") {
		if err != nil {
			t.Fatal(err)
		}
		revs = append(revs, rev)
	}
	var got []uint64
	files := map[string]string{}
	for _, rev := range slices.Backward(revs) {
		var seed uint64
		if _, err := fmt.Sscan(rev.Message, &seed); err != nil {
			t.Fatal(err)
		}
		got = append(got, seed)
		for _, o := range randomOps(rand.New(rand.NewPCG(seed, 0))) {
			o.inModel(files)
		}
		files[fmt.Sprintf("seeds/%d", seed)] = ""
		tree, err := b.Repo().Tree(soon(t), rev.Hash)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, tree, files)
		if t.Failed() {
			return
		}
	}
	slices.Sort(got)
	slices.Sort(seeds)
	if !slices.Equal(got, seeds) {
		t.Errorf("branch %s: got %d commits, want the %d that were acknowledged", b.Name(), len(got), len(seeds))
	}
}
