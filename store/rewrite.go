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
