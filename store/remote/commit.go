package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/object"
)

// An attempt is one Commit on its way.
type attempt struct {
	objs    []object.Object
	changes []store.RefChange
	names   []string

	left     []store.RefChange // of changes, those that the host has not carried out as far as is known
	received []*quarantine     // packs that somebody has pushed to us and that hold what the changes name

	doubt error     // of a push that may have been carried out or may yet be
	until time.Time // when to give up, once in doubt
	tries int       // pushes that were rejected while the refs were as they should
	wait  pause

	storing sync.WaitGroup // the objects, on this side
}

// Commit implements store.Backend: see the package's comment for what comes back
// when. Commits of different refs run at the same time, those of one ref one
// after another.
func (b *Backend) Commit(ctx context.Context, objs []object.Object, changes []store.RefChange) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.begin(); err != nil {
		return err
	}
	defer b.work.Done()
	if len(changes) == 0 {
		return b.hold(ctx, objs)
	}
	a := &attempt{objs: objs, changes: changes, left: changes}
	seen := map[string]bool{}
	for _, c := range changes {
		switch {
		case !object.ValidRefName(c.Name) || !b.followed(c.Name):
			return fmt.Errorf("ref name %q: %w", c.Name, fs.ErrInvalid)
		case seen[c.Name]:
			return fmt.Errorf("ref %s is changed twice: %w", c.Name, fs.ErrInvalid)
		}
		seen[c.Name] = true
		a.names = append(a.names, c.Name)
	}
	if err := b.claim(ctx, a.names); err != nil {
		return err
	}
	defer b.release(a.names)
	a.received = b.use(changes)
	err := b.commit(ctx, a)
	b.unuse(a.received, err == nil)
	return err
}

// begin keeps Close waiting until work.Done.
func (b *Backend) begin() error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.closed {
		return fmt.Errorf("commit: %w", fs.ErrClosed)
	}
	b.work.Add(1)
	return nil
}

