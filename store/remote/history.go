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

// fewCuts is up to how many cuts it does not matter whether they are of any use.
const fewCuts = 256

// forgetCuts forgets cuts that no ref leads to any more: those of branches that have come and gone. It
// does so when there are twice as many as were of use the last time.
func (b *Backend) forgetCuts(ctx context.Context) error {
	b.mu.RLock()
	few := max(b.useful*2, fewCuts)
	b.mu.RUnlock()
	before := b.cuts()
	if len(before) <= few {
		return nil
	}
	useful, seen := map[store.Hash]bool{}, map[store.Hash]bool{}
	var todo []store.Hash
	for _, ref := range b.list("") {
		todo = append(todo, ref.Hash)
	}
	isCut := map[store.Hash]bool{}
	for _, h := range before {
		isCut[h] = true
	}
	for len(todo) > 0 {
		h := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch {
		case seen[h]:
		case isCut[h]:
			useful[h] = true
		default:
			next, err := b.behind(ctx, h)
			if err != nil {
				return err
			}
			todo = append(todo, next...)
		}
		seen[h] = true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range before {
		if !useful[h] {
			delete(b.shallow, h)
		}
	}
	b.useful = len(useful)
	b.dirty = true
	return nil
}

// behind returns what a commit or a tag that is here stands on.
func (b *Backend) behind(ctx context.Context, h store.Hash) ([]store.Hash, error) {
	o, err := b.objects.Held().Object(ctx, h)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	switch o.Type {
	case object.TypeCommit:
		c, err := object.ParseCommit(o.Data)
		if err != nil {
			return nil, err
		}
		return c.Parents, nil
	case object.TypeTag:
		tag, err := object.ParseTag(o.Data)
		if err != nil {
			return nil, err
		}
		return []store.Hash{tag.Object}, nil
	}
	return nil, nil
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
	ok, err := descends(ctx, objs, new, map[store.Hash]bool{old: true}, store.Hash{})
	if err != nil || ok {
		return err
	}
	return errRewound
}

// allowed asks whether a move may be followed: why not, if it may not. History that is needed
// to tell is fetched.
func (b *Backend) allowed(ctx context.Context, m move) (why, err error) {
	if m.vanished {
		return errVanished, nil
	}
	follow := b.options.Follow
	if follow == nil {
		follow = forward
	}
	why = follow(ctx, m.name, m.old, m.new, b.objects)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case isTemporary(why):
		return nil, why
	}
	return why, nil
}

// contains says whether one of some commits is among another's ancestors, or is the other. They are not
// looked for behind floor.
func (b *Backend) contains(ctx context.Context, tip store.Hash, wanted map[store.Hash]bool, floor store.Hash) (bool, error) {
	return descends(ctx, b.objects, tip, wanted, floor)
}

// descends looks for one of some commits among the ancestors of tip, newest first, as far as there are such in
// objs, but not behind floor.
func descends(ctx context.Context, objs store.Objects, tip store.Hash, wanted map[store.Hash]bool, floor store.Hash) (bool, error) {
	if wanted[tip] {
		return true, nil
	}
	seen := map[store.Hash]bool{tip: true, floor: true}
	var queue ancestors
	add := func(h store.Hash) error {
		o, err := objs.Object(ctx, h)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || o.Type != object.TypeCommit {
			return err // what is not a commit has no ancestors
		}
		c, err := object.ParseCommit(o.Data)
		if err != nil {
			return err
		}
		heap.Push(&queue, c)
		return nil
	}
	if err := add(tip); err != nil {
		return false, err
	}
	for len(queue) > 0 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		c := heap.Pop(&queue).(ancestor)
		for _, p := range c.Parents {
			if wanted[p] {
				return true, nil
			}
			if seen[p] {
				continue
			}
			seen[p] = true
			if err := add(p); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

type ancestor = *object.Commit

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
