package remote

import (
	"context"
	"time"

	"cairn/store"
)

const (
	// quiet is how long to wait after the host has told of something that was known
	// already, because it came from here; and how much longer for each ref, since it tells
	// all of them.
	quiet       = 50 * time.Millisecond
	quietPerRef = 20 * time.Microsecond
	// settled is how long after a commit of ours the host is asked whether others
	// have undone it meanwhile: then it is as it was when it began to wait for something
	// new, and has nothing to tell.
	settled = 200 * time.Millisecond
	// waitFor is how long the host may have nothing to tell before it is asked.
	waitFor = 30 * time.Second
)

// follow keeps what reads see up to date, and finds the host again when it was away.
func (b *Backend) follow(ctx context.Context) {
	retry := pause{first: 100 * time.Millisecond, most: 5 * time.Second}
	wait := retry
	for ctx.Err() == nil {
		told, err := b.idle(ctx)
		if err == nil && !told {
			err = b.sync(ctx)
		}
		b.dropKept()
		if err == nil || ctx.Err() != nil {
			wait = retry
			continue
		}
		b.failing(err)
		for err != nil && wait.sleep(ctx) {
			err = b.sync(ctx)
		}
	}
}

// failing notes why the host cannot be followed.
func (b *Backend) failing(err error) {
	b.noteAway(err)
	if !isTemporary(err) {
		b.log.Error("the host cannot be followed", "error", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problem = err
}

// idle returns when there may be something new; told says that the host has told what, and
// that reads see it.
func (b *Backend) idle(ctx context.Context) (told bool, err error) {
	able, err := b.able(ctx)
	if err != nil {
		return false, err
	}
	if !able.Wait {
		b.rest(ctx, b.options.Poll)
		return false, nil
	}
	waiting, cancel := context.WithTimeout(ctx, waitFor)
	defer cancel()
	stop := make(chan struct{})
	defer func() { <-stop }()
	go func() {
		defer close(stop)
		select {
		case <-b.wake:
		case <-b.landed:
			pause := time.NewTimer(settled)
			defer pause.Stop()
			select {
			case <-b.wake:
			case <-pause.C:
			case <-waiting.Done():
			}
		case <-waiting.Done():
		}
		cancel()
	}()
	defer cancel()
	listing := b.beginListing()
	defer listing.end()
	b.setWaiting(true)
	refs, err := b.host.Wait(waiting, b.options.Prefixes, b.shown())
	b.setWaiting(false)
	switch {
	case waiting.Err() != nil:
		return false, nil // woken, or it has been quiet for long: look
	case err != nil: // it may have too many who wait; a look tells whether it is away
		b.rest(ctx, b.options.Poll)
		return false, nil
	}
	b.answered()
	known := len(b.unjudged(listing.news(refs))) == 0
	err = b.see(ctx, listing, refs, time.Now())
	if known {
		b.rest(ctx, min(quiet+time.Duration(len(refs))*quietPerRef, b.options.Poll))
	}
	return b.reachable() == nil, err // it may have been found to be away meanwhile: a look tells
}

// setWaiting notes whether the host will tell of what is new.
func (b *Backend) setWaiting(yes bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = yes
}

// shown are the refs as the host showed them last.
func (b *Backend) shown() []store.Ref {
	b.mu.RLock()
	defer b.mu.RUnlock()
	refs := make([]store.Ref, 0, len(b.refs)+len(b.rewound))
	for name, t := range b.refs {
		if b.rewound[name] == nil {
			refs = append(refs, store.Ref{Name: name, Hash: t.hash})
		}
	}
	for name, r := range b.rewound {
		if !r.Host.IsZero() {
			refs = append(refs, store.Ref{Name: name, Hash: r.Host})
		}
	}
	return refs
}

// rest waits until Wake, but no longer than this.
func (b *Backend) rest(ctx context.Context, most time.Duration) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-t.C:
	case <-b.wake:
	case <-ctx.Done():
	}
}

// sync looks at the host's refs and has reads see what is new.
func (b *Backend) sync(ctx context.Context) error {
	listing := b.beginListing()
	defer listing.end()
	refs, err := b.listHost(ctx, b.options.Prefixes)
	if err != nil {
		return err
	}
	return b.see(ctx, listing, refs, time.Now())
}

// see has reads see what a listing's answer says that is new.
func (b *Backend) see(ctx context.Context, listing listing, refs []store.Ref, at time.Time) error {
	if err := b.apply(ctx, listing.news(refs), nil); err != nil {
		return err
	}
	if err := b.forgetCuts(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current, b.problem = at, nil
	return nil
}

// Reconsider has Options.Follow asked again of refs that it has not followed,
// because what it goes by has changed.
func (b *Backend) Reconsider() {
	b.mu.Lock()
	for name := range b.rewound {
		b.rejudge[name] = true
	}
	b.mu.Unlock()
	b.Wake()
}

// Accept has reads see, and writes go on from, what a rewound ref is at the host. The caller names
// that value, so that it is the one which somebody has looked at.
func (b *Backend) Accept(ctx context.Context, ref string, host store.Hash) error {
	if err := b.claim(ctx, []string{ref}); err != nil {
		return err
	}
	defer b.release([]string{ref})
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rewound[ref]
	if r == nil || r.Host != host {
		return &store.ConflictError{Change: store.RefChange{Name: ref, Old: host}, Actual: b.refs[ref].hash}
	}
	delete(b.rewound, ref)
	b.move(ref, host)
	b.log.Warn("a rewound ref was accepted", "ref", ref, "from", r.Good, "to", host)
	return nil
}
