package shelf

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"cairn/store"
	"cairn/store/object"
)

// Options are a Shelf's settings.
type Options struct {
	Now         func() time.Time // the clock; required
	Key         [32]byte         // authenticates sync tokens; the same in all replicas
	MaxResource int64            // of one resource, in bytes; default 10 MiB
	Quota       int64            // of all resources of a person, in bytes; 0: no limit
	CacheBytes  int64            // of memory for what is remembered; default 24 MiB
	Log         *slog.Logger     // default: discard

	// Known says whether somebody has an account. What others left behind stays, but is not shown
	// to anybody and not worked on. Default: everybody has one.
	Known func(ctx context.Context, user string) bool
}

// A Shelf keeps the collections of everybody in a repository. Safe for concurrent
// use.
type Shelf struct {
	repo *store.Repo
	o    Options

	maxFlat, minFan int // see layout.go
	large           int // see content.go

	seed     maphash.Seed
	records  *cache[recordKey, *record]
	leaves   *cache[leafKey, *leaf]
	contents *cache[contentKey, *content]
	latest   *cache[latestKey, *leaf] // large ones, by where they were seen last
	props    *cache[store.Hash, *Props]
	firsts   *cache[firstKey, store.Hash]

	mu       sync.Mutex
	outlines map[string]outline // by person
}

// New returns the Shelf over a repository.
func New(repo *store.Repo, o Options) *Shelf {
	if o.MaxResource == 0 {
		o.MaxResource = 10 << 20
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 24 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Known == nil {
		o.Known = func(context.Context, string) bool { return true }
	}
	return &Shelf{
		repo:     repo,
		o:        o,
		maxFlat:  maxFlat,
		minFan:   minFan,
		large:    large,
		seed:     maphash.MakeSeed(),
		records:  newCache[recordKey, *record](o.CacheBytes * 9 / 16),
		leaves:   newCache[leafKey, *leaf](o.CacheBytes / 4),
		contents: newCache[contentKey, *content](o.CacheBytes / 16),
		latest:   newCache[latestKey, *leaf](o.CacheBytes / 16),
		props:    newCache[store.Hash, *Props](o.CacheBytes / 32),
		firsts:   newCache[firstKey, store.Hash](o.CacheBytes / 32),
		outlines: map[string]outline{},
	}
}

// Repo returns the repository.
func (s *Shelf) Repo() *store.Repo { return s.repo }

// Known says whether somebody has an account, as Options.Known does.
func (s *Shelf) Known(ctx context.Context, user string) bool { return s.o.Known(ctx, user) }

// MaxResource is the size of the largest resource, in bytes.
func (s *Shelf) MaxResource() int64 { return s.o.MaxResource }

// Cached is how many bytes are remembered, at most Options.CacheBytes.
func (s *Shelf) Cached() int64 {
	return s.records.size() + s.leaves.size() + s.contents.size() + s.latest.size() + s.props.size() + s.firsts.size()
}

const (
	branches = "dav/"
	heads    = "refs/heads/"
)

// validUser says that a branch could be called after somebody.
func validUser(user string) bool {
	return !strings.Contains(user, "/") && object.ValidRefName(heads+branches+user)
}

// Branch returns the branch on which a person's collections lie.
func (s *Shelf) Branch(user string) *store.Branch { return s.repo.Branch(branches + user) }

// Snapshot returns what a person has now. Somebody whose branch does not exist yet
// has the default collections.
func (s *Shelf) Snapshot(ctx context.Context, user string) (*Snapshot, error) {
	if !validUser(user) {
		return nil, fmt.Errorf("user %q: %w", user, fs.ErrInvalid)
	}
	t, err := s.Branch(user).Tree(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		t, err = new(store.Tree), nil
	}
	if err != nil {
		return nil, err
	}
	return s.View(user, t), nil
}

// View returns what a person had in another snapshot of the branch, an older one
// perhaps (store.Branch.At).
func (s *Shelf) View(user string, t *store.Tree) *Snapshot {
	return &Snapshot{shelf: s, user: user, tree: t}
}

// Update changes what some people have, all of it or nothing, in one commit on each
// branch that f makes a difference to. f may run several times, on newer
// snapshots, when somebody else was first; it must not keep the Edits. Everything
// else is as for store.Repo.Update.
func (s *Shelf) Update(ctx context.Context, ch store.Change, users []string, f func(map[string]*Edit) error) error {
	names := make([]string, len(users))
	for i, user := range users {
		if !validUser(user) {
			return fmt.Errorf("user %q: %w", user, fs.ErrInvalid)
		}
		names[i] = branches + user
	}
	return s.repo.Update(ctx, ch, names, func(txs map[string]*store.Tx) error {
		edits := make(map[string]*Edit, len(txs))
		for branch, tx := range txs {
			user := strings.TrimPrefix(branch, branches)
			edits[user] = newEdit(s.View(user, tx.Tree()), tx)
		}
		if err := f(edits); err != nil {
			return err
		}
		for _, e := range edits {
			if err := e.finish(); err != nil {
				return err
			}
		}
		return nil
	})
}
