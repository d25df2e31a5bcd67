package remote

import (
	"context"
	"io"
	"slices"
	"time"

	"cairn/store"
	"cairn/store/lazy"
	"cairn/store/object"
)

// keptFor is how long objects are kept that were received and then not committed.
const keptFor = time.Minute

// Receive implements store.Receiver. What is kept is not at the host yet: the Commit
// that names it brings it there. If none does within a minute of Discard, or the one
// that does fails, it is forgotten.
func (b *Backend) Receive(ctx context.Context, r io.Reader, base func(context.Context, store.Hash) (object.Object, error), lim store.Limits) (store.Quarantine, error) {
	b.dropKept()
	q, err := b.objects.Receive(ctx, r, base, lim)
	if err != nil {
		return nil, err
	}
	return &quarantine{Quarantine: q.(lazy.Quarantine), b: b}, nil
}

// A quarantine is a pack that somebody has pushed to this process. Fields below b are guarded by
// Backend.mu.
type quarantine struct {
	lazy.Quarantine
	b *Backend

	discarded time.Time // by who received it
	using     int       // Commits under way that name it
	landed    bool      // one has brought it to the host
	failed    bool      // the last one has failed
}

// Keep implements store.Quarantine.
func (q *quarantine) Keep(ctx context.Context) error {
	if err := q.Quarantine.Keep(ctx); err != nil {
		return err
	}
	q.b.mu.Lock()
	defer q.b.mu.Unlock()
	for range q.All() { // of an empty pack there is nothing to keep
		if !slices.Contains(q.b.kept, q) {
			q.b.kept = append(q.b.kept, q)
		}
		break
	}
	return nil
}

// Discard implements store.Quarantine.
func (q *quarantine) Discard() {
	q.b.mu.Lock()
	q.discarded = time.Now()
	q.b.mu.Unlock()
	q.b.dropKept()
	q.Quarantine.Discard()
}

// dropKept lets go of those received packs that nobody needs any more.
func (b *Backend) dropKept() {
	now := time.Now()
	var over []*quarantine
	b.mu.Lock()
	b.kept = slices.DeleteFunc(b.kept, func(q *quarantine) bool {
		if q.using > 0 || q.discarded.IsZero() || !q.landed && !q.failed && now.Sub(q.discarded) < keptFor {
			return false
		}
		over = append(over, q)
		return true
	})
	b.mu.Unlock()
	for _, q := range over {
		if q.landed {
			q.Promise()
		} else {
			q.Forget()
		}
	}
}

// holds says whether an object came with the pack.
func (q *quarantine) holds(h store.Hash) bool {
	_, _, err := q.Stat(context.Background(), h)
	return err == nil
}

// use finds the received packs that hold what changes name, and keeps them until unuse.
func (b *Backend) use(changes []store.RefChange) (used []*quarantine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.kept {
		if slices.ContainsFunc(changes, func(c store.RefChange) bool { return q.holds(c.New) }) {
			q.using++
			used = append(used, q)
		}
	}
	return used
}

// unuse ends a Commit's use of received packs.
func (b *Backend) unuse(used []*quarantine, landed bool) {
	if len(used) == 0 {
		return
	}
	b.mu.Lock()
	for _, q := range used {
		q.using--
		q.landed = q.landed || landed
		q.failed = !landed
	}
	b.mu.Unlock()
	b.dropKept()
}
