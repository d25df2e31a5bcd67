package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"time"
)

// ErrNested is what an Update returns that is called by an Update's function.
var ErrNested = errors.New("an update was called inside another update's function")

// Update changes the branch: f edits a Tx that begins at the branch's snapshot,
// and the result becomes one commit. When Update returns nil, the commit is
// durable and the branch has moved. If the branch does not exist, Update makes
// it. If f makes no difference there is no commit.
//
// f may run several times, when somebody else was first: it should have no
// effect but through its Tx. Its error, and its panic, go to the caller, and
// nothing is changed. f must not call Update itself: that gives ErrNested, and
// where it cannot be noticed (f waits for another goroutine's Update of the
// same branch) a deadlock until ctx ends.
//
// Updates of one branch run one after another, in the order of their calls. One
// that takes long keeps those of the same branch waiting, and with an Update of
// several branches that waits among them those of its other branches, but
// nobody else's.
//
// When ctx ends while Update waits for its turn, it returns ctx's error. Once f
// has run, Update waits for the outcome of the commit.
func (b *Branch) Update(ctx context.Context, ch Change, f func(*Tx) error) error {
	err := b.repo.update(ctx, ch, []string{b.name}, func(txs map[string]*Tx) error { return f(txs[b.name]) })
	if err != nil {
		return fmt.Errorf("update branch %q: %w", b.name, err)
	}
	return nil
}

// Update changes several branches, all of them or none, also across a crash. f
// gets a Tx for each name. Each branch that f makes a difference to gets one
// commit. Everything else is as for Branch.Update.
func (r *Repo) Update(ctx context.Context, ch Change, branches []string, f func(map[string]*Tx) error) error {
	if err := r.update(ctx, ch, branches, f); err != nil {
		return fmt.Errorf("update branches %q: %w", branches, err)
	}
	return nil
}

func (r *Repo) update(ctx context.Context, ch Change, branches []string, f func(map[string]*Tx) error) error {
	ch, err := ch.check()
	if err != nil {
		return err
	}
	names := slices.Clone(branches)
	slices.Sort(names) // the order in which turns are taken, so that nobody waits in a circle
	names = slices.Compact(names)
	for _, name := range names {
		if err := checkBranch(name); err != nil {
			return err
		}
	}
	if nested() {
		return ErrNested
	}
	lines := r.enter(names)
	defer r.leave(lines)
	for wait := (backoff{}); ; {
		u, err := r.run(ctx, ch, lines, f)
		if u != nil {
			err = r.await(u)
		}
		if err != errAgain {
			return err
		}
		if err := wait.sleep(ctx); err != nil {
			return err
		}
	}
}

// run waits for its turn on all lines, runs f and joins the batch. When there
// is nothing to wait for the update is nil and the error the result.
func (r *Repo) run(ctx context.Context, ch Change, lines []*line, f func(map[string]*Tx) error) (*update, error) {
	for i, l := range lines {
		if err := l.turn.Acquire(ctx, 1); err != nil {
			release(lines[:i])
			return nil, err
		}
	}
	defer release(lines)
	u := &update{lines: lines, done: make(chan error, 1)}
	txs := make(map[string]*Tx, len(lines))
	for _, l := range lines {
		tip, term := r.position(l)
		if tip == nil {
			var err error
			if tip, err = l.branch.tip(ctx); err != nil {
				return nil, err
			}
		}
		u.terms = append(u.terms, term)
		txs[l.branch.name] = newTx(tip, r.read)
	}
	if u.err = call(f, txs); u.err == nil {
		u.err = r.build(u, ch, txs)
	}
	if u.err != nil {
		u.steps, u.objs = nil, nil
	}
	return r.join(u)
}

func release(lines []*line) {
	for _, l := range lines {
		l.turn.Release(1)
	}
}

// build makes the commits.
func (r *Repo) build(u *update, ch Change, txs map[string]*Tx) error {
	for _, l := range u.lines {
		tx := txs[l.branch.name]
		next, err := r.next(u, ch, tx)
		if err != nil {
			return err
		}
		if next != nil {
			u.steps = append(u.steps, step{l, tx.start.commit.Hash, next})
		}
	}
	return nil
}

// next returns the snapshot that a Tx leads to, and nil when it changes
// nothing.
func (r *Repo) next(u *update, ch Change, tx *Tx) (*Tree, error) {
	if tx.forward != nil {
		return tx.forward, nil
	}
	objs, root, h, err := tx.objects()
	if err != nil {
		return nil, err
	}
	if h == tx.start.Hash() && len(tx.parents) == 0 {
		return nil, nil
	}
	parents := tx.parents
	if tip, ok := tx.start.Commit(); ok {
		parents = slices.Insert(slices.Clone(parents), 0, tip)
	}
	o, c, err := r.newCommit(ch, h, parents)
	if err != nil {
		return nil, err
	}
	u.objs = append(append(u.objs, objs...), o)
	return &Tree{read: r.read, hash: h, root: root, commit: Revision{o.hash, c}}, nil
}

// call calls f. It has a frame of its own, by which nested knows it.
//
//go:noinline
func call(f func(map[string]*Tx) error, txs map[string]*Tx) error {
	return f(txs)
}

var callEntry = reflect.ValueOf(call).Pointer()

// nested says whether an Update's function is among its callers.
func nested() bool {
	var pcs [128]uintptr
	for _, pc := range pcs[:runtime.Callers(2, pcs[:])] {
		if runtime.FuncForPC(pc-1).Entry() == callEntry {
			return true
		}
	}
	return false
}

// A backoff is how long to wait before another try: not at all at first, then
// up to 64 ms.
type backoff struct{ tries int }

func (b *backoff) sleep(ctx context.Context) error {
	b.tries++
	if b.tries == 1 {
		return ctx.Err()
	}
	most := time.Millisecond << min(b.tries-2, 6)
	t := time.NewTimer(most/2 + rand.N(most/2))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
