// Package trust judges what a host says a branch has become. A host is trusted
// to be there, not to tell the truth: with it a replica moves a branch only to
// commits that somebody with a trusted key has signed and that descend from the
// last one it has seen.
//
// What it cannot tell: that a host withholds the newest commits; that on a
// cold start it shows an old tip (name the commit that has to be there, if you
// know one); that it shows, as a branch, another branch's signed commit which
// descends from the last tip seen. Deletions bear no signature: one that the
// host shows is reported and not followed.
package trust

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"cairn/store"
	"cairn/store/object"
	"cairn/store/sign"
)

// A Policy is what a branch's new tip has to satisfy.
type Policy struct {
	// Keys are whose signatures count.
	Keys *sign.Keys
	// Rewriters are whose word counts for histories that were rewritten: who may
	// push may not do that by it. Nil means Keys.
	Rewriters *sign.Keys
	// Signed asks a signature of every tip. Otherwise only a rewrite's trailer
	// (store.Branch.Rewrite) has to be signed.
	Signed bool
	// Free says of which refs history may be rewritten without a word, because
	// whoever may write them may do that too: they may be moved anywhere and deleted.
	// Nil means none, but that without Signed all may be deleted.
	Free func(ref string) bool
}

// A RewindError says that a branch has moved to where its last tip is not
// among the ancestors, and that no signed commit says why.
type RewindError struct {
	Ref      string
	Old, New store.Hash // New is Zero when the ref has gone
}

func (e *RewindError) Error() string {
	if e.New.IsZero() {
		return fmt.Sprintf("%s has been deleted; it was at %v", e.Ref, e.Old)
	}
	return fmt.Sprintf("%s has been moved from %v to %v, which does not contain it", e.Ref, e.Old, e.New)
}

// Follow returns nil when a ref may move from old to new. An old of Zero is a
// ref that was not known. A history that objs do not hold far enough to tell is
// an error that is fs.ErrNotExist.
func (p *Policy) Follow(ctx context.Context, ref string, old, new store.Hash, objs store.Objects) error {
	free := p.Free != nil && p.Free(ref)
	if new.IsZero() {
		if (p.Signed || p.Free != nil) && !free {
			return &RewindError{ref, old, new}
		}
		return nil
	}
	tip, err := p.tip(ctx, objs, ref, new)
	if err != nil {
		return fmt.Errorf("judge %s: %w", ref, err)
	}
	if p.Signed {
		if err := p.verify(ctx, objs, tip); err != nil {
			return fmt.Errorf("judge %s at %v: %w", ref, new, err)
		}
	}
	if old.IsZero() || free {
		return nil
	}
	if err := p.descends(ctx, objs, ref, old, tip); err == errElsewhere {
		return &RewindError{ref, old, new}
	} else if err != nil {
		return fmt.Errorf("judge %s: %w", ref, err)
	}
	return nil
}

// tip is the commit that a ref would be at. A branch's is named by nothing else: an
// annotated tag is signed by nobody.
func (p *Policy) tip(ctx context.Context, objs store.Objects, ref string, h store.Hash) (store.Hash, error) {
	tip, err := peel(ctx, objs, h)
	if err == nil && tip != h && strings.HasPrefix(ref, "refs/heads/") {
		err = errTagged
	}
	return tip, err
}

// errTagged says that a branch would be at a tag.
var errTagged = errors.New("a branch is at a commit, not at a tag of one")

// peel follows annotated tags to the commit they name.
func peel(ctx context.Context, objs store.Objects, h store.Hash) (store.Hash, error) {
	for range 8 {
		t, _, err := objs.Stat(ctx, h)
		if err != nil || t != object.TypeTag {
			return h, err
		}
		o, err := objs.Object(ctx, h)
		if err != nil {
			return h, err
		}
		tag, err := object.ParseTag(o.Data)
		if err != nil {
			return h, err
		}
		h = tag.Object
	}
	return h, errors.New("a tag of tags of tags")
}

func (p *Policy) verify(ctx context.Context, objs store.Objects, h store.Hash) error {
	o, err := objs.Object(ctx, h)
	if err != nil {
		return err
	}
	if o.Type != object.TypeCommit {
		return sign.ErrUnsigned
	}
	return p.Keys.Verify(o.Data)
}

var errElsewhere = errors.New("not an ancestor")

// descends looks for old among the ancestors of tip, newest first, or for a
// commit among them that is signed and says that it replaces old.
func (p *Policy) descends(ctx context.Context, objs store.Objects, ref string, old, tip store.Hash) error {
	rewriters := p.Rewriters
	if rewriters == nil {
		rewriters = p.Keys
	}
	w := walk{seen: map[store.Hash]bool{}}
	w.add(ctx, objs, tip)
	for len(w.queue) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := heap.Pop(&w.queue).(ancestor)
		if c.hash == old {
			return nil
		}
		if store.Replaces(c.commit, ref, old) && rewriters.Verify(c.data) == nil {
			return nil
		}
		for _, parent := range c.commit.Parents {
			if parent == old {
				return nil
			}
			w.add(ctx, objs, parent)
		}
	}
	if w.cut != nil {
		return w.cut // old may lie beyond what is here
	}
	return errElsewhere
}

// A walk visits commits by committer time, newest first.
type walk struct {
	queue ancestors
	seen  map[store.Hash]bool
	cut   error // the first commit that could not be read
}

type ancestor struct {
	hash   store.Hash
	data   []byte
	commit *object.Commit
}

func (w *walk) add(ctx context.Context, objs store.Objects, h store.Hash) {
	if w.seen[h] {
		return
	}
	w.seen[h] = true
	o, err := objs.Object(ctx, h)
	if err == nil && o.Type != object.TypeCommit {
		err = fmt.Errorf("%v is a %v: %w", h, o.Type, fs.ErrInvalid)
	}
	var c *object.Commit
	if err == nil {
		c, err = object.ParseCommit(o.Data)
	}
	if err != nil {
		if w.cut == nil {
			w.cut = err
		}
		return
	}
	heap.Push(&w.queue, ancestor{h, o.Data, c})
}

type ancestors []ancestor

func (q ancestors) Len() int      { return len(q) }
func (q ancestors) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *ancestors) Push(x any)   { *q = append(*q, x.(ancestor)) }
func (q ancestors) Less(i, j int) bool {
	return q[i].commit.Committer.When.After(q[j].commit.Committer.When)
}

func (q *ancestors) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = slices.Delete(*q, last, last+1)
	return c
}
