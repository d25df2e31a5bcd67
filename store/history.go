package store

import (
	"container/heap"
	"context"
	"slices"

	"cairn/store/object"
)

// A walk visits commits from new to old: by committer time, and of one second
// in the order in which they were found, as git does.
type walk struct {
	repo  *Repo
	queue revisions
	seen  map[Hash]bool
	found int
}

type revision struct {
	Revision
	found int
}

type revisions []revision

func (q revisions) Len() int      { return len(q) }
func (q revisions) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *revisions) Push(x any)   { *q = append(*q, x.(revision)) }
func (q revisions) Less(i, j int) bool {
	if a, b := q[i].Committer.When.Unix(), q[j].Committer.When.Unix(); a != b {
		return a > b
	}
	return q[i].found < q[j].found
}

func (q *revisions) Pop() any {
	last := len(*q) - 1
	rev := (*q)[last]
	*q = slices.Delete(*q, last, last+1)
	return rev
}

func (r *Repo) newWalk() *walk { return &walk{repo: r, seen: map[Hash]bool{}} }

// add queues a commit unless it has been queued before.
func (w *walk) add(h Hash) error {
	if w.seen[h] {
		return nil
	}
	w.seen[h] = true
	return w.again(h)
}

// again queues a commit whether or not it has been queued before.
func (w *walk) again(h Hash) error {
	rev, err := w.repo.revision(h)
	if err != nil {
		return err
	}
	w.found++
	heap.Push(&w.queue, revision{rev, w.found})
	return nil
}

func (w *walk) pop() Revision { return heap.Pop(&w.queue).(revision).Revision }

// Sides of a walk from two commits.
const (
	ofOurs   = 1 << iota // an ancestor of ours
	ofTheirs             // an ancestor of theirs
	below                // an ancestor of a common ancestor
	result
)

// mergeBases returns the best common ancestors of two commits: those that are
// not ancestors of another common one. There are several after a criss-cross
// merge, newest first.
func (r *Repo) mergeBases(ctx context.Context, ours, theirs Hash) ([]Revision, error) {
	w := r.newWalk()
	sides := map[Hash]int{ours: ofOurs}
	sides[theirs] |= ofTheirs
	for _, h := range []Hash{ours, theirs} {
		if err := w.add(h); err != nil {
			return nil, err
		}
	}
	var found []Revision
	for w.open(sides) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rev := w.pop()
		side := sides[rev.Hash] &^ result
		if side == ofOurs|ofTheirs {
			if sides[rev.Hash]&result == 0 {
				sides[rev.Hash] |= result
				found = append(found, rev)
			}
			side |= below
		}
		for _, p := range rev.Parents {
			if sides[p]&side == side {
				continue
			}
			sides[p] |= side
			if err := w.again(p); err != nil {
				return nil, err
			}
		}
	}
	return slices.DeleteFunc(found, func(rev Revision) bool { return sides[rev.Hash]&below != 0 }), nil
}

// open says whether the queue holds a commit that is not below a common
// ancestor.
func (w *walk) open(sides map[Hash]int) bool {
	return slices.ContainsFunc(w.queue, func(r revision) bool { return sides[r.Hash]&below == 0 })
}

// at returns the entry at path in a commit; the zero Entry when it is absent.
// The empty path is the whole tree.
func (r *Repo) at(rev Revision, path string) (object.Entry, error) {
	if path == "" || path == "." {
		return object.Entry{Mode: object.ModeDir, Hash: rev.Tree}, nil
	}
	t, err := r.read.tree(rev.Tree, rev)
	if err != nil {
		return object.Entry{}, err
	}
	return absentIsZero(t.lookup(path))
}
