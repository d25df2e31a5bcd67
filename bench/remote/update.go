package remote

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"cairn/bench/measure"
	"cairn/bench/stock"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/gitwire"
	"cairn/store/object"
	"cairn/store/remote"
)

// writers is how many write at once.
const writers = 64

const fileSize = 200

// A place is a repository at a far host, and a replica of it here.
type place struct {
	far    *far
	host   *gitwire.Remote
	corpus stock.Corpus
	branch *store.Branch
	pushes atomic.Int64
	close  func()
}

func (p *place) observe(e remote.Event) {
	if e.Kind == remote.Pushed {
		p.pushes.Add(1)
	}
}

// newPlace makes both. The replica keeps objects in so many bytes of memory.
func newPlace(ctx context.Context, dir string, size int, bytes int64) (*place, error) {
	p := &place{corpus: stock.Corpus{Files: size, Size: fileSize}}
	git, err := fill(ctx, filepath.Join(dir, "host.git"), p.corpus)
	if err != nil {
		return nil, err
	}
	d, err := gitdir.Open(git.Dir, gitdir.Options{})
	if err != nil {
		return nil, err
	}
	if p.far, err = newFar(d); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if p.host, err = p.far.client().Remote(p.far.url); err != nil {
		return nil, err
	}
	b, err := remote.Open(ctx, remote.Options{Host: p.host, Bytes: bytes, Observe: p.observe})
	if err != nil {
		return nil, err
	}
	p.branch = store.New(b, store.Options{}).Branch("main")
	p.close = func() {
		b.Close()
		p.host.Close()
		p.far.close()
		d.Close()
	}
	return p, nil
}

// update measures durable updates by many writers beside a push for each write, one after
// another, by stock git.
func (b *bench) update(ctx context.Context, dir string, size int) error {
	p, err := newPlace(ctx, dir, size, 64<<20)
	if err != nil {
		return err
	}
	defer p.close()
	peer, stop, err := b.peer(ctx, dir, p)
	if err != nil {
		return err
	}
	defer stop()
	n := b.room.Share(3000)
	seed := uint64(0)
	var latencies, bare, shares []float64
	ours, theirs, err := measure.InTurn(b.room.Rounds,
		func() (float64, error) {
			seed++
			before := p.pushes.Load()
			began := time.Now()
			took, err := p.write(ctx, p.corpus.Edits(n, seed))
			if err != nil {
				return 0, err
			}
			all := time.Since(began)
			trip, err := p.bare(ctx)
			if err != nil {
				return 0, err
			}
			latencies, bare = append(latencies, measure.Median(took)), append(bare, trip)
			shares = append(shares, float64(n)/float64(p.pushes.Load()-before))
			return float64(n) / all.Seconds(), nil
		}, peer)
	const tool = "git push for each, one at a time"
	b.add("durable update 20 ms away, 64 writers", size, measure.PerSecond, ours, theirs, tool, measure.Goal{Value: 500})
	b.add("one of them, median", size, measure.Seconds, latencies, bare, "a request that lists one ref", measure.Goal{Ratio: 1.5})
	fmt.Fprintf(b.room.Log, "updates in one push: %.1f\n", measure.Median(shares))
	return err
}

// bare is how long a request takes that costs nobody anything, in seconds: a round trip.
func (p *place) bare(ctx context.Context) (float64, error) {
	var took []float64
	for range 5 {
		began := time.Now()
		if _, err := p.host.Refs(ctx, "refs/heads/main"); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began).Seconds())
	}
	return measure.Median(took), nil
}

// write makes each edit in an update of its own, many at a time, and returns how
// long each took, in seconds.
func (p *place) write(ctx context.Context, edits []stock.Edit) ([]float64, error) {
	took := make([]float64, len(edits))
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
				began := time.Now()
				if err := p.apply(ctx, edits[i]); err != nil {
					return err
				}
				took[i] = time.Since(began).Seconds()
			}
		})
	}
	err := group.Wait()
	return took, err
}

func (p *place) apply(ctx context.Context, e stock.Edit) error {
	who := store.Change{Author: object.Signature{Name: "A", Email: "a@example.org"}, Message: "edit"}
	return p.branch.Update(ctx, who, func(tx *store.Tx) error { return tx.Put(e.Path, e.Data) })
}

// peer pushes commits that are there already, each for itself, and returns how many in a
// second.
func (b *bench) peer(ctx context.Context, dir string, p *place) (turn func() (float64, error), stop func(), err error) {
	url, stop, err := p.far.door()
	if err != nil {
		return nil, nil, err
	}
	git, err := fill(ctx, filepath.Join(dir, "git"), p.corpus)
	if err != nil {
		stop()
		return nil, nil, err
	}
	n := b.room.Share(20)
	seed := uint64(1 << 20)
	return func() (float64, error) {
		seed++
		var s stock.Stream
		s.Continue()
		for _, e := range p.corpus.Edits(n, seed) {
			s.Commit(e)
		}
		if err := git.Import(ctx, s.Data); err != nil {
			return 0, err
		}
		list, err := git.Run(ctx, nil, "rev-list", "--reverse", fmt.Sprintf("--max-count=%d", n), "main")
		if err != nil {
			return 0, err
		}
		began := time.Now()
		for commit := range strings.FieldsSeq(list) {
			if _, err := git.Run(ctx, nil, "push", "-q", url, commit+":refs/heads/peer"); err != nil {
				return 0, err
			}
		}
		return float64(n) / time.Since(began).Seconds(), nil
	}, stop, nil
}

// heapParts is after how many parts of the updates the heap is looked at.
const heapParts = 10

// heap writes for long and looks at what stays in memory: of the host too, which is in the same
// process and may be merging packs just then.
func (b *bench) heap(ctx context.Context, dir string, size int) error {
	p, err := newPlace(ctx, dir, size, 16<<20)
	if err != nil {
		return err
	}
	defer p.close()
	n := b.room.Share(50_000) / heapParts
	var live []float64
	for part := range heapParts {
		if _, err := p.write(ctx, p.corpus.Edits(n, uint64(part))); err != nil {
			return err
		}
		live = append(live, measure.Live())
		fmt.Fprintf(b.room.Log, "heap after %d updates: %.1f MiB\n", (part+1)*n, live[part]/(1<<20))
	}
	first, second := live[:heapParts/2], live[heapParts/2:]
	b.add(fmt.Sprintf("heap in the second half of %d updates", heapParts*n), size, measure.Bytes, second, first, "in the first", measure.Goal{Ratio: 1.2})
	return nil
}
