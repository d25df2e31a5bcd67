package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"cairn/store/object"
)

// Log yields the branch's commits from new to old. With a path, of a file or
// folder, it yields those that git log -- path shows (git-log(1), History
// Simplification, default mode): the commits that changed what is there. Of a
// merge it follows only a parent that has the same there, if one has; a merge
// that has made something that none of its parents has is itself shown. A
// branch that does not exist is fs.ErrNotExist.
func (b *Branch) Log(ctx context.Context, path string) iter.Seq2[Revision, error] {
	return func(yield func(Revision, error) bool) {
		if err := b.log(ctx, path, yield); err != nil {
			yield(Revision{}, fmt.Errorf("log of branch %q: %w", b.name, err))
		}
	}
}

func (b *Branch) log(ctx context.Context, path string, yield func(Revision, error) bool) error {
	tip, err := b.Tree(ctx)
	if err != nil {
		return err
	}
	w := b.repo.newWalk()
	if err := w.add(tip.commit.Hash); err != nil {
		return err
	}
	for len(w.queue) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		rev := w.pop()
		show, follow := true, rev.Parents
		if path != "" && path != "." {
			if show, follow, err = b.repo.simplify(rev, path); err != nil {
				return err
			}
		}
		if show && !yield(rev, nil) {
			return nil
		}
		for _, p := range follow {
			if err := w.add(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// simplify says whether a commit changed what is at path, and which parents to
// follow.
func (r *Repo) simplify(rev Revision, path string) (show bool, follow []Hash, err error) {
	here, err := r.at(rev, path)
	if err != nil {
		return false, nil, err
	}
	if len(rev.Parents) == 0 {
		return here.Mode != 0, nil, nil
	}
	for _, p := range rev.Parents {
		parent, err := r.revision(p)
		if err != nil {
			return false, nil, err
		}
		there, err := r.at(parent, path)
		if err != nil {
			return false, nil, err
		}
		if here == there {
			return false, []Hash{p}, nil
		}
	}
	return true, rev.Parents, nil
}

func absentIsZero(e object.Entry, err error) (object.Entry, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return object.Entry{}, nil
	}
	return e, err
}
