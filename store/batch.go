package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"time"

	"cairn/store/object"
)

// How updates come together
//
// Each branch has a line. An Update takes its turn on its lines, runs its
// function on the tip of each, makes its commits, moves the lines' tips and
// joins the batch that waits; then the next one's turn begins, on the new tip,
// although that is not durable yet. Functions of different branches run at the
// same time.
//
// One commit to the backend runs at a time. While it does, others join the
// batch that waits. When it is done, one of those leads: it commits the whole
// batch in its own goroutine, hands out the results and names the next leader.
// So the functions of one batch run while the batch before is being written.
//
// When a commit fails, what stands on it cannot stay. A conflict on one branch
// drops the updates of that branch, and those that come after a dropped one on
// any of its lines; they run again. The rest is committed at once without them,
// so that a branch that others fight for does not hold up its neighbours. An
// error that is ErrTemporary goes to everybody in the batch. Any other may be
// the fault of one update (such as a branch name that clashes with another), so
// the updates are tried one by one, until one gives an ErrTemporary, which those
// that stand on it get too; unless it has come too late, when the
// branches have moved but a disk may not keep that: then, too, everybody gets
// it. A line that has lost a tip gets a new term, by which functions that were
// running notice that they stand on nothing.
//
// An update that changes nothing, or whose function returns an error, has a
// result that is true only if the tips it saw become durable. So it waits with
// the batch, too, if they are not yet.

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

// join puts an update that has run into the batch that waits. When there is
// nothing to wait for it returns no update but the result.
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
	r.stir()
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
		case n > 1 && !errors.Is(err, ErrTemporary) && lostBy(now, err) == nil && !r.moved(now):
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

// maxGather bounds how long gather waits, and maxQuiet how long for the next one to join.
const (
	maxGather = 50 * time.Millisecond
	maxQuiet  = 5 * time.Millisecond
)

// maxVain is how often gather halves its time.
const maxVain = 5

// gather waits until everybody who is on the way to the batch has joined it. Those
// whom a commit has released tend to come back at once: the first of them would be
// written alone, and every second commit be all but empty. It waits at most half
// of the time that the last commit took, and half of that again each time in
// a row that nobody came, for an update's function may hang. Where commits are slow (a
// push), that is long enough for many functions to run one after another, as long
// as one after another does come.
func (r *Repo) gather() {
	runtime.Gosched() // those who have just been released enter, and count
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users == len(r.waiting) {
		return
	}
	before, late := len(r.waiting), false
	most := r.took / 2 >> r.vain
	end, quiet := time.NewTimer(min(most, maxGather)), time.NewTimer(min(most, maxQuiet))
	defer end.Stop()
	defer quiet.Stop()
	for r.users > len(r.waiting) && !late {
		joined := len(r.waiting)
		r.mu.Unlock()
		select {
		case <-r.stirred:
		case <-end.C:
			late = true
		case <-quiet.C:
			late = true
		}
		r.mu.Lock()
		if len(r.waiting) > joined {
			quiet.Reset(min(most, maxQuiet))
		}
	}
	if late && len(r.waiting) == before {
		r.vain = min(r.vain+1, maxVain)
	} else {
		r.vain = 0
	}
}

// stir wakes a leader who gathers.
func (r *Repo) stir() {
	select {
	case r.stirred <- struct{}{}:
	default:
	}
}

// commit writes a batch. A backend that panics has failed, but those who wait
// must hear of it.
func (r *Repo) commit(batch []*update) (err error) {
	objs, changes := assemble(batch)
	if len(changes) == 0 {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("commit: panic: %v\n%s", p, debug.Stack())
		}
	}()
	// Those who wait for this commit are not bound by the leader's context.
	return r.backend.Commit(context.Background(), objs, changes)
}

// moved reports whether a commit that failed has moved the branches all the
// same: what is in it must not run again then.
func (r *Repo) moved(batch []*update) bool {
	_, changes := assemble(batch)
	ref, err := r.backend.Ref(context.Background(), changes[0].Name)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || ref.Hash == changes[0].New
}

// assemble lists the objects of a batch, each once, and one change for each
// branch.
func assemble(batch []*update) (objs []object.Object, changes []RefChange) {
	seen := map[Hash]bool{}
	at := map[*line]int{}
	for _, u := range batch {
		for _, o := range u.objs {
			if !seen[o.hash] {
				seen[o.hash] = true
				named := o.Object
				named.Name = o.hash
				objs = append(objs, named)
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