// claim waits until no other Commit has one of the refs, and takes them.
func (b *Backend) claim(ctx context.Context, names []string) error {
	for {
		b.mu.Lock()
		free := true
		for _, name := range names {
			free = free && !b.claims[name]
		}
		if free {
			for _, name := range names {
				b.claims[name] = true
			}
			b.mu.Unlock()
			return nil
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *Backend) release(names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		delete(b.claims, name)
	}
	b.stir()
}

// commit pushes until it is known what has become of it.
func (b *Backend) commit(ctx context.Context, a *attempt) error {
	if err := b.reachable(); err != nil {
		return err
	}
	if b.isUnsure(a.names) {
		if err := b.resolve(ctx, a.names); err != nil {
			return err
		}
	}
	done, err := b.compare(ctx, a)
	if err != nil {
		return err
	}
	if b.forgetful {
		a.storing.Go(func() { b.store(context.WithoutCancel(ctx), a.objs) })
	} else if err := b.objects.Put(ctx, a.objs...); err != nil {
		return err // it could not be had again once it is at the host
	}
	defer a.storing.Wait()
	if done {
		b.land(a)
		return nil
	}
	for {
		err := b.push(ctx, a)
		if err == nil {
			b.land(a)
			return nil
		}
		if a.doubt == nil && !wasRejected(err) {
			return err // nothing has happened
		}
		switch v, err := b.settle(ctx, a, err); v {
		case landed:
			b.land(a)
			return nil
		case lost:
			return err
		}
	}
}

func wasRejected(err error) bool {
	_, ok := errors.AsType[*gitwire.RejectedError](err)
	return ok
}

// compare holds the changes against the refs as they are known. It may be done: what the
// host has refused once can have arrived twice, and is there when it is committed again.
func (b *Backend) compare(ctx context.Context, a *attempt) (done bool, err error) {
	c, now, err := b.differs(a)
	if err != nil || c.Name == "" {
		return false, err
	}
	if !a.makes(c.New) {
		return false, &store.ConflictError{Change: c, Actual: now[c.Name]}
	}
	switch v, shown, err := b.carriedOut(ctx, a, now); {
	case err != nil:
		return false, err
	case !shown:
		return false, &store.ConflictError{Change: c, Actual: now[c.Name]}
	default:
		return v == landed, nil
	}
}

// differs finds the first change whose ref is not what it stands on, and what the refs are.
func (b *Backend) differs(a *attempt) (first store.RefChange, now map[string]store.Hash, err error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	now = make(map[string]store.Hash, len(a.changes))
	for _, c := range a.changes {
		if r := b.rewound[c.Name]; r != nil {
			return c, nil, r
		}
		if now[c.Name] = b.refs[c.Name].hash; now[c.Name] != c.Old && first.Name == "" {
			first = c
		}
	}
	return first, now, nil
}

// push sends the attempt once. When its outcome is not known it is in doubt from then on.
func (b *Backend) push(ctx context.Context, a *attempt) error {
	begin := time.Now()
	complete, limit := b.complete(a), b.options.Timeout
	if !complete {
		limit *= slow
	}
	ctx, watch := newWatch(ctx, limit)
	defer watch.stop()
	if complete {
		watch.sends(a.bytes())
	}
	err := watch.cause(b.host.Push(ctx, b.request(a, complete, watch)))
	var outcome error
	switch {
	case err == nil:
		b.answered()
	case wasRejected(err):
		b.answered()
		outcome = err
	case errors.Is(err, gitwire.ErrInDoubt), ctx.Err() != nil:
		b.inDoubtFrom(a, err)
		outcome = err
	default:
		b.noteAway(err)
		outcome = err
	}
	b.options.Observe(Event{Kind: Pushed, Took: time.Since(begin), Refs: len(a.changes), Objects: len(a.objs), Err: outcome})
	if err != nil {
		return fmt.Errorf("push: %w", err)
	}
	return nil
}

// bytes is what the objects of an attempt hold.
func (a *attempt) bytes() (n int64) {
	for _, o := range a.objs {
		n += int64(len(o.Data))
	}
	return n
}

// request is the push of an attempt. The old values are those that the caller's changes
// stand on, and nothing else.
func (b *Backend) request(a *attempt, complete bool, watch *watch) gitwire.PushRequest {
	p := gitwire.PushRequest{Objects: a.objs}
	for _, c := range a.left {
		p.Commands = append(p.Commands, gitwire.Command{Name: c.Name, Old: c.Old, New: c.New})
	}
	if !complete {
		p.Objects = nil
		p.From = watch.objects(over(a.objs, b.objects))
		for _, ref := range b.list("") {
			p.Have = append(p.Have, ref.Hash)
		}
	}
	return p
}

// complete says that an attempt's own objects are all that the host lacks: that the
// new values are among them or are what some ref is at, and so are the parents
// of the commits.
func (b *Backend) complete(a *attempt) bool {
	known := map[store.Hash]bool{{}: true}
	var named []store.Hash
	for _, c := range a.changes {
		known[c.Old] = true
		named = append(named, c.New)
	}
	for _, o := range a.objs {
		known[o.Hash()] = true
		if o.Type != object.TypeCommit {
			continue
		}
		c, err := object.ParseCommit(o.Data)
		if err != nil {
			return false
		}
		named = append(named, c.Parents...)
	}
	lacking := map[store.Hash]bool{}
	for _, h := range named {
		if !known[h] {
			lacking[h] = true
		}
	}
	return len(lacking) == 0 || b.allTips(lacking)
}

// allTips says whether some ref is at each of these.
func (b *Backend) allTips(hashes map[store.Hash]bool) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, t := range b.refs {
		delete(hashes, t.hash)
	}
	return len(hashes) == 0
}

// store keeps objects on this side, while they are on their way to the other. Those of a push that
// fails are dropped like all that nobody reads.
func (b *Backend) store(ctx context.Context, objs []object.Object) {
	// What cannot be kept here comes from the host when it is read.
	if err := b.objects.Put(ctx, lasting(objs)...); err != nil {
		b.log.Warn("objects that are pushed are not kept", "error", err)
	}
}

// land makes an attempt that the host has carried out part of what reads see.
func (b *Backend) land(a *attempt) {
	a.storing.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range a.changes {
		if b.refs[c.Name].hash == c.Old { // else others have gone on from there
			b.move(c.Name, c.New)
		}
		delete(b.unsure, c.Name)
	}
	select {
	case b.landed <- struct{}{}:
	default:
	}
}
