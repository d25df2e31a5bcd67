package gitwire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"cairn/store"
	"cairn/store/object"
)

// A reach answers which objects can be reached from a set of refs. It searches
// newest commit first, each commit's trees breadth first, looks at nothing
// twice, stops as soon as a question is answered and goes on from there with
// the next. One goroutine uses it, for one request.
//
// An object that is absent and one that is present but out of reach take the
// same whole search, so that the time an answer takes says nothing of what
// other users keep. Memory is about 40 bytes per object looked at, up to
// maxReach objects.
type reach struct {
	g    *graph
	tips []store.Hash
	key  searchKey // for keptSearches

	seen    map[store.Hash]struct{} // found reachable so far, tips included
	pending map[store.Hash]struct{} // asked for and not yet seen

	started bool
	queue   commitQueue // commits whose parents have not been looked at
	order   []int32     // commits whose trees have not been looked at, newest first
	trees   []store.Hash
}

// maxReach is how many objects one search looks at before it gives up.
const maxReach = 8 << 20

// errReach says that a search has been given up.
var errReach = badRequest("more than %d objects to search, give up", maxReach)

// newReach prepares a search from refs. Reading begins with the first question
// that the refs themselves do not answer.
func newReach(g *graph, refs []store.Ref) *reach {
	r := &reach{g: g, seen: make(map[store.Hash]struct{}), queue: commitQueue{g: g}}
	for _, ref := range refs {
		if _, dup := r.seen[ref.Hash]; !dup && !ref.Hash.IsZero() {
			r.seen[ref.Hash] = struct{}{}
			r.tips = append(r.tips, ref.Hash)
		}
	}
	return r
}

// missing returns those of wanted that cannot be reached, in their order.
func (r *reach) missing(ctx context.Context, wanted []store.Hash) ([]store.Hash, error) {
	r.pending = make(map[store.Hash]struct{})
	var first store.Hash
	for _, h := range wanted {
		if _, ok := r.seen[h]; !ok {
			if len(r.pending) == 0 {
				first = h
			}
			r.pending[h] = struct{}{}
		}
	}
	if len(r.pending) == 0 {
		return nil, nil
	}
	if err := r.search(ctx, first); err != nil {
		return nil, fmt.Errorf("search reachable objects: %w", err)
	}
	var missing []store.Hash
	for _, h := range wanted {
		if _, ok := r.pending[h]; ok {
			missing = append(missing, h)
		}
	}
	r.pending = nil
	return missing, nil
}

// has reports whether one object can be reached.
func (r *reach) has(ctx context.Context, h store.Hash) (bool, error) {
	missing, err := r.missing(ctx, []store.Hash{h})
	return err == nil && len(missing) == 0, err
}

// search goes on until nothing is pending or nothing is left. The type of the
// first pending object decides only in which order it looks.
func (r *reach) search(ctx context.Context, first store.Hash) error {
	if err := r.start(ctx); err != nil {
		return err
	}
	t, _, err := r.g.objs.Stat(ctx, first)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	commitsFirst := err == nil && t == object.TypeCommit
	for len(r.pending) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(r.seen) > maxReach {
			return errReach
		}
		switch {
		case commitsFirst && r.queue.len() > 0:
			err = r.stepCommit(ctx)
		case len(r.trees) > 0:
			err = r.stepTree(ctx)
		case len(r.order) > 0:
			r.see(r.g.nodes[r.order[0]].tree, true)
			r.order = r.order[1:]
		case r.queue.len() > 0:
			err = r.stepCommit(ctx)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// start looks at the tips.
func (r *reach) start(ctx context.Context) error {
	if r.started {
		return nil
	}
	for _, tip := range r.tips {
		tags, end, t, err := r.g.peel(ctx, tip)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a broken ref shows nothing
		}
		if err != nil {
			return err
		}
		for _, tag := range tags {
			r.see(tag, false)
		}
		switch t {
		case object.TypeCommit:
			if err := r.queueCommit(ctx, r.g.number(end)); err != nil {
				return err
			}
		case object.TypeTree:
			r.seen[end] = struct{}{}
			delete(r.pending, end)
			r.trees = append(r.trees, end)
		default:
			r.see(end, false)
		}
	}
	r.started = true
	return nil
}

// see notes that an object is reachable; a tree is queued when it is new.
func (r *reach) see(h store.Hash, tree bool) {
	if _, dup := r.seen[h]; dup {
		return
	}
	r.seen[h] = struct{}{}
	delete(r.pending, h)
	if tree {
		r.trees = append(r.trees, h)
	}
}

func (r *reach) queueCommit(ctx context.Context, i int32) error {
	if !r.g.mark(i, markReached) {
		return nil
	}
	if err := r.g.load(ctx, i); err != nil {
		return err
	}
	r.see(r.g.nodes[i].hash, false)
	r.queue.push(i)
	return nil
}

// stepCommit takes the newest commit: its parents join the queue, its tree
// waits in order.
func (r *reach) stepCommit(ctx context.Context) error {
	i := r.queue.pop()
	r.order = append(r.order, i)
	for _, p := range r.g.nodes[i].parents {
		if err := r.queueCommit(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (r *reach) stepTree(ctx context.Context) error {
	h := r.trees[0]
	r.trees = r.trees[1:]
	o, err := r.g.objs.Object(ctx, h)
	if err != nil {
		return fmt.Errorf("read tree %s: %w", h, err)
	}
	return eachEntry(o.Data, func(m object.Mode, _ []byte, h store.Hash) error {
		if !isSubmodule(m) {
			r.see(h, isTree(m))
		}
		return nil
	})
}

// clockSkew is by how many seconds a commit may claim to be older than a
// child of it and still be found by commit.
const clockSkew = 24 * 60 * 60

// commit reports whether a commit (or another tip) can be reached. It only
// looks at commits, and only at those not older than the one in question, so
// that answers cost what lies between. A no may be wrong where clocks were; a
// yes never is.
func (r *reach) commit(ctx context.Context, h store.Hash) (bool, error) {
	if _, ok := r.seen[h]; ok {
		return true, nil
	}
	t, _, err := r.g.objs.Stat(ctx, h)
	if errors.Is(err, fs.ErrNotExist) || err == nil && t != object.TypeCommit {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at commit %s: %w", h, err)
	}
	i := r.g.number(h)
	if err := r.g.load(ctx, i); err != nil {
		return false, err
	}
	if err := r.start(ctx); err != nil {
		return false, err
	}
	oldest := r.g.nodes[i].date - clockSkew
	for !r.g.has(i, markReached) && r.queue.len() > 0 && r.queue.newest() >= oldest {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if err := r.stepCommit(ctx); err != nil {
			return false, err
		}
	}
	return r.g.has(i, markReached), nil
}
