package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
)

// A verdict is what has become of a push that did not simply succeed.
type verdict int

const (
	again  verdict = iota // it has not been carried out, or not yet: push the very same
	landed                // it has been carried out
	lost                  // it has not been and will not be, or it cannot be found out
)

// maxTries is how often a push is made again that the host has rejected as too late although the
// refs are as they should be: it was just moving them, it may be.
const maxTries = 4

// settle finds out what has become of a push that was rejected or is in doubt. With
// lost comes the error for the caller.
func (b *Backend) settle(ctx context.Context, a *attempt, failed error) (verdict, error) {
	caller := ctx
	for limited := false; ; {
		if a.doubt != nil && !limited {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, a.until)
			defer cancel()
			limited = true
		}
		v, err := b.judge(ctx, a, failed)
		switch {
		case v == landed:
			return landed, nil
		case v == lost && (err == errHalf || !isTemporary(err)):
			return lost, err
		case v == lost && a.doubt == nil:
			// It may be a second arrival of this very push that was rejected, after the
			// first, or a host that was stopped when it had moved the refs.
			b.inDoubtFrom(a, failed)
		case v == lost: // it could not be looked at
		case a.doubt == nil && a.tries == maxTries && len(a.changes) > 1:
			// One of them may be impossible, such as a name that is another's folder: they
			// are tried one by one.
			return lost, refusal(failed)
		case a.doubt == nil && a.tries == maxTries:
			b.inDoubtFrom(a, failed) // what is just moving them may be another arrival of this very push
			return lost, b.inDoubt(a)
		}
		if !a.wait.sleep(ctx) {
			if v == lost && caller.Err() == nil {
				b.noteAway(err) // all the time there was for it
			}
			if a.doubt != nil {
				return lost, b.inDoubt(a)
			}
			return lost, ctx.Err()
		}
		if v == again {
			a.tries++
			return again, nil
		}
	}
}

// inDoubtFrom notes that it is not known from now on what has become of an attempt.
func (b *Backend) inDoubtFrom(a *attempt, why error) {
	if a.doubt == nil {
		a.until = time.Now().Add(b.options.Timeout)
	}
	a.doubt = why
}

// judge looks at the refs and decides. Its error is temporary when they could not be looked at.
func (b *Backend) judge(ctx context.Context, a *attempt, failed error) (verdict, error) {
	now, err := b.look(ctx, a.names)
	if err != nil {
		return lost, temporary(err)
	}
	// A push that arrives twice is rejected although it has been carried out.
	if a.doubt != nil || a.overtaken(now) {
		switch v, shown, err := b.carriedOut(ctx, a, now); {
		case err == errHalf:
			return lost, err
		case err != nil:
			return lost, temporary(err)
		case shown:
			return v, nil
		}
	}
	for _, c := range a.changes {
		if now[c.Name] != c.Old {
			return lost, b.overtaken(ctx, a, c, now)
		}
	}
	if a.doubt == nil && !raced(failed) {
		return lost, refusal(failed)
	}
	return again, nil
}

// overtaken says whether a ref has moved for which there is a commit of our own making, or that we
// delete.
func (a *attempt) overtaken(now map[string]store.Hash) bool {
	return slices.ContainsFunc(a.changes, func(c store.RefChange) bool {
		return now[c.Name] != c.Old && (c.New.IsZero() || a.makes(c.New))
	})
}

// makes says whether an object is new with the attempt, so that nobody else has it.
func (a *attempt) makes(h store.Hash) bool {
	return slices.ContainsFunc(a.objs, func(o object.Object) bool { return o.Hash() == h }) ||
		slices.ContainsFunc(a.received, func(q *quarantine) bool { return q.holds(h) })
}

// errHalf says that some changes of a Commit show at the host and that others have moved the refs of the rest:
// before the host came to them, or after. It is temporary, so that it is everybody's whose change is in the
// Commit: none of them may be made again by itself.
var errHalf = fmt.Errorf("only some of the refs have moved or stayed: %w: %w", gitwire.ErrInDoubt, store.ErrTemporary)

