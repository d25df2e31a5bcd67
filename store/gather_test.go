package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A slow backend takes as long for a commit as a push does.
type slow struct {
	*mem.Backend
	took    time.Duration
	commits int
}

func (s *slow) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	time.Sleep(s.took)
	s.commits++
	return s.Backend.Commit(ctx, objs, changes)
}

// Writers that come back as soon as a slow commit has released them all go into the next one,
// although their functions run one after another.
func TestGatherForSlowCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const writers, rounds = 32, 20
		b := &slow{Backend: mem.New(), took: 25 * time.Millisecond}
		main := store.New(b, store.Options{}).Branch("main")
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for range rounds {
					err := main.Update(t.Context(), change("write"), func(tx *store.Tx) error {
						time.Sleep(250 * time.Microsecond)
						return tx.Put(fmt.Sprint("f", w), fmt.Append(nil, time.Now()))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if most := rounds + rounds/4; b.commits > most {
			t.Errorf("%d rounds of %d writers took %d commits, want at most %d", rounds, writers, b.commits, most)
		}
	})
}
