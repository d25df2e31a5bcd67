package mailbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// maxKept is how many commits Prune keeps at most: it has them in memory, some 500 bytes each.
const maxKept = 250_000

var errKept = fmt.Errorf("more than %d commits would be kept: forget more", maxKept)

// Prune forgets what a user's mail was before a time: the branch's history begins with what it was then. What only
// older commits held, such as messages that had been deleted, is freed when the repository is next cleaned of what
// nothing refers to. Of merges that pushes have brought the first parents' line remains. Everything that is there now stays as it
// is, with all its numbers. It reports whether there was anything to forget.
func (b *Boxes) Prune(ctx context.Context, ch store.Change, user string, before time.Time) (bool, error) {
	if err := checkUser(user); err != nil {
		return false, err
	}
	branch := b.Box(user).Branch()
	p := pruner{repo: b.repo, before: before, anew: map[store.Hash]store.Hash{}}
	err := p.prepare(ctx, branch)
	if err == nil {
		err = branch.RewriteFunc(ctx, ch, func(tip store.Revision) (store.Hash, []object.Object, error) {
			to, err := p.rebuild(ctx, tip.Hash)
			return to, p.objs, err
		})
	}
	if err != nil {
		return false, fmt.Errorf("forget old mail of %q: %w", user, err)
	}
	return len(p.anew) > 0, nil
}

// A pruner makes a line of commits anew.
type pruner struct {
	repo   *store.Repo
	before time.Time
	anew   map[store.Hash]store.Hash // commits that were made anew
	objs   []object.Object           // those that are not stored
}

// prepare stores most of what is needed, so that deliveries need not wait for it.
func (p *pruner) prepare(ctx context.Context, branch *store.Branch) error {
	tree, err := branch.Tree(ctx)
	if err != nil {
		return err
	}
	tip, _ := tree.Commit()
	if _, err := p.rebuild(ctx, tip.Hash); err != nil || len(p.objs) == 0 {
		return err
	}
	err = p.repo.Backend().Commit(ctx, p.objs, nil)
	p.objs = nil
	return err
}

// rebuild makes the line of commits that ends with tip anew and returns its new end; Zero when there is nothing to forget.
func (p *pruner) rebuild(ctx context.Context, tip store.Hash) (store.Hash, error) {
	line, more, err := p.line(ctx, tip)
	if err != nil || !more {
		return object.Zero, err
	}
	to := object.Zero
	for _, rev := range slices.Backward(line) {
		if h, ok := p.anew[rev.Hash]; ok {
			to = h
		} else {
			to = p.copy(rev, to)
		}
	}
	return to, nil
}

// line returns the commits to be kept, the newest first: down to the last one before the time, or to one that was
// made anew already. more says that there are older ones.
func (p *pruner) line(ctx context.Context, h store.Hash) (line []store.Revision, more bool, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		o, err := p.repo.Backend().Object(ctx, h)
		if err != nil {
			return nil, false, err
		}
		c, err := object.ParseCommit(o.Data)
		if err != nil {
			return nil, false, fmt.Errorf("commit %v: %w", h, err)
		}
		line = append(line, store.Revision{Hash: h, Commit: c})
		switch {
		case p.anew[h] != object.Zero:
			return line, true, nil
		case len(c.Parents) == 0:
			return line, false, nil
		case c.Committer.When.Before(p.before):
			return line, true, nil
		case len(line)+len(p.anew) > maxKept:
			return nil, false, errKept
		}
		h = c.Parents[0]
	}
}

// copy makes a commit anew on another parent (Zero: none). Its signature was of the old one, and what an older rewriting
// has said of itself is over.
func (p *pruner) copy(rev store.Revision, parent store.Hash) store.Hash {
	c := *rev.Commit
	c.Parents, c.GPGSig = nil, ""
	if parent != object.Zero {
		c.Parents = []store.Hash{parent}
	}
	c.Message = withoutTrailer(c.Message)
	o := object.Object{Type: object.TypeCommit, Data: c.Encode()}
	h := o.Hash()
	p.anew[rev.Hash] = h
	p.objs = append(p.objs, o)
	return h
}

// withoutTrailer leaves out by what store.Branch.Rewrite says which commit was replaced.
func withoutTrailer(message string) string {
	if at := strings.LastIndex(message, "\n\nCairn-Replaces: "); at >= 0 {
		return message[:at] + "\n"
	}
	return message
}