// carriedOut finds out by the refs what has become of a push. shown says that they show anything of it:
// that it has landed or, where the rest of its changes could still be, that only these are
// to be pushed again. One that shows is not enough: a host may fail between one ref and the next, or
// be killed there, as stock git moves them one by one. A deletion shows nothing
// beside other changes, because others may delete too. The error may be errHalf.
func (b *Backend) carriedOut(ctx context.Context, a *attempt, now map[string]store.Hash) (_ verdict, shown bool, _ error) {
	// What has once been seen to have landed may have been taken out by others since.
	gone, elsewhere := true, false
	shown = len(a.left) < len(a.changes)
	var left []store.RefChange
	for _, c := range a.left {
		at := now[c.Name]
		gone = gone && c.New.IsZero() && at.IsZero()
		switch {
		case at == c.Old && c.New != c.Old:
			left = append(left, c)
		case at == c.Old || c.New.IsZero() || at.IsZero():
		default:
			ok, err := b.stands(ctx, a, c, at)
			if err != nil {
				return lost, false, err
			}
			shown, elsewhere = shown || ok, elsewhere || !ok
		}
	}
	switch {
	case gone:
		return landed, true, nil
	case !shown:
		return lost, false, nil
	case elsewhere:
		return lost, true, errHalf
	case len(left) == 0:
		return landed, true, nil
	}
	a.left = left
	b.inDoubtFrom(a, errHalf)
	return again, true, nil
}

// stands says whether a ref that is elsewhere now stands on a change's new value, or on a commit of the
// attempt on the way there: then others have taken the rest out after all of it had landed.
func (b *Backend) stands(ctx context.Context, a *attempt, c store.RefChange, at store.Hash) (bool, error) {
	if at == c.New {
		return true, nil
	}
	if err := b.bring(ctx, []move{{name: c.Name, old: c.Old, new: at}}); err != nil {
		return false, err
	}
	return b.contains(ctx, at, a.way(c), c.Old)
}

// way returns a change's new value and those commits of the attempt that it stands on.
func (a *attempt) way(c store.RefChange) map[store.Hash]bool {
	parents := map[store.Hash][]store.Hash{}
	for _, o := range a.objs {
		if o.Type != object.TypeCommit {
			continue
		}
		if commit, err := object.ParseCommit(o.Data); err == nil { // what else it is, the host will say
			parents[o.Hash()] = commit.Parents
		}
	}
	way := map[store.Hash]bool{c.New: true}
	for todo := parents[c.New]; len(todo) > 0; {
		h := todo[0]
		todo = todo[1:]
		if next, made := parents[h]; made && !way[h] {
			way[h] = true
			todo = append(todo, next...)
		}
	}
	return way
}

// overtaken returns the error for a change whose ref somebody else has moved: a
// conflict, once reads see where to.
func (b *Backend) overtaken(ctx context.Context, a *attempt, c store.RefChange, now map[string]store.Hash) error {
	if err := b.apply(ctx, b.differences(now, a.names), a.names); err != nil {
		return temporary(err)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if r := b.rewound[c.Name]; r != nil {
		return r
	}
	return &store.ConflictError{Change: c, Actual: b.refs[c.Name].hash}
}

// inDoubt ends an attempt whose outcome could not be found out.
func (b *Backend) inDoubt(a *attempt) error {
	b.mu.Lock()
	for _, name := range a.names {
		b.unsure[name] = true
	}
	b.mu.Unlock()
	b.Wake()
	b.log.Warn("it is not known what became of a push", "refs", a.names, "error", a.doubt)
	return fmt.Errorf("%w: %w: %w", gitwire.ErrInDoubt, store.ErrTemporary, a.doubt)
}

func (b *Backend) isUnsure(names []string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, name := range names {
		if b.unsure[name] {
			return true
		}
	}
	return false
}

// resolve looks at refs that an earlier Commit has left in doubt. A push of that which
// may still arrive loses against the next one, or the next one against it.
func (b *Backend) resolve(ctx context.Context, names []string) error {
	now, err := b.look(ctx, names)
	if err == nil {
		err = b.apply(ctx, b.differences(now, names), names)
	}
	if err != nil {
		return temporary(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		delete(b.unsure, name)
	}
	return nil
}

// raced says that the host has rejected a push as too late.
func raced(err error) bool {
	r, ok := errors.AsType[*gitwire.RejectedError](err)
	return ok && r.Race
}

// refusal makes the store's error of what the host says: of several refs, of the one that
// was not rejected only because of others.
func refusal(err error) error {
	var first, own *gitwire.RejectedError
	for _, e := range rejections(err) {
		if first == nil {
			first = e
		}
		if own == nil && !strings.HasPrefix(e.Reason, "atomic ") {
			own = e
		}
	}
	if own == nil {
		own = first
	}
	return &store.RefusedError{Ref: own.Ref, Reason: own.Reason}
}

// rejections lists the RejectedErrors in a tree of errors.
func rejections(err error) []*gitwire.RejectedError {
	switch e := err.(type) {
	case *gitwire.RejectedError:
		return []*gitwire.RejectedError{e}
	case interface{ Unwrap() error }:
		return rejections(e.Unwrap())
	case interface{ Unwrap() []error }:
		var all []*gitwire.RejectedError
		for _, err := range e.Unwrap() {
			all = append(all, rejections(err)...)
		}
		return all
	}
	return nil
}
