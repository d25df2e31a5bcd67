package store

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"

	"cairn/store/object"
)

// How updates come together
//
// Each branch has a line. An Update takes its turn on its lines, runs its function on the
// tip of each, makes its commits, moves the lines' tips and joins the batch that
// waits; then the next one's turn begins, on the new tip, although that is not durable
// yet. Functions of different branches run at the same time.
//
// One commit to the backend runs at a time. While it does, others join the batch
// that waits. When it is done, one of those leads: it commits the whole batch
// in its own goroutine, hands out the results and names the next leader. So the functions of one batch
// run while the batch before is being written.
//
// When a commit fails, what stands on it cannot stay. A conflict on one branch
// drops the updates of that branch, and those that come after a dropped one on
// any of its lines; they run again. The rest is committed at once without them, so that a branch that others
// fight for does not hold up its neighbours. An error that is ErrTemporary goes to
// everybody in the batch. Any other may be the fault of one update (such as a branch name that clashes
// with another), so the updates are tried one by one. A line that has lost a tip gets a new term, by which
// functions that were running notice that they stand on nothing.
//
// An update that changes nothing, or whose function returns an error, has a result that is true
// only if the tips it saw become durable. So it waits with the batch, too, if they are not yet.

// A line is where updates of one branch queue. Fields below turn are
// guarded by Repo.mu.
type line struct {
	branch *Branch
	turn   *semaphore.Weighted // of one, first come first served

	users   int   // Updates that have entered
	tip     *Tree // the newest snapshot, when it is not durable
	pending int   // steps that are not durable
	term    int
}

// An update is one run of an Update's function.
type update struct {
	lines []*line
	terms []int // of lines when the function began
	steps []step
	objs  []newObject
	err   error // what the function returned
	done  chan error
}

// A step moves one line.
type step struct {
	line *line
	old  Hash
	next *Tree
}

// What comes through update.done besides results.
var (
	errAgain = errors.New("run again")
	errLead  = errors.New("lead")
)

func (r *Repo) enter(names []string) []*line {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := make([]*line, len(names))
	for i, name := range names {
		l, ok := r.lines[name]
		if !ok {
			l = &line{branch: r.Branch(name), turn: semaphore.NewWeighted(1)}
			r.lines[name] = l
		}
		l.users++
		lines[i] = l
	}
	return lines
}

func (r *Repo) leave(lines []*line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range lines {
		if l.users--; l.users == 0 {
			delete(r.lines, l.branch.name)
		}
	}
}

func (r *Repo) position(l *line) (tip *Tree, term int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return l.tip, l.term
}

// join puts an update that has run into the batch that waits. When there is nothing to wait for it
// returns no update but the result.
func (r *Repo) join(u *update) (*update, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	durable := true
	for i, l := range u.lines {
		if l.term != u.terms[i] {
			return nil, errAgain
		}
		durable = durable && l.pending == 0
	}
	if durable && len(u.steps) == 0 {
		return nil, u.err
	}
	r.pending.add(u.objs)
	for _, s := range u.steps {
		s.line.tip = s.next
		s.line.pending++
	}
	r.waiting = append(r.waiting, u)
	if r.enough != nil && len(r.waiting) == r.last {
		close(r.enough)
		r.enough = nil
	}
	if !r.committing {
		r.committing = true
		u.done <- errLead
	}
	return u, nil
}

// await returns the result of an update, and leads when it is asked to.
func (r *Repo) await(u *update) error {
	err := <-u.done
	if err == errLead {
		r.commitWaiting()
		err = <-u.done
	}
	return err
}

// commitWaiting commits the batch that waits and names the next leader.
func (r *Repo) commitWaiting() {
	r.gather()
	r.mu.Lock()
	batch := r.waiting
	r.waiting = nil
	r.last = len(batch)
	r.mu.Unlock()

	start := time.Now()
	for oneByOne := false; len(batch) > 0; {
		n := len(batch)
		if oneByOne {
			n = 1
		}
		now, later := batch[:n], batch[n:]
		switch err := r.commit(now); {
		case err == nil:
			r.settle(now)
			batch = later
		case n > 1 && !errors.Is(err, ErrTemporary) && lostBy(now, err) == nil:
			oneByOne = true
		default:
			batch = r.retreat(now, later, err)
		}
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	r.took = time.Since(start)
	if len(r.waiting) == 0 {
		r.committing = false
		return
	}
	r.waiting[0].done <- errLead
}

// gather waits until as many updates wait as were in the last batch, because whoever was in
// that one tends to come back at once. It waits a quarter of the time that the last commit took, at most: then
// the time is better spent with committing.
func (r *Repo) gather() {
	r.mu.Lock()
	if len(r.waiting) >= r.last {
		r.mu.Unlock()
		return
	}
	enough := make(chan struct{})
	r.enough = enough
	t := time.NewTimer(r.took / 4)
	r.mu.Unlock()
	select {
	case <-enough:
	case <-t.C:
	}
	t.Stop()
	r.mu.Lock()
	r.enough = nil
	r.mu.Unlock()
}

func (r *Repo) commit(batch []*update) error {
	objs, changes := assemble(batch)
	if len(changes) == 0 {
		return nil
	}
	// Those who wait for this commit are not bound by the leader's context.
	return r.backend.Commit(context.Background(), objs, changes)
}

// assemble lists the objects of a batch, each once, and one change for each branch.
func assemble(batch []*update) (objs []object.Object, changes []RefChange) {
	seen := map[Hash]bool{}
	at := map[*line]int{}
	for _, u := range batch {
		for _, o := range u.objs {
			if !seen[o.hash] {
				seen[o.hash] = true
				objs = append(objs, o.Object)
			}
		}
		for _, s := range u.steps {
			i, ok := at[s.line]
			if !ok {
				i = len(changes)
				at[s.line] = i
				changes = append(changes, RefChange{Name: s.line.branch.Ref(), Old: s.old})
			}
			changes[i].New = s.next.commit.Hash
		}
	}
	return objs, changes
}

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

// remember puts into the cache what will be read next: the files that were written and the folders as they are
// in the last snapshot of each line, but not the roots between.
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

// retreat takes back what cannot stay after the commit of now has failed, and returns those updates of
// now and later that can.
func (r *Repo) retreat(now, later []*update, err error) (kept []*update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lost := map[*line]bool{}
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
	kept = append(kept, r.drop(later, lost, errAgain)...)
	r.waiting = r.drop(r.waiting, lost, errAgain)
	for l := range lost {
		l.tip, l.pending = nil, 0
		l.term++
	}
	for _, u := range kept {
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
