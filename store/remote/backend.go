package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"cairn/store"
	"cairn/store/gitwire"
	"cairn/store/lazy"
)

// A Backend is a repository at a host: a store.Backend, store.Receiver and
// store.Packed. Safe for concurrent use.
type Backend struct {
	options   Options
	host      Host
	objects   *lazy.Store
	forgetful bool // objects may be missing here, and come when they are read
	log       *slog.Logger
	absent    absences
	deepen    sync.Mutex // held while the ends of history move

	end  context.CancelFunc
	work sync.WaitGroup
	wake chan struct{}

	landed chan struct{} // holds a token when a commit has landed since the host was last asked

	mu       sync.RWMutex
	refs     map[string]tip // the last good snapshot
	gone     map[string]int // when a ref was deleted, while a listing runs that may not know it
	moves    int            // counts every move of a ref, and tells listings from before it
	listings map[int]int    // listings under way by the moves that they began at
	claims   map[string]bool
	unsure   map[string]bool // refs of a Commit that ended in doubt: look before the next
	rewound  map[string]*RewoundError
	rejudge  map[string]bool             // refs of rewound that Follow is asked of again
	shallow  map[store.Hash][]store.Hash // the parents of commits that are here without them
	useful   int                         // how many of shallow some ref leads to, when that was looked at last
	depth    int                         // of the next fetch of history
	changed  chan struct{}               // closed when any of the above changes
	kept     []*quarantine
	dirty    bool // refs or shallow differ from what Options.Folder remembers

	abilities *gitwire.Abilities // of the host; nil when it has to be asked

	closed  bool
	away    time.Time // since when
	awayErr error
	problem error     // why the host cannot be followed
	contact time.Time // when the host last answered
	waiting bool      // for the host to tell of what is new
	current time.Time // when the refs were last known to be the host's
}

// A tip is what a ref names, and at which move it came to that.
type tip struct {
	hash  store.Hash
	moved int
}

var (
	_ store.Backend    = (*Backend)(nil)
	_ store.Receiver   = (*Backend)(nil)
	_ store.Packed     = (*Backend)(nil)
	_ store.Replicated = (*Backend)(nil)
)

// Open returns the repository at a host and begins to follow it. With a warm
// Options.Refs it succeeds although the host is away; a cold start needs the host.
// ctx bounds the call.
func Open(ctx context.Context, o Options) (*Backend, error) {
	b := &Backend{
		options:  o.withDefaults(),
		host:     o.Host,
		wake:     make(chan struct{}, 1),
		landed:   make(chan struct{}, 1),
		refs:     map[string]tip{},
		gone:     map[string]int{},
		listings: map[int]int{},
		claims:   map[string]bool{},
		unsure:   map[string]bool{},
		rewound:  map[string]*RewoundError{},
		rejudge:  map[string]bool{},
		shallow:  map[store.Hash][]store.Hash{},
		changed:  make(chan struct{}),
	}
	b.log = b.options.Log
	if err := b.start(ctx); err != nil {
		return nil, fmt.Errorf("open remote: %w", err)
	}
	life, end := context.WithCancel(context.Background())
	b.end = end
	b.work.Go(func() { b.follow(life) })
	if o.Folder != nil {
		b.work.Go(func() { b.remember(life) })
	}
	return b, nil
}

func (o Options) withDefaults() Options {
	if len(o.Prefixes) == 0 {
		o.Prefixes = []string{"refs/heads/", "refs/tags/"}
	}
	if o.History == nil {
		o.History = func(string) bool { return false }
	}
	o.Poll = cmp.Or(o.Poll, 800*time.Millisecond)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	if o.Replica == "" {
		var random [8]byte
		rand.Read(random[:])
		o.Replica = hex.EncodeToString(random[:])
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Close stops following the host. It waits for Commits under way; later ones are fs.ErrClosed.
func (b *Backend) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.end()
	b.work.Wait()
	return b.objects.Close()
}

// Replica implements store.Replicated.
func (b *Backend) Replica() string { return b.options.Replica }

// Ref implements store.Backend.
func (b *Backend) Ref(_ context.Context, name string) (store.Ref, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	t, ok := b.refs[name]
	if !ok {
		return store.Ref{}, absent(name)
	}
	return store.Ref{Name: name, Hash: t.hash}, nil
}

// Refs implements store.Backend. It yields the refs as they were at one moment.
func (b *Backend) Refs(_ context.Context, prefix string) iter.Seq2[store.Ref, error] {
	return func(yield func(store.Ref, error) bool) {
		for _, ref := range b.list(prefix) {
			if !yield(ref, nil) {
				return
			}
		}
	}
}

func (b *Backend) list(prefix string) []store.Ref {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var refs []store.Ref
	for name, t := range b.refs {
		if strings.HasPrefix(name, prefix) {
			refs = append(refs, store.Ref{Name: name, Hash: t.hash})
		}
	}
	slices.SortFunc(refs, func(a, b store.Ref) int { return cmp.Compare(a.Name, b.Name) })
	return refs
}

// Wait implements store.Backend.
func (b *Backend) Wait(ctx context.Context, name string, old store.Hash) (store.Ref, error) {
	for {
		b.mu.RLock()
		t, changed := b.refs[name], b.changed
		b.mu.RUnlock()
		if t.hash != old {
			return store.Ref{Name: name, Hash: t.hash}, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return store.Ref{}, ctx.Err()
		}
	}
}

// Wake has the host looked at now, because somebody (a webhook) says that there
// is something new.
func (b *Backend) Wake() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// followed says whether a ref is one of those that this Backend has.
func (b *Backend) followed(name string) bool {
	return slices.ContainsFunc(b.options.Prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// stir wakes all who wait for a change. The caller holds mu.
func (b *Backend) stir() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// move sets a ref. The caller holds mu.
func (b *Backend) move(name string, to store.Hash) {
	b.moves++
	if to.IsZero() {
		delete(b.refs, name)
		if len(b.listings) > 0 {
			b.gone[name] = b.moves
		}
	} else {
		b.refs[name] = tip{to, b.moves}
		delete(b.gone, name)
	}
	b.dirty = true
	b.stir()
}

// isTemporary says that nothing has happened and that it may go better later.
func isTemporary(err error) bool { return errors.Is(err, store.ErrTemporary) }
