package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"time"

	"cairn/store/object"
)

// A Branch is a name under refs/heads/ that moves from commit to commit. Safe
// for concurrent use.
type Branch struct {
	repo *Repo
	name string
}

// Name returns the branch's name, such as "site/www/main".
func (b *Branch) Name() string { return b.name }

// Ref returns the name of its ref, such as "refs/heads/site/www/main".
func (b *Branch) Ref() string { return heads + b.name }

// Repo returns the repository that the branch belongs to.
func (b *Branch) Repo() *Repo { return b.repo }

// Tree returns the branch's snapshot now; fs.ErrNotExist when there is no such
// branch.
func (b *Branch) Tree(ctx context.Context) (*Tree, error) {
	t, err := b.tip(ctx)
	if err == nil && t.commit.Hash == object.Zero {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read branch %q: %w", b.name, err)
	}
	return t, nil
}

// tip is Tree with an empty tree for a branch that does not exist.
func (b *Branch) tip(ctx context.Context) (*Tree, error) {
	ref, err := b.repo.backend.Ref(ctx, b.Ref())
	if errors.Is(err, fs.ErrNotExist) || err == nil && ref.Hash == object.Zero {
		return &Tree{read: b.repo.read}, nil
	}
	if err != nil {
		return nil, err
	}
	return b.repo.read.commitTree(ref.Hash)
}

// Watch yields the branch's snapshot now, if the branch exists, and then each
// newer one, as soon as it is known, whoever has made it. Of several that come
// while the loop's body runs it yields the last. A branch that is deleted
// yields nothing until it is made again. The sequence ends after an error, or
// without one when ctx ends.
func (b *Branch) Watch(ctx context.Context) iter.Seq2[*Tree, error] {
	return func(yield func(*Tree, error) bool) {
		old := object.Zero
		for {
			ref, err := b.repo.backend.Wait(ctx, b.Ref(), old)
			if ctx.Err() != nil {
				return
			}
			old = ref.Hash
			var t *Tree
			if err == nil && old != object.Zero {
				t, err = b.repo.read.commitTree(old)
			}
			if err != nil {
				yield(nil, fmt.Errorf("watch branch %q: %w", b.name, err))
				return
			}
			if t != nil && !yield(t, nil) {
				return
			}
		}
	}
}

// At returns the snapshot that the branch had at a time: that of the first
// commit on the way back along first parents whose committer time is not after
// t. When the branch is younger than that, it is fs.ErrNotExist.
//
// Committer times of commits made here never go back along a branch. Those of
// pushed commits are what the pusher's clock said.
func (b *Branch) At(ctx context.Context, t time.Time) (*Tree, error) {
	tip, err := b.Tree(ctx)
	if err != nil {
		return nil, err
	}
	rev := tip.commit
	for rev.Committer.When.After(t) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(rev.Parents) == 0 {
			return nil, fmt.Errorf("branch %q at %v: %w", b.name, t, fs.ErrNotExist)
		}
		if rev, err = b.repo.revision(rev.Parents[0]); err != nil {
			return nil, fmt.Errorf("branch %q at %v: %w", b.name, t, err)
		}
	}
	return b.repo.read.tree(rev.Tree, rev)
}

func (r *Repo) revision(h Hash) (Revision, error) {
	c, err := r.read.commit(h)
	return Revision{h, c}, err
}

// Fork makes a new branch that begins where this one is now. A branch of that
// name must not exist: fs.ErrExist.
func (b *Branch) Fork(ctx context.Context, name string) (*Branch, error) {
	fork := b.repo.Branch(name)
	t, err := b.Tree(ctx)
	if err == nil {
		err = checkBranch(name)
	}
	if err == nil {
		err = b.repo.backend.Commit(ctx, nil, []RefChange{{Name: fork.Ref(), New: t.commit.Hash}})
	}
	if _, ok := errors.AsType[*ConflictError](err); ok {
		err = fs.ErrExist
	}
	if err != nil {
		return nil, fmt.Errorf("fork branch %q to %q: %w", b.name, name, err)
	}
	return fork, nil
}

func checkBranch(name string) error {
	if !object.ValidRefName(heads + name) {
		return fmt.Errorf("branch name %q: %w", name, fs.ErrInvalid)
	}
	return nil
}

// Delete removes the branch, whatever it is at. Its commits stay until they are
// pruned. A branch that does not exist is fs.ErrNotExist.
func (b *Branch) Delete(ctx context.Context) error {
	for wait := (backoff{}); ; {
		ref, err := b.repo.backend.Ref(ctx, b.Ref())
		if err == nil {
			err = b.repo.backend.Commit(ctx, nil, []RefChange{{Name: b.Ref(), Old: ref.Hash}})
		}
		if _, ok := errors.AsType[*ConflictError](err); ok {
			err = wait.sleep(ctx)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("delete branch %q: %w", b.name, err)
		}
		return nil
	}
}
