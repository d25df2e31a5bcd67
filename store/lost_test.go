package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/object"
)

// A moody backend moves branches behind the back of those who commit, and fails now
// and then before or after it has done its work.
type moody struct {
	store.Backend
	mu      sync.Mutex
	r       *rand.Rand
	outside int
}

var errMoody = errors.New("some trouble")

func (m *moody) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	m.mu.Lock()
	mood := m.r.IntN(12)
	at := m.r.IntN(len(changes))
	m.outside++
	n := m.outside
	m.mu.Unlock()
	switch mood {
	case 0, 1, 2:
		branch := store.New(m.Backend, store.Options{}).Branch(changes[at].Name[len("refs/heads/"):])
		err := branch.Update(ctx, change("outside"), write(fmt.Sprint("outside/", n)))
		if err != nil {
			return err
		}
	case 3:
		return errMoody
	case 4:
		return fmt.Errorf("full: %w", store.ErrTemporary)
	case 5:
		panic("moody")
	case 6:
		return errors.Join(m.Backend.Commit(ctx, objs, changes), errMoody)
	}
	return m.Backend.Commit(ctx, objs, changes)
}

// TestNothingLost: whatever happens to the commits of updates of several branches
// at once, one that has been acknowledged is in all of its branches, and one that has
// run to its end is in none or all of them.
func TestNothingLost(t *testing.T) {
	const writers, rounds, branches = 12, 60, 4
	m := &moody{Backend: mem.New(), r: rand.New(rand.NewPCG(1, 2))}
	repo := store.New(m, store.Options{})
	type result struct {
		file string
		in   []string
		err  error
	}
	results := make([][]result, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(3, uint64(w)))
			for n := range rounds {
				u := result{file: fmt.Sprintf("%d-%d", w, n)}
				for _, b := range r.Perm(branches)[:1+r.IntN(2)] {
					u.in = append(u.in, fmt.Sprint("b", b))
				}
				u.err = repo.Update(t.Context(), change("update"), u.in, func(txs map[string]*store.Tx) error {
					for _, tx := range txs {
						if _, err := tx.Lookup(u.file); err == nil {
							t.Errorf("%s runs again on its own result", u.file)
						}
						if err := tx.Put(u.file, []byte(u.file)); err != nil {
							return err
						}
					}
					return nil
				})
				results[w] = append(results[w], u)
			}
		})
	}
	wg.Wait()
	acknowledged := 0
	for _, list := range results {
		for _, u := range list {
			found := 0
			for _, b := range u.in {
				_, err := tree(t, repo.Branch(b)).Lookup(u.file)
				if err == nil {
					found++
				} else if !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
			}
			if u.err == nil {
				acknowledged++
			}
			if found != len(u.in) && (found != 0 || u.err == nil) {
				t.Errorf("%s, whose result was %v, is in %d of %q", u.file, u.err, found, u.in)
			}
		}
	}
	if acknowledged == 0 {
		t.Error("nothing was acknowledged")
	}
	t.Logf("%d of %d acknowledged", acknowledged, writers*rounds)
}
