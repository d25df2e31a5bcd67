package remote

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
)

// How history ends
//
// A branch that is new here comes with its newest commit. That commit's parents are not
// here: it is a cut. Who reads such a parent has the history behind the cut fetched, more
// of it each time, with its trees and, where the host can leave them out, without its files.

// firstDepth is how many commits come when the first missing one is read; each time in a row it
// is four times as many.
const firstDepth = 256

// cuts are the commits that are here without their parents.
func (b *Backend) cuts() []store.Hash {
	b.mu.RLock()
	defer b.mu.RUnlock()
	cuts := make([]store.Hash, 0, len(b.shallow))
	for h := range b.shallow {
		cuts = append(cuts, h)
	}
	return cuts
}

// cut notes what a fetch says of the ends of history.
func (b *Backend) cut(ctx context.Context, shallow, unshallow []store.Hash) {
	if len(shallow)+len(unshallow) == 0 {
		return
	}
	parents := map[store.Hash][]store.Hash{}
	for _, h := range shallow {
		if c, err := b.commitHere(ctx, h); err == nil {
			parents[h] = c.Parents
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for h, list := range parents {
		b.shallow[h] = list
	}
	for _, h := range unshallow {
		delete(b.shallow, h)
	}
	b.dirty = true
}

// endsBefore returns the cuts that a commit lies behind.
func (b *Backend) endsBefore(h store.Hash) (ends []store.Hash) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for end, parents := range b.shallow {
		for _, p := range parents {
			if p == h {
				ends = append(ends, end)
			}
		}
	}
	return ends
}

// lengthen fetches history behind cuts.
func (b *Backend) lengthen(ctx context.Context, ends []store.Hash) error {
	able, err := b.able(ctx)
	if err != nil {
		return err
	}
	f := gitwire.FetchRequest{Objects: ends, Depth: b.nextDepth()}
	if able.Filter {
		f.Filter = "blob:none"
	}
	if err := b.fetch(ctx, f, slow*b.options.Timeout); err != nil {
		return fmt.Errorf("fetch history: %w", err)
	}
	return nil
}

func (b *Backend) nextDepth() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.depth == 0 {
		b.depth = firstDepth
	}
	d := b.depth
	b.depth = min(4*d, gitwire.FullDepth)
	return d
}

// commitHere reads a commit if it is here; fs.ErrNotExist otherwise.
func (b *Backend) commitHere(ctx context.Context, h store.Hash) (*object.Commit, error) {
	o, err := b.objects.Held().Object(ctx, h)
	if err != nil {
		return nil, err
	}
	if o.Type != object.TypeCommit {
		return nil, &store.TypeError{Hash: h, Want: object.TypeCommit}
	}
	return object.ParseCommit(o.Data)
}

// errRewound says that a branch has lost commits.
var errRewound = errors.New("commits have been taken out")

// errVanished says that the host shows an empty repository where there was a full one.
var errVanished = errors.New("the host shows no refs at all")

// forward is the rule for refs when Options.Follow is nil.
func forward(ctx context.Context, ref string, old, new store.Hash, objs store.Objects) error {
	if old.IsZero() || new.IsZero() || !strings.HasPrefix(ref, "refs/heads/") {
		return nil
	}
	ok, cut, err := descends(ctx, objs, new, old, store.Hash{})
	switch {
	case err != nil:
		return err
	case ok:
		return nil
	case len(cut) > 0:
		return fs.ErrNotExist
	}
	return errRewound
}

// allowed asks whether a move may be followed: why not, if it may not. More history is
// fetched when that is needed to tell.
func (b *Backend) allowed(ctx context.Context, m move) (why, err error) {
	if m.vanished {
		return errVanished, nil
	}
	follow := b.options.Follow
	if follow == nil {
		follow = forward
	}
	for {
		why = follow(ctx, m.name, m.old, m.new, b.objects.Held())
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !errors.Is(why, fs.ErrNotExist) {
			return why, nil
		}
		_, cut, err := descends(ctx, b.objects.Held(), m.new, store.Hash{}, store.Hash{})
		if err != nil {
			return nil, err
		}
		if len(cut) == 0 {
			return why, nil
		}
		if err := b.lengthen(ctx, cut); err != nil {
			return nil, err
		}
	}
}

// contains says whether a commit is among another's ancestors, or is the other. It is not
// looked for behind floor.
func (b *Backend) contains(ctx context.Context, tip, wanted, floor store.Hash) (bool, error) {
	for {
		ok, cut, err := descends(ctx, b.objects.Held(), tip, wanted, floor)
		if ok || err != nil || len(cut) == 0 {
			return ok, err
		}
		if err := b.lengthen(ctx, cut); err != nil {
			return false, err
		}
	}
}

// descends looks for a commit among the ancestors of tip, newest first, as far as they are here, but
// not behind floor. cut are commits beyond which they are not here.
func descends(ctx context.Context, objs store.Objects, tip, wanted, floor store.Hash) (ok bool, cut []store.Hash, err error) {
	if tip == wanted {
		return true, nil, nil
	}
	seen := map[store.Hash]bool{tip: true, floor: true}
	var queue ancestors
	add := func(h, child store.Hash) error {
		o, err := objs.Object(ctx, h)
		if errors.Is(err, fs.ErrNotExist) {
			cut = append(cut, child)
			return nil
		}
		if err != nil || o.Type != object.TypeCommit {
			return err // what is not a commit has no ancestors
		}
		c, err := object.ParseCommit(o.Data)
		if err != nil {
			return err
		}
		heap.Push(&queue, ancestor{h, c})
		return nil
	}
	if err := add(tip, tip); err != nil {
		return false, nil, err
	}
	for len(queue) > 0 {
		if err := ctx.Err(); err != nil {
			return false, nil, err
		}
		c := heap.Pop(&queue).(ancestor)
		for _, p := range c.Parents {
			if p == wanted {
				return true, nil, nil
			}
			if seen[p] {
				continue
			}
			seen[p] = true
			if err := add(p, c.hash); err != nil {
				return false, nil, err
			}
		}
	}
	return false, cut, nil
}

type ancestor struct {
	hash store.Hash
	*object.Commit
}

// ancestors is a queue of commits, newest first.
type ancestors []ancestor

func (q ancestors) Len() int           { return len(q) }
func (q ancestors) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q ancestors) Less(i, j int) bool { return q[i].Committer.When.After(q[j].Committer.When) }
func (q *ancestors) Push(x any)        { *q = append(*q, x.(ancestor)) }
func (q *ancestors) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}
