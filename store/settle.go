package store

import (
	"errors"
	"slices"

	"cairn/store/object"
)

// settle hands out the results of a batch that is durable.
func (r *Repo) settle(batch []*update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remember(batch)
	for _, u := range batch {
		for _, s := range u.steps {
			if s.line.pending--; s.line.pending == 0 {
				s.line.tip = nil
			}
		}
		r.pending.remove(u.objs)
		u.done <- u.err
	}
}

// remember puts into the cache what will be read next: the files that were
// written and the folders as they are in the last snapshot of each line, but
// not the roots between.
func (r *Repo) remember(batch []*update) {
	last := map[*line]*Tree{}
	roots := map[*node]bool{}
	for _, u := range batch {
		for _, s := range u.steps {
			last[s.line] = s.next
			roots[s.next.root] = true
		}
	}
	for _, t := range last {
		delete(roots, t.root)
		r.read.cache.put(t.commit.Hash, t.commit.Commit)
	}
	for _, u := range batch {
		for _, o := range u.objs {
			switch {
			case o.Type == object.TypeBlob:
				r.read.cache.put(o.hash, o.Data)
			case o.node != nil && !roots[o.node]:
				r.read.cache.put(o.hash, o.node)
			}
		}
	}
}

// retreat takes back what cannot stay after the commit of now has failed, and
// returns those updates of now and later that can. later has been sent once, together
// with now: while it is not certain that nothing came of that, it does not run again.
func (r *Repo) retreat(now, later []*update, err error) (kept []*update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lost, after := map[*line]bool{}, errAgain
	if errors.Is(err, ErrTemporary) {
		after = err
	}
	if l := lostBy(now, err); l != nil {
		lost[l] = true
		kept = r.drop(now, lost, errAgain)
	} else {
		for _, u := range now {
			for _, l := range u.lines {
				lost[l] = true
			}
		}
		r.drop(now, lost, err)
	}
	kept = append(kept, r.drop(later, lost, after)...)
	r.waiting = r.drop(r.waiting, lost, errAgain)
	for l := range lost {
		l.tip, l.pending = nil, 0
		l.term++
	}
	for _, u := range slices.Concat(kept, r.waiting) {
		for _, s := range u.steps {
			if lost[s.line] { // this step came before the one that was lost
				s.line.tip = s.next
				s.line.pending++
			}
		}
	}
	return kept
}

// lostBy returns the line of a batch on which a commit conflicted.
func lostBy(batch []*update, err error) *line {
	conflict, ok := errors.AsType[*ConflictError](err)
	if !ok {
		return nil
	}
	for _, u := range batch {
		for _, s := range u.steps {
			if s.line.branch.Ref() == conflict.Change.Name {
				return s.line
			}
		}
	}
	return nil
}

// drop gives the result to those updates that stand on a lost line; their own
// lines are lost with them.
func (r *Repo) drop(updates []*update, lost map[*line]bool, result error) (kept []*update) {
	for _, u := range updates {
		if !u.on(lost) {
			kept = append(kept, u)
			continue
		}
		for _, s := range u.steps {
			lost[s.line] = true
		}
		r.pending.remove(u.objs)
		u.done <- result
	}
	return kept
}

func (u *update) on(lost map[*line]bool) bool {
	for _, l := range u.lines {
		if lost[l] {
			return true
		}
	}
	return false
}
