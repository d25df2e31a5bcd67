package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"cairn/store/object"
)

// replaces is the trailer of a commit that begins a rewritten history. It names
// the tip that the branch had before.
const replaces = "Cairn-Replaces"

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

func (b *Branch) rewrite(ctx context.Context, ch Change, from, to Hash, objs []object.Object) error {
	ch, err := ch.check()
	if err != nil {
		return err
	}
	parent, err := b.repo.among(objs, to)
	if err != nil {
		return err
	}
	ch.Message += "\n" + replaces + ": " + from.String() + "\n"
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

// Replaced returns the tips that a commit says it replaces, by the trailers of
// its message (git-interpret-trailers(1)).
func Replaced(c *object.Commit) []Hash {
	message := strings.TrimRight(c.Message, "\n")
	last := message[strings.LastIndex(message, "\n\n")+1:]
	var tips []Hash
	for line := range strings.Lines(last) {
		if hex, ok := strings.CutPrefix(strings.TrimSpace(line), replaces+": "); ok {
			if plumbing.IsHash(hex) {
				tips = append(tips, plumbing.NewHash(hex))
			}
		}
	}
	return tips
}
