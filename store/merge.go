package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cairn/store/object"
)

// A MergeFunc merges one file's content. Nil stands for absence: of base, when
// both sides have added the file, or when there are several bases that do not
// agree; of ours or theirs, when that side has deleted it. Empty files are not
// nil. It returns the result, nil to delete the file, or an error, which ends
// the merge; ErrMergeConflict makes the path one of those in a
// MergeConflictError. It may run several times, as the function of an Update
// may.
type MergeFunc func(path string, base, ours, theirs []byte) ([]byte, error)

// A MergeConflictError lists the paths that both sides have changed and that
// nobody could merge: all of them when there is no MergeFunc; otherwise
// symlinks, submodules, files that MergeFunc has refused, and files in whose
// place the other side has a folder.
type MergeConflictError struct {
	Paths []string // in the order of their bytes
}

func (e *MergeConflictError) Error() string {
	const most = 10
	list := e.Paths
	if len(list) > most {
		list = append(list[:most:most], "and "+strconv.Itoa(len(e.Paths)-most)+" more")
	}
	return "both sides have changed " + strings.Join(list, ", ")
}

// Merge brings the commit theirs and its history into the branch: per file,
// what only one side has changed since their common ancestor is taken from that
// side, what both have changed alike is taken once, and for the rest f decides
// (nil: a *MergeConflictError, and nothing is changed). File modes are merged
// apart from contents. The result is a commit with two parents.
//
// When theirs is in the branch already, nothing happens. When the branch has
// nothing that theirs lacks, or does not exist, it is moved to theirs and ch is
// not used, as git does (fast-forward).
//
// When there are several best common ancestors, after a criss-cross merge, they
// are merged first. A file about which they do not agree has no base: whatever
// the sides have differs from it.
func (b *Branch) Merge(ctx context.Context, ch Change, theirs Hash, f MergeFunc) error {
	return b.merge(ctx, ch, theirs, func(tx *Tx, bases []Revision, their Revision) error {
		base, err := b.repo.baseOf(ctx, bases, 0)
		if err != nil {
			return err
		}
		return merger{ctx: ctx, base: base, tx: tx, f: f}.merge(their.Tree)
	})
}

// MergeTrees is Merge for content whose files depend on each other: f edits tx, which
// begins as the branch is, so that it has what theirs has made of base, their common
// ancestor. Of several best ones it is one; where there is none it is empty.
func (b *Branch) MergeTrees(ctx context.Context, ch Change, theirs Hash, f func(tx *Tx, base, theirs *Tree) error) error {
	return b.merge(ctx, ch, theirs, func(tx *Tx, bases []Revision, their Revision) error {
		base := &Tree{read: b.repo.read}
		snapshot, err := b.repo.read.commitTree(their.Hash)
		if err == nil && len(bases) > 0 {
			base, err = b.repo.read.commitTree(bases[0].Hash)
		}
		if err != nil {
			return err
		}
		return f(tx, base, snapshot)
	})
}

// merge makes a commit with two parents whose content f decides, unless one side
// has nothing that the other lacks.
func (b *Branch) merge(ctx context.Context, ch Change, theirs Hash, f func(tx *Tx, bases []Revision, their Revision) error) error {
	r := b.repo
	_, _, err := r.backend.Stat(ctx, theirs) // the cache may know what has been pruned
	their := Revision{}
	if err == nil {
		their, err = r.revision(theirs)
	}
	if err != nil {
		return fmt.Errorf("merge %v into branch %q: %w", theirs, b.name, err)
	}
	err = b.Update(ctx, ch, func(tx *Tx) error {
		ours, ok := tx.start.Commit()
		if !ok {
			return tx.moveTo(their)
		}
		bases, err := r.mergeBases(ctx, ours.Hash, theirs)
		switch {
		case err != nil:
			return err
		case len(bases) == 1 && bases[0].Hash == theirs:
			return nil
		case len(bases) == 1 && bases[0].Hash == ours.Hash:
			return tx.moveTo(their)
		}
		tx.parents = []Revision{their}
		return f(tx, bases, their)
	})
	if err != nil {
		return fmt.Errorf("merge %v: %w", theirs, err)
	}
	return nil
}

func (tx *Tx) moveTo(rev Revision) (err error) {
	tx.forward, err = tx.read.commitTree(rev.Hash)
	return err
}

// Merge bases are merged up to maxBases of them, and up to maxVirtual deep, so
// that a history that was made to be difficult costs no more than a few dozen
// merges. With several bases there may so be a conflict where git sees none, never the
// contrary.
const (
	maxBases   = 4
	maxVirtual = 4
)

// baseOf returns the tree that stands for the merge bases: the empty one, the
// only one, or all of them merged, oldest first, as git's recursive strategy
// does.
func (r *Repo) baseOf(ctx context.Context, bases []Revision, depth int) (*Tx, error) {
	if len(bases) == 0 {
		return newTx(&Tree{read: r.read}, r.read), nil
	}
	if depth == maxVirtual {
		bases = bases[:1]
	}
	bases = bases[:min(len(bases), maxBases)]
	last := len(bases) - 1
	oldest := bases[last]
	t, err := r.read.commitTree(oldest.Hash)
	if err != nil {
		return nil, err
	}
	tx := newTx(t, r.read)
	for _, next := range slices.Backward(bases[:last]) {
		// A virtual commit has no history: its ancestors are sought from the
		// oldest.
		lower, err := r.mergeBases(ctx, oldest.Hash, next.Hash)
		if err != nil {
			return nil, err
		}
		base, err := r.baseOf(ctx, lower, depth+1)
		if err != nil {
			return nil, err
		}
		if err := (merger{ctx: ctx, base: base, tx: tx, virtual: true}).merge(next.Tree); err != nil {
			return nil, err
		}
	}
	return tx, nil
}

// Revert undoes what a commit changed against its first parent, in one new
// commit: a merge with the commit as the base and its parent as the other side.
// What was changed since in the same files is for f to decide, as in Merge.
// When there is nothing left to undo, nothing happens.
func (b *Branch) Revert(ctx context.Context, ch Change, commit Hash, f MergeFunc) error {
	r := b.repo
	err := b.Update(ctx, ch, func(tx *Tx) error {
		t, err := r.read.commitTree(commit)
		if err != nil {
			return err
		}
		before := emptyTree
		if rev := t.commit; len(rev.Parents) > 0 {
			parent, err := r.revision(rev.Parents[0])
			if err != nil {
				return err
			}
			before = parent.Tree
		}
		return merger{ctx: ctx, base: newTx(t, r.read), tx: tx, f: f}.merge(before)
	})
	if err != nil {
		return fmt.Errorf("revert %v: %w", commit, err)
	}
	return nil
}

// Reset gives the branch the content of another snapshot of the repository,
// usually an older one of its own (rollback), in one new commit. Nothing is
// taken out of history. When that is its content already, nothing happens.
func (b *Branch) Reset(ctx context.Context, ch Change, to *Tree) error {
	return b.Update(ctx, ch, func(tx *Tx) error {
		n, err := tx.node(to.Hash())
		if err != nil {
			return err
		}
		if _, _, err := b.repo.backend.Stat(ctx, to.Hash()); err != nil && n != nil {
			return fmt.Errorf("reset to tree %v: %w", to.Hash(), err)
		}
		tx.root = &dir{base: n, hash: to.Hash()}
		if n == nil {
			tx.made[emptyTree] = newObject{Object: object.Object{Type: object.TypeTree}, hash: emptyTree}
		}
		return nil
	})
}
