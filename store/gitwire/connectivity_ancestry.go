package gitwire

import (
	"context"

	"cairn/store"
	"cairn/store/object"
)

// Marks of an ancestry, beyond those that graph.go lists; it has a graph of
// its own.
const (
	markNew    commitMark = 1 << (13 + iota) // reachable from the new value
	markOld                                  // reachable from the old value
	markInHeap                               // waits in the queue
)

// maxAncestry is how many commits descends looks at.
const maxAncestry = 1 << 20

// descends reports whether the commit next has the commit old among its
// ancestors. Values that are not commits descend from nothing but themselves.
// Beyond maxAncestry commits the answer is no: the update counts as forced.
func descends(ctx context.Context, objs store.Objects, next, old store.Hash) (bool, error) {
	if next == old {
		return true, nil
	}
	for _, h := range []store.Hash{next, old} {
		if t, _, err := objs.Stat(ctx, h); err != nil || t != object.TypeCommit {
			return false, err
		}
	}
	a := &ancestry{g: newGraph(objs)}
	a.queue.g = a.g
	return a.find(ctx, a.g.number(next), a.g.number(old))
}

// An ancestry walks down from the new and from the old value together, newest
// commit first. No way from new to old leads through an ancestor of old, so the
// walk from new ends wherever the other has been: the answer is right
// whatever dates the commits bear, which only decide how much is looked at.
type ancestry struct {
	g     *graph
	queue commitQueue
	open  int // commits in the queue that are reachable from new only
}

func (a *ancestry) find(ctx context.Context, next, old int32) (bool, error) {
	if err := a.paint(ctx, old, markOld); err != nil {
		return false, err
	}
	if err := a.paint(ctx, next, markNew); err != nil {
		return false, err
	}
	for a.open > 0 && len(a.g.nodes) < maxAncestry {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		i := a.queue.pop()
		m := markOld
		if a.isOpen(i) {
			m = markNew
			a.open--
		}
		a.g.nodes[i].marks &^= markInHeap
		for _, p := range a.g.nodes[i].parents {
			if p == old && m == markNew {
				return true, nil
			}
			if err := a.paint(ctx, p, m); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

func (a *ancestry) isOpen(i int32) bool {
	return a.g.nodes[i].marks&(markNew|markOld|markInHeap) == markNew|markInHeap
}

// paint gives a commit a mark; when that is new the commit goes (back) into
// the queue, to hand it on to its parents.
func (a *ancestry) paint(ctx context.Context, i int32, m commitMark) error {
	if err := a.g.load(ctx, i); err != nil {
		return err
	}
	was := a.isOpen(i)
	if !a.g.mark(i, m) {
		return nil
	}
	if a.g.mark(i, markInHeap) {
		a.queue.push(i)
	}
	switch is := a.isOpen(i); {
	case is && !was:
		a.open++
	case was && !is:
		a.open--
	}
	return nil
}
