package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cairn/store/object"
)

// replaces is the trailer of a commit that begins a rewritten history. It names
// the tip that the branch had before, and the branch's ref. No other message may
// hold it: whoever words one would rewrite history with our signature.
const replaces = "Cairn-Replaces: "

// errReplaces is what such messages are refused with.
var errReplaces = errors.New("a commit message has no line that begins with " + replaces)

// Rewrite gives the branch another history: from, at which it must be, is
// replaced by to, which need not descend from it and which objs bring where it
// is not stored yet. On top of to comes a commit with the same files that names
// from in a trailer; signed, it tells replicas that this is no accident and no
// forgery. A branch that is not at from is a *ConflictError.
//
// An Update that runs meanwhile runs again on the new history. What only the old
// history holds stays until it is pruned.
func (b *Branch) Rewrite(ctx context.Context, ch Change, from, to Hash, objs ...object.Object) error {
	if err := b.rewrite(ctx, ch, from, to, objs); err != nil {
		return fmt.Errorf("rewrite branch %q: %w", b.name, err)
	}
	return nil
}

// RewriteFunc is Rewrite of wherever the branch is: f gets its tip and returns what
// Rewrite is told, or the Zero hash to leave all as it is. Updates of the branch wait while
// f runs, which must not call any; f runs again when somebody else, with another
// Repo, was first.
func (b *Branch) RewriteFunc(ctx context.Context, ch Change, f func(from Revision) (to Hash, objs []object.Object, err error)) error {
	if nested() {
		return ErrNested
	}
	lines := b.repo.enter([]string{b.name})
	defer b.repo.leave(lines)
	if err := lines[0].turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer release(lines)
	for wait := (backoff{}); ; {
		err := b.rewriteTip(ctx, ch, lines, f)
		_, moved := errors.AsType[*ConflictError](err)
		if moved || err == errAgain {
			if err := wait.sleep(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("rewrite branch %q: %w", b.name, err)
		}
		return nil
	}
}

// rewriteTip rewrites the branch, whose turn the caller has, when all its updates are durable.
func (b *Branch) rewriteTip(ctx context.Context, ch Change, lines []*line, f func(Revision) (Hash, []object.Object, error)) error {
	_, term := b.repo.position(lines[0])
	u, err := b.repo.join(&update{lines: lines, terms: []int{term}, done: make(chan error, 1)})
	if u != nil {
		err = b.repo.await(u)
	}
	if err != nil {
		return err
	}
	tip, err := b.Tree(ctx)
	if err != nil {
		return err
	}
	to, objs, err := f(tip.commit)
	if err != nil || to == object.Zero {
		return err
	}
	return b.rewrite(ctx, ch, tip.commit.Hash, to, objs)
}

func (b *Branch) rewrite(ctx context.Context, ch Change, from, to Hash, objs []object.Object) error {
	ch, err := ch.check()
	if err != nil {
		return err
	}
	parent, err := b.repo.among(objs, to)
	if err != nil {
		return err
	}
	ch.Message += "\n" + replaces + from.String() + " " + b.Ref() + "\n"
	o, _, err := b.repo.newCommit(ch, parent.Tree, []Revision{parent})
	if err != nil {
		return err
	}
	return b.repo.backend.Commit(ctx, append(slices.Clone(objs), o.Object), []RefChange{{Name: b.Ref(), Old: from, New: o.hash}})
}

// among returns a commit that is one of objs or stored.
func (r *Repo) among(objs []object.Object, h Hash) (Revision, error) {
	for _, o := range objs {
		if o.Type == object.TypeCommit && o.Hash() == h {
			c, err := object.ParseCommit(o.Data)
			return Revision{h, c}, err
		}
	}
	return r.revision(h)
}

// claims reports whether a message would pass for a rewrite's.
func claims(message string) bool {
	for line := range strings.Lines(message) {
		if strings.HasPrefix(line, replaces) {
			return true
		}
	}
	return false
}

// Replaces reports whether a commit says that it replaces a ref's tip, in a trailer
// of its message (git-interpret-trailers(1)).
func Replaces(c *object.Commit, ref string, tip Hash) bool {
	message := strings.TrimRight(c.Message, "\n")
	i := strings.LastIndex(message, "\n\n")
	return i >= 0 && slices.Contains(strings.Split(message[i+2:], "\n"), replaces+tip.String()+" "+ref)
}
