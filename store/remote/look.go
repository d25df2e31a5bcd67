package remote

import (
	"context"
	"errors"
	"slices"
	"time"

	"cairn/store"
)

// A move is what somebody else has done to a ref: old is what reads see.
type move struct {
	name     string
	old, new store.Hash
	vanished bool // with all other refs
}

// maxNames is up to how many refs are asked for by name.
const maxNames = 64

// look asks the host what refs are, by name; those that do not exist are not in the map.
func (b *Backend) look(ctx context.Context, names []string) (map[string]store.Hash, error) {
	prefixes := names
	if len(names) > maxNames {
		prefixes = b.options.Prefixes
	}
	refs, err := b.listHost(ctx, prefixes)
	if err != nil {
		return nil, err
	}
	now := make(map[string]store.Hash, len(names))
	for _, ref := range refs {
		now[ref.Name] = ref.Hash
	}
	return now, nil
}

func (b *Backend) listHost(ctx context.Context, prefixes []string) ([]store.Ref, error) {
	begin := time.Now()
	ctx, watch := newWatch(ctx, b.options.Timeout)
	defer watch.stop()
	refs, err := b.host.Refs(ctx, prefixes...)
	err = watch.cause(err)
	if err != nil {
		b.noteAway(err)
	} else {
		b.answered()
	}
	b.options.Observe(Event{Kind: Looked, Took: time.Since(begin), Refs: len(refs), Err: err})
	return refs, err
}

// A listing is a question for the host's refs that is under way. Its answer may be older than
// what has been committed here since it was asked.
type listing struct {
	b     *Backend
	began int
}

func (b *Backend) beginListing() listing {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listings[b.moves]++
	return listing{b, b.moves}
}

// end forgets the listing, and deletions that no listing can be older than.
func (l listing) end() {
	b := l.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listings[l.began]--; b.listings[l.began] == 0 {
		delete(b.listings, l.began)
	}
	oldest := b.moves
	for began := range b.listings {
		oldest = min(oldest, began)
	}
	for name, moved := range b.gone {
		if moved <= oldest {
			delete(b.gone, name)
		}
	}
}

// news returns what a listing's answer says that reads do not see yet, apart from
// refs that have moved here since it was asked and those that are being committed to.
func (l listing) news(refs []store.Ref) []move {
	b := l.b
	now := make(map[string]store.Hash, len(refs))
	for _, ref := range refs {
		if b.followed(ref.Name) {
			now[ref.Name] = ref.Hash
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	untouched := func(name string) bool {
		return !b.claims[name] && b.refs[name].moved <= l.began && b.gone[name] <= l.began
	}
	var news []move
	for name, t := range b.refs {
		switch {
		case !untouched(name):
		case now[name] != t.hash:
			news = append(news, move{name, t.hash, now[name], len(now) == 0 && len(b.refs) > 1})
		case b.rewound[name] != nil:
			delete(b.rewound, name)
			b.log.Info("a ref that was rewound is back", "ref", name, "at", t.hash)
		}
	}
	for name := range b.rewound {
		if _, known := b.refs[name]; !known && now[name].IsZero() && untouched(name) {
			delete(b.rewound, name)
			delete(b.rejudge, name)
			b.log.Info("a ref that was not followed is gone", "ref", name)
		}
	}
	for name, h := range now {
		if _, known := b.refs[name]; !known && untouched(name) {
			news = append(news, move{name: name, new: h})
		}
	}
	return news
}

// differences returns which of the named refs are not what reads see.
func (b *Backend) differences(now map[string]store.Hash, names []string) []move {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var moves []move
	for _, name := range names {
		if old := b.refs[name].hash; old != now[name] {
			moves = append(moves, move{name: name, old: old, new: now[name]})
		}
	}
	return moves
}

// apply has reads see what others have done, as far as it may be followed. mine are
// refs that the caller has claimed. What one ref has moved to may be such that it cannot be had here;
// it alone is not followed then.
func (b *Backend) apply(ctx context.Context, moves []move, mine []string) error {
	begin := time.Now()
	moves = b.unjudged(moves)
	if len(moves) == 0 {
		return nil
	}
	err := b.bring(ctx, moves)
	switch {
	case err == nil:
	case isTemporary(err) || ctx.Err() != nil:
		return err
	case len(moves) > 1:
		half := len(moves) / 2
		if err := b.apply(ctx, moves[:half], mine); err != nil {
			return err
		}
		return b.apply(ctx, moves[half:], mine)
	default:
		b.take(moves[0], &unfetched{err, time.Now()}, slices.Contains(mine, moves[0].name))
		return nil
	}
	for _, m := range moves {
		why, err := b.allowed(ctx, m)
		if err != nil {
			return err
		}
		if b.take(m, why, slices.Contains(mine, m.name)) {
			b.options.Observe(Event{Kind: Followed, Took: time.Since(begin), Refs: 1})
		}
	}
	return nil
}

// An unfetched says why what a ref is at cannot be had here.
type unfetched struct {
	error
	when time.Time
}

// Unwrap returns what went wrong.
func (u *unfetched) Unwrap() error { return u.error }

// refetch is after how long it is tried again to fetch what could not be had.
const refetch = time.Minute

// unjudged leaves out moves that are known not to be followed.
func (b *Backend) unjudged(moves []move) []move {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.DeleteFunc(moves, func(m move) bool {
		r := b.rewound[m.name]
		if r == nil || b.rejudge[m.name] || r.Good != m.old || r.Host != m.new {
			return false
		}
		u, ok := errors.AsType[*unfetched](r.Why)
		return !ok || time.Since(u.when) < refetch
	})
}

// take makes a move part of what reads see, unless why says that it is not followed.
func (b *Backend) take(m move, why error, mine bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refs[m.name].hash != m.old || b.claims[m.name] && !mine {
		return false // it has moved here since: the next look will tell
	}
	delete(b.rejudge, m.name)
	if _, absent := why.(*unfetched); why != nil && !absent && slices.Contains(b.options.Accept, m.new) {
		b.log.Warn("a rewound ref was accepted", "ref", m.name, "from", m.old, "to", m.new, "although", why)
		why = nil
	}
	if why == nil {
		delete(b.rewound, m.name)
		b.move(m.name, m.new)
		return true
	}
	r := &RewoundError{Ref: m.name, Good: m.old, Host: m.new}
	if why != errRewound {
		r.Why = why
	}
	b.rewound[m.name] = r
	b.stir()
	b.log.Error("a ref is not followed, and nothing is written to it", "error", r)
	return false
}
